import { readFileSync } from 'node:fs';
import path from 'node:path';
import { deflateRawSync, deflateSync, crc32 } from 'node:zlib';
import sharp from 'sharp';
import { checkClassDataset, openClassDataset } from '../../src/images/class-dataset.js';
import { decodeSquare } from '../../src/images/decode-square.js';
import { loadDetection, openDetectionDataset } from '../../src/images/detection-dataset.js';
import { checkPictureSet, openPictureSet } from '../../src/images/picture-set.js';
import { checkRgbdTarget, loadNormals, openRgbdTarget } from '../../src/images/rgbd-dataset.js';
import { readCameras } from '../../src/images/rgbd-cameras.js';
import { OUTSIDE, type CaseFiles, type FuzzedReader, type HandMade } from '../fuzzing/fuzzed-reader.js';

/** A picture may claim as many pixels as are decoded: half a gigabyte of colours. */
const pictureMegabytes = 700;

const picture = (red: number, format: 'png' | 'jpeg' | 'webp', side = 12): Promise<Buffer> => {
  const data = Buffer.alloc(side * side * 3);
  for (let i = 0; i < data.length; i++) data[i] = (red + i * 7) % 256;
  return sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .withExif({ IFD0: { Orientation: '6', Copyright: 'somebody' } })
    .withIccProfile('srgb')
    [format]()
    .toBuffer();
};

const chunk = (kind: string, content: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), content]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(content.length);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
};

/** A PNG that says it is of a size; `rows` of it are there, black. */
const blackPng = (width: number, height: number, rows: number, interlaced = false, bits = 8): Buffer => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([bits, 0, 0, 0, interlaced ? 1 : 0], 8);
  const pixels = deflateSync(Buffer.alloc(rows * (1 + Math.ceil((width * bits) / 8))));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
};

const svg = (inside: string, size = 'width="20" height="20"'): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>${inside}</svg>`;

/** A JPEG whose header claims another size. */
const claiming = (jpeg: Buffer, side: number): Buffer => {
  const out = Buffer.from(jpeg);
  const frame = out.indexOf(Buffer.from([0xff, 0xc0]));
  out.writeUInt16BE(side, frame + 5);
  out.writeUInt16BE(side, frame + 7);
  return out;
};

/** Whatever else libvips could open, and pictures that are out for harm, under the name of a picture. */
export const hostilePictures = async (): Promise<readonly (readonly [string, Uint8Array | string])[]> => {
  const base = sharp(await picture(90, 'png'));
  const jpeg = await picture(70, 'jpeg');
  const laughs = Array.from(
    { length: 20 },
    (_, i) => `<g id="a${i + 1}">${`<use xlink:href="#a${i}"/>`.repeat(10)}</g>`,
  );
  const webp = await picture(70, 'webp');
  return [
    ['a drawing (svg)', svg('<rect width="9" height="9"/>')],
    ['a drawing that shows a file', svg(`<image xlink:href="file:///etc/hostname" width="9" height="9"/>`)],
    [
      'a drawing that shows a picture beside it',
      svg(`<image xlink:href="../outside/picture.png" width="9" height="9"/>`),
    ],
    ['a drawing of entities', `<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>${svg('<text>&x;</text>')}`],
    [
      'a drawing that multiplies',
      svg(`<rect id="a0" width="1" height="1"/>${laughs.join('')}<use xlink:href="#a20"/>`),
    ],
    ['a drawing as large as a town', svg('<rect width="9" height="9"/>', 'width="16000" height="16000"')],
    ['a GIF', await base.clone().gif().toBuffer()],
    ['a TIFF', await base.clone().tiff().toBuffer()],
    ['an AVIF', await base.clone().avif().toBuffer()],
    ['a PNG that claims 60000 x 60000', blackPng(60_000, 60_000, 1)],
    ['a PNG that claims 2147483647 x 1', blackPng(2_147_483_647, 1, 0)],
    ['a PNG of 16000 x 16000 in 30 kB', blackPng(16_000, 16_000, 16_000, false, 1)],
    ['an interlaced PNG of 16000 x 16000', blackPng(16_000, 16_000, 16_000, true, 1)],
    ['a PNG of rows of eight million pixels', blackPng(8_388_620, 12, 0)],
    ['a PNG of 0 x 0', blackPng(0, 0, 0)],
    ['a JPEG that claims 65500 x 65500', claiming(jpeg, 65_500)],
    ['a JPEG that claims 0 x 0', claiming(jpeg, 0)],
    ['nothing', ''],
    ['text', 'P6 of no use'],
    ['a portable pixmap', 'P6\n2 2\n255\n123456789012'],
    ['a web address', 'https://localhost/picture.png'],
    ['raw zeros', Buffer.alloc(5000)],
    ['a drawing dressed as WebP', Buffer.concat([Buffer.from('RIFFaaaaWEBPVP8 '), Buffer.from(svg('<rect/>'))])],
    [
      'a WebP that claims more',
      Buffer.concat([webp.subarray(0, 26), Buffer.from([255, 63, 255, 63]), webp.subarray(30)]),
    ],
  ];
};

const dataWords = [
  '\xff\xd8',
  '\xff\xc0',
  '\xff\xc2',
  '\xff\xda',
  '\xff\xdb',
  '\xff\xe1Exif\0\0',
  '\xff\xe2ICC_PROFILE\0\x01\x01',
];
const pngWords = [
  'IHDR',
  'IDAT',
  'iCCP',
  'eXIf',
  'acTL',
  'fcTL',
  'PLTE',
  'tRNS',
  'RIFF',
  'WEBP',
  'VP8X',
  'ANIM',
  'ANMF',
  'ALPH',
];

const pictures: FuzzedReader = {
  name: 'pictures',
  samples: async () =>
    Promise.all(
      (['png', 'jpeg', 'webp'] as const).map(async (format) => ({
        name: format,
        files: { 'picture.png': await picture(80, format) },
      })),
    ),
  dictionary: [...dataWords, ...pngWords, '<svg xmlns="http://www.w3.org/2000/svg"/>', 'II*\0', 'GIF89a'],
  handMade: async () =>
    (await hostilePictures()).map(([name, content]) => ({
      name,
      files: { 'picture.png': content },
      expected: /^an? .*16000 x|claims more/.test(name) ? 'either' : 'refused',
    })),
  read: async (folder) => {
    await decodeSquare(readFileSync(path.join(folder, 'picture.png')), 32, 'picture.png');
  },
  megabytes: pictureMegabytes,
};

/** What no folder of data may hold or lead to; `file` is one that its reader opens. */
const waysOut = (file: string, kind: 'picture' | 'text'): readonly HandMade[] => [
  { name: `${file} is a link out`, links: { [file]: `${OUTSIDE}/${file}` } },
  { name: `${file} is a link out by way of a file inside`, links: { [file]: 'step', step: `${OUTSIDE}/${file}` } },
  { name: `${file} is a link to the system's`, links: { [file]: '/etc/passwd' } },
  { name: `${file} is a link to nothing`, links: { [file]: 'gone' } },
  { name: `${file} is a link to itself`, links: { [file]: path.basename(file) } },
  { name: `${file} is a link to a device`, links: { [file]: '/dev/zero' } },
  { name: `${file} is a pipe`, pipes: [file] },
  { name: `${file} is a folder`, without: [file], files: { [`${file}/x.txt`]: 'x' }, expected: 'either' },
  { name: `${file} is a hole of 3 GB`, holes: { [file]: 3e9 } },
  { name: `${file} is empty`, files: { [file]: '' } },
  ...(kind === 'text' ? [{ name: `${file} is no text`, files: { [file]: Buffer.from([0xff, 0xfe, 0, 1, 2]) } }] : []),
];

/** A zip archive; `lie` changes the fields of a part's headers. */
type ZipPart = { readonly name: string; readonly bytes: Uint8Array; readonly stored?: boolean; readonly size?: number; readonly method?: number; readonly packedSize?: number; readonly at?: number }; // prettier-ignore
export const zipOf = (parts: readonly ZipPart[], { count = parts.length }: { count?: number } = {}): Buffer => {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, stored = false, size, method, packedSize, at: place } of parts) {
    const packed = stored ? Buffer.from(bytes) : deflateRawSync(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20);
    fields.writeUInt16LE(method ?? (stored ? 0 : 8), 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(packedSize ?? packed.length, 14);
    fields.writeUInt32LE(size ?? bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed]);
    const central = Buffer.alloc(42);
    central.writeUInt16LE(20);
    fields.copy(central, 2);
    central.writeUInt32LE(place ?? at, 38);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02'), central, Buffer.from(name)]));
    if (place !== undefined) continue; // it lies in another
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\x05\x06'), end]);
};

const readClasses = async (folder: string): Promise<void> => {
  checkClassDataset(folder);
  const { train, test } = await openClassDataset(folder);
  for (const { file } of [...train, ...test]) await decodeSquare(await file.read(), 16, file.label);
};

const classFiles = async (): Promise<CaseFiles> => ({
  'train/cat/1.png': await picture(10, 'png'),
  'train/dog/1.jpg': await picture(30, 'jpeg'),
  'test/cat/1.png': await picture(50, 'png'),
  'test/dog/1.webp': await picture(70, 'webp'),
});

const listedFiles = async (): Promise<CaseFiles> => ({
  'all/cat/1.png': await picture(10, 'png'),
  'all/cat/2.png': await picture(20, 'png'),
  'all/dog/1.png': await picture(30, 'png'),
  'all/dog/2.png': await picture(40, 'png'),
  'train.txt': 'cat/1.png\ndog/1.png\n',
  'test.txt': 'cat/2.png\ndog/2.png\n',
});

const classFolders: FuzzedReader = {
  name: 'class folders',
  samples: async () => [
    { name: 'train and test', files: await classFiles() },
    { name: 'lists', files: await listedFiles(), changed: ['train.txt', 'test.txt'] },
  ],
  dictionary: ['../', '/etc/passwd', '\0', '..\\', 'cat/1.png\n', '\n', '__proto__/1.png', 'constructor/', '\x1b[2J'],
  handMade: async () => [
    ...waysOut('train/cat/1.png', 'picture'),
    { name: 'a class is a link out', without: ['test/cat/1.png'], links: { 'test/cat': `${OUTSIDE}/test/cat` } },
    { name: 'links in a circle', links: { 'train/cat/round': '../..' }, expected: 'read' },
    {
      name: 'folders that all lead to all others',
      slow: true,
      links: Object.fromEntries(
        Array.from({ length: 12 }, (_, i) =>
          Array.from({ length: 12 }, (_, j) => [`album/${i}/x${j}`, `../${j}`]),
        ).flat(),
      ),
      expected: 'either',
    },
    ...['../outside/train/cat/1.png', '/etc/passwd', 'cat/../../../outside/train/cat/1.png', 'a'.repeat(5_000_000)].map(
      (line): HandMade => ({
        name: `a list names ${line.slice(0, 40)}`,
        files: listNaming(line),
        without: trainAndTest,
      }),
    ),
    {
      name: 'thousands of folders and a long list',
      slow: true,
      files: {
        ...Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`f${i}/x/1.png`, 'x'])),
        'train.txt': 'x/2.png\n'.repeat(300_000),
        'test.txt': 'x/1.png\n',
      },
      without: trainAndTest,
    },
    {
      name: 'classes with names of objects',
      files: { 'train/__proto__/1.png': await picture(1, 'png'), 'train/constructor/1.png': await picture(2, 'png') },
      expected: 'read',
    },
  ],
  read: readClasses,
  megabytes: pictureMegabytes,
};

const trainAndTest = ['train/cat/1.png', 'train/dog/1.jpg', 'test/cat/1.png', 'test/dog/1.webp'];
const listNaming = (line: string): CaseFiles => ({
  'train.txt': `${line}\n`,
  'test.txt': 'x/1.png\n',
  'x/x/1.png': 'x',
});

const zips: FuzzedReader = {
  name: 'zip archives of pictures',
  samples: async () => {
    const files = Object.entries(await classFiles()).map(([name, bytes]) => ({ name, bytes: bytes as Buffer }));
    return [
      { name: 'deflated', files: { 'pictures.zip': zipOf(files) } },
      { name: 'stored', files: { 'pictures.zip': zipOf(files.map((file) => ({ ...file, stored: true }))) } },
    ];
  },
  dictionary: [
    'PK\x01\x02',
    'PK\x03\x04',
    'PK\x05\x06',
    'PK\x06\x06',
    'PK\x06\x07',
    'PK\x07\x08',
    '\x01\0\x1c\0',
    '../',
    '/',
  ],
  handMade: async () => {
    const files = Object.entries(await classFiles()).map(([name, bytes]): ZipPart => ({
      name,
      bytes: bytes as Buffer,
    }));
    const [first, ...rest] = files as [ZipPart, ...ZipPart[]];
    const zip = (name: string, parts: readonly ZipPart[], expected: HandMade['expected'] = 'refused', count?: number): HandMade => ({ name, expected, files: { 'pictures.zip': zipOf(parts, count === undefined ? {} : { count }) } }); // prettier-ignore
    const zeros = Buffer.alloc(300_000_000);
    return [
      ...waysOut('pictures.zip', 'picture'),
      zip('a part claims 4 GB', [{ ...first, size: 0xffff_fff0 }, ...rest]),
      zip('a part claims nothing and gives 300 MB', [{ ...first, bytes: zeros, size: 0 }, ...rest]),
      zip('a part is 300 MB of zeros', [{ ...first, bytes: zeros }, ...rest]),
      zip('a part claims to be all that follows', [
        { ...first, stored: true, packedSize: 0x7fff_ffff, size: 0x7fff_ffff },
        ...rest,
      ]),
      zip('parts that lie in one another', [...files, ...Array.from({ length: 2000 }, (_, i) => ({ ...first, at: 0, name: `train/cat/x${i}.png` }))]), // prettier-ignore
      zip('a part of an unknown method', [{ ...first, method: 99 }, ...rest]),
      zip('parts with names that lead out', [...files, { ...first, name: '../../outside/x/1.png' }, { ...first, name: '/etc/1.png' }], 'either'), // prettier-ignore
      zip('more parts than there are', files, 'refused', 60_000),
      zip('no part', []),
    ];
  },
  read: readClasses,
  megabytes: pictureMegabytes,
};

const box = (value: string | number = 1): string =>
  `<object><name>cat</name><difficult>0</difficult><bndbox><xmin>${value}</xmin><ymin>1</ymin><xmax>6</xmax><ymax>6</ymax></bndbox></object>`;
const annotation = (inside: string, size = 12): string =>
  `<annotation><folder>x</folder><size><width>${size}</width><height>${size}</height><depth>3</depth></size>${inside}</annotation>`;

const readDetection = async (folder: string): Promise<void> => {
  await loadDetection(await openDetectionDataset(folder), 64);
};

const vocFiles = async (): Promise<CaseFiles> => ({
  'Annotations/a.xml': annotation(box()),
  'Annotations/b.xml': `<?xml version="1.0"?><!-- b -->${annotation(box(2))}`,
  'JPEGImages/a.jpg': await sharp(await picture(10, 'png'))
    .jpeg()
    .toBuffer(),
  'JPEGImages/b.jpg': await sharp(await picture(20, 'png'))
    .jpeg()
    .toBuffer(),
  'ImageSets/Main/train.txt': 'a\n',
  'ImageSets/Main/val.txt': 'b\n',
});

const voc: FuzzedReader = {
  name: 'Pascal VOC annotations',
  samples: async () => [
    { name: 'two pictures', files: await vocFiles(), changed: ['Annotations/a.xml', 'Annotations/b.xml', 'ImageSets/Main/train.txt', 'JPEGImages/a.jpg'] }, // prettier-ignore
  ],
  dictionary: ['<!DOCTYPE x [<!ENTITY a "b">]>', '&a;', '&#x0;', '&#xD800;', '<![CDATA[', ']]>', '<object>', '</object>', '<!--', '<?', '../', '<a b="', 'NaN', '1e999', '\0', '\xef\xbb\xbf'], // prettier-ignore
  handMade: async () => {
    const lines = Array.from({ length: 10 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
    const cases: [string, string, HandMade['expected']?][] = [
      ['a billion laughs', `<!DOCTYPE a [<!ENTITY l0 "ha">${lines}]>${annotation(box('&l10;'))}`],
      [
        'an external entity',
        `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${annotation('<object><name>&x;</name></object>')}`,
      ],
      ['an external document type', `<!DOCTYPE a SYSTEM "http://localhost/x.dtd">${annotation(box())}`],
      ['a parameter entity', `<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>${annotation(box())}`],
      ['an include', annotation(`<xi:include href="file:///etc/passwd"/>${box()}`), 'either'],
      ['a hundred thousand deep', '<a>'.repeat(100_000)],
      ['3 MB of spaces in a tag', `<annotation${' '.repeat(3_000_000)}`],
      ['3 MB of attributes', `<annotation ${'a="" '.repeat(600_000)}`],
      ['3 MB of text as a number', annotation(box('9'.repeat(3_000_000)))],
      ['3 MB of words as a number', annotation(box('x'.repeat(3_000_000)))],
      ['comments without end', '<!--'.repeat(700_000)],
      ['a hundred thousand objects', annotation(box().repeat(25_000)), 'either'],
      ['a folder that leads out', annotation(box()).replace('<folder>x', '<folder>../outside/JPEGImages'), 'read'],
      ['a size that is another', annotation(box(), 1_000_000)],
      ['numbers without bounds', annotation(box('1e308') + box('-1e308')), 'either'],
      ['a name of an object', annotation(box().replace('cat', '__proto__')), 'either'],
    ];
    return [
      ...waysOut('Annotations/a.xml', 'text'),
      ...waysOut('JPEGImages/a.jpg', 'picture'),
      ...waysOut('ImageSets/Main/train.txt', 'text'),
      ...cases.map(([name, xml, expected]): HandMade => ({ name, files: { 'Annotations/a.xml': xml }, ...(expected ? { expected } : {}) })), // prettier-ignore
      { name: 'a list that leads out', files: { 'ImageSets/Main/train.txt': '../../outside/Annotations/a\n' } },
      { name: 'a list of one long line', files: { 'ImageSets/Main/train.txt': 'a'.repeat(3_000_000) } },
    ];
  },
  read: readDetection,
  megabytes: pictureMegabytes,
};

const instances = (change: (coco: Record<string, unknown>) => unknown = (coco) => coco): string =>
  JSON.stringify(
    change({
      images: [
        { id: 1, file_name: 'a.jpg', width: 12, height: 12 },
        { id: 2, file_name: 'b.jpg', width: 12, height: 12 },
      ],
      annotations: [1, 2].map((image) => ({
        id: image,
        image_id: image,
        category_id: 3,
        bbox: [1, 1, 5, 5],
        area: 20,
        iscrowd: 0,
      })),
      categories: [{ id: 3, name: 'cat', supercategory: 'animal' }],
    }),
  );
const cocoFile = 'annotations/instances_all.json';

const coco: FuzzedReader = {
  name: 'COCO annotations',
  samples: async () => [
    {
      name: 'two pictures',
      files: {
        [cocoFile]: instances(),
        'images/a.jpg': await sharp(await picture(10, 'png'))
          .jpeg()
          .toBuffer(),
        'images/b.jpg': await sharp(await picture(20, 'png'))
          .jpeg()
          .toBuffer(),
      },
      changed: [cocoFile],
    },
  ],
  dictionary: ['"__proto__":', '"constructor":', '1e999', 'NaN', '[[[[[[', '{"a":', 'null', 'true', '"../x"', '\\u0000', '"id":1,', '"bbox":[],'], // prettier-ignore
  handMade: async () => {
    const many = (length: number, one: string): string => `[${Array<string>(length).fill(one).join(',')}]`;
    const named = (name: string): string => instances().replace('"a.jpg"', JSON.stringify(name));
    const cases: [string, string | Buffer, HandMade['expected']?][] = [
      ...[
        '../outside/images/a.jpg',
        '/etc/passwd',
        'a.jpg\0',
        '..\\a.jpg',
        'file:///etc/passwd',
        'http://localhost/a.jpg',
      ].map((name): [string, string] => [`a picture is called ${JSON.stringify(name)}`, named(name)]),
      ['arrays a million deep', '['.repeat(1_000_000)],
      ['a list a million deep', instances().replace('"supercategory":"animal"', `"x":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`), 'either'], // prettier-ignore
      ['a box a million deep', instances().replace('[1,1,5,5]', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`)],
      [
        'two million annotations, all wrong',
        instances().replace(/"annotations":.*\]\}?,"categories/, `"annotations":${many(2_000_000, '0')},"categories`),
      ],
      ['two hundred thousand categories', instances().replace(/"categories":.*$/, `"categories":[${Array.from({ length: 200_000 }, (_, i) => `{"id":${i},"name":"c${i}"}`).join()}]}`), 'read'], // prettier-ignore
      ['many pictures of many classes', manyClasses(2000), 'either'],
      ['numbers without bounds', instances().replace('[1,1,5,5]', '[-1e308,-1e308,1e308,1e308]'), 'either'],
      ['an endless number', instances().replace('[1,1,5,5]', '[1,1,1e999,5]')],
      ['no number', instances().replace('[1,1,5,5]', '[1,1,NaN,5]')],
      ['a prototype', instances().replace('{"images"', '{"__proto__":{"images":[]},"images"'), 'either'],
      ['a category of an object', instances().replace('"name":"cat"', '"name":"__proto__"'), 'read'],
      ['null', 'null'],
      ['a word', '"images"'],
      ['a list', '[]'],
      ['pictures twice', instances().replace('"id":2', '"id":1')],
      ['UTF-16', Buffer.from(instances(), 'utf16le')],
      ['spaces alone', ' '.repeat(5_000_000)],
    ];
    return [
      ...waysOut(cocoFile, 'text'),
      ...waysOut('images/a.jpg', 'picture'),
      ...cases.map(([name, json, expected]): HandMade => ({
        name,
        files: { [cocoFile]: json },
        ...(expected ? { expected } : {}),
      })),
    ];
  },
  read: readDetection,
  megabytes: pictureMegabytes,
};

/** A class for each picture, each with a box. */
const manyClasses = (count: number): string => {
  const list = <T>(one: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => one(i));
  return JSON.stringify({
    images: list((id) => ({ id, file_name: 'a.jpg', width: 12, height: 12 })),
    annotations: list((id) => ({ image_id: id, category_id: id, bbox: [1, 1, 5, 5] })),
    categories: list((id) => ({ id, name: `c${id}` })),
  });
};

const depthPng = (value: number, side = 12): Promise<Buffer> =>
  sharp(Buffer.from(Uint16Array.from({ length: side * side }, (_, i) => value + i).buffer), {
    raw: { width: side, height: side, channels: 1, depth: 'ushort' } as { width: number; height: number; channels: 1 },
  })
    .toColourspace('grey16')
    .png()
    .toBuffer();

const camera = { fx: 10, fy: 10, cx: 6, cy: 6, depth_scale: 1000, width: 12, height: 12 };

const readNormals = async (folder: string): Promise<void> => {
  const cameras = path.join(folder, 'table.json');
  const options = { cameras: readCameras(cameras) };
  checkRgbdTarget(folder, options);
  await loadNormals(await openRgbdTarget(folder, options), 16, { stride: 4 });
};

const rgbd: FuzzedReader = {
  name: 'RGB-D frames and cameras',
  samples: async () => {
    const sweep = {
      'color/0.png': await picture(10, 'png'),
      'color/1.png': await picture(20, 'png'),
      'depth/0.png': await depthPng(900),
      'depth/1.png': await depthPng(1200),
      'table.json': '{}',
    };
    const numbers = '10 0 6\n0 10 6\n0 0 1';
    return [
      {
        name: 'camera.json',
        files: { ...sweep, 'camera.json': JSON.stringify(camera) },
        changed: ['camera.json', 'depth/0.png', 'color/0.png'],
      },
      { name: 'lines', files: { ...sweep, 'intrinsics.txt': `0: ${numbers.replaceAll('\n', ' ')}\n1: ${numbers.replaceAll('\n', ' ')}\n` }, changed: ['intrinsics.txt'] }, // prettier-ignore
      { name: 'matrix', files: { ...sweep, 'camera-intrinsics.txt': numbers }, changed: ['camera-intrinsics.txt'] },
      {
        name: 'rooms',
        files: {
          ...Object.fromEntries(
            Object.entries(sweep).flatMap(([name, bytes]) => ['x', 'y'].map((room) => [`${room}/${name}`, bytes])),
          ),
          'cameras.json': JSON.stringify({
            x: camera,
            y: { ...camera, intrinsic_matrix: [10, 0, 0, 0, 10, 0, 6, 6, 1] },
          }),
          'table.json': JSON.stringify({ z: camera }),
        },
        changed: ['cameras.json', 'table.json'],
      },
    ];
  },
  dictionary: [
    '"__proto__":',
    '1e999',
    'NaN',
    '1e-320',
    '0',
    '[[[[',
    'null',
    '"fx":',
    '"intrinsic_matrix":[]',
    ':',
    '\n',
    '../',
  ],
  handMade: async () => {
    const cases: [string, CaseFiles, HandMade['expected']?][] = [
      ['a camera that is null', { 'camera.json': 'null' }],
      ['a camera a million deep', { 'camera.json': '{"fx":'.repeat(1_000_000) }],
      ['a matrix of words', { 'camera.json': JSON.stringify({ intrinsic_matrix: Array(9).fill('x') }) }],
      [
        'a matrix a thousand deep',
        { 'camera.json': `{"intrinsic_matrix":[${'['.repeat(10_000)}${']'.repeat(10_000)}]}` },
      ],
      ['units without bounds', { 'camera.json': JSON.stringify({ ...camera, depth_scale: 1e-320 }) }, 'either'],
      [
        'focal lengths without bounds',
        { 'camera.json': JSON.stringify({ ...camera, fx: 1e308, fy: 1e-308 }) },
        'either',
      ],
      ['a table of nulls', { 'table.json': '{"a":null,"b":1}' }],
      ['a table of lists', { 'table.json': '{"a":[]}' }],
      [
        'lines without a frame',
        { 'intrinsics.txt': `x${'9'.repeat(200_000)}: 10 0 6 0 10 6 0 0 1\n`.repeat(20), 'camera.json': '' },
      ],
      ['depth of 16000 x 16000', { 'depth/0.png': blackPng(16_000, 16_000, 16_000), 'camera.json': JSON.stringify({ ...camera, width: undefined }) }], // prettier-ignore
      ['colours and depth of 16000 x 16000', { 'color/0.png': blackPng(16_000, 16_000, 16_000), 'depth/0.png': blackPng(16_000, 16_000, 16_000), 'camera.json': JSON.stringify({ ...camera, width: undefined }) }], // prettier-ignore
      ['depth that is a drawing', { 'depth/0.png': svg('<rect width="9" height="9"/>', 'width="12" height="12"') }],
      ['colours that are a drawing', { 'color/0.png': svg('<rect width="9" height="9"/>', 'width="12" height="12"') }],
    ];
    return [
      ...(['camera.json', 'depth/0.png', 'color/0.png'] as const).flatMap((file) =>
        waysOut(file, file.endsWith('json') ? 'text' : 'picture'),
      ),
      // Named on the command line: a link is its user's, but a device is none.
      ...waysOut('table.json', 'text').filter(({ name }) => /device|pipe|hole|folder|empty|nothing/.test(name)),
      { name: 'a room is a link out', links: { room: OUTSIDE }, expected: 'either' },
      ...cases.map(([name, files, expected]): HandMade => ({ name, files, ...(expected ? { expected } : {}) })),
    ];
  },
  read: readNormals,
  megabytes: 1200,
};

const sets: FuzzedReader = {
  name: 'sets of pictures without labels',
  samples: async () => [{ name: 'album', files: { 'x/1.png': await picture(1, 'png'), 'y/z/2.png': await picture(9, 'png'), '3.jpg': await picture(4, 'jpeg') } }], // prettier-ignore
  dictionary: pngWords,
  handMade: async () => [
    ...waysOut('x/1.png', 'picture'),
    { name: 'an album is a link out', links: { w: `${OUTSIDE}/x` } },
  ],
  read: async (folder) => {
    checkPictureSet(folder);
    const { files } = await openPictureSet(folder, { testShare: 0.4, seed: 1 });
    for (const file of files) await decodeSquare(await file.read(), 16, file.label);
  },
  megabytes: pictureMegabytes,
};

/** The readers of this room that take what strangers made. */
export const readers: readonly FuzzedReader[] = [pictures, classFolders, zips, voc, coco, rgbd, sets];
