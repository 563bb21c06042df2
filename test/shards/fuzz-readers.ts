import path from 'node:path';
import { decodePair, pairRecordSchema, readPairs, writePairs } from '../../src/shards/pairs.js';
import type { PairRecord } from '../../src/shards/pair-record.js';
import { encodeJpeg } from '../../src/shards/jpeg.js';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { OUTSIDE, type FuzzedReader, type HandMade } from '../fuzzing/fuzzed-reader.js';

const record = (key: string): PairRecord => {
  const box = { x: 1, y: 2, width: 20, height: 20 };
  return {
    ...{ key, video: 'a'.repeat(64), videoLabel: 'v.mp4', workingSize: [64, 48], shot: 0, startFrame: 0, endFrame: 2 },
    ...{ startTime: 0, endTime: 0.1, boxes: [box, box, box], peaks: [0.5, 0.6], minPeak: 0.5, forwardBackwardIou: 0.9 },
    ...{ movingShare: 0.3, movingPointsInside: 5, points: 50, meanMotionPx: 2, accepted: 'yes', untrackedBox: box },
  };
};

const shard = async (): Promise<Buffer> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'shard-'));
  try {
    const jpeg = (grey: number) =>
      encodeJpeg({ width: 16, height: 16, channels: 3, data: new Uint8Array(768).fill(grey) });
    const pairs = await Promise.all(
      ['k-1', 'k-2'].map(async (key, i) => ({
        record: pairRecordSchema.parse(record(key)),
        ...{ a: await jpeg(10 + i), b: await jpeg(20 + i), u: await jpeg(30 + i) },
      })),
    );
    const [written] = await writePairs(pairs, folder);
    return await readFile(written!.path);
  } finally {
    await rm(folder, { recursive: true });
  }
};

type Header = { readonly name: string; readonly type?: string; readonly size?: number | string; readonly link?: string; readonly magic?: string }; // prettier-ignore

/** A header of a tar, with a checksum that is right; `size` may be given as the field's text. */
const header = ({ name, type = '0', size = 0, link = '', magic = 'ustar\x0000' }: Header): Buffer => {
  const block = Buffer.alloc(512);
  block.write(name.slice(0, 100), 0, 'latin1');
  block.write('0000644\x000000000\x000000000\x00', 100, 'latin1');
  block.write(typeof size === 'number' ? size.toString(8).padStart(11, '0') : size, 124, 'latin1');
  block.write('00000000000\x00        ', 136, 'latin1');
  block.write(type, 156, 'latin1');
  block.write(link, 157, 'latin1');
  block.write(magic, 257, 'latin1');
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
};
const padded = (content: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
};
const end = Buffer.alloc(1024);
const entry = (about: Header, content: Uint8Array | string = ''): Buffer =>
  Buffer.concat([header({ size: Buffer.byteLength(content as string), ...about }), padded(content)]);
const pax = (fields: Readonly<Record<string, string>>): Buffer => {
  const lines = Object.entries(fields).map(([name, value]) => {
    const rest = ` ${name}=${value}\n`;
    let length = rest.length + 1;
    while (String(length).length + rest.length !== length) length++;
    return `${length}${rest}`;
  });
  return entry({ name: 'pax', type: 'x' }, lines.join(''));
};

/** Shards of pairs. */
const shards: FuzzedReader = {
  name: 'tar shards of pairs',
  samples: async () => [{ name: 'two pairs', files: { 'pairs-000000.tar': await shard() } }],
  dictionary: ['ustar\x0000', 'ustar  \0', '../', '/', '\0', '11 path=../x\n', '20 size=99999999999\n', 'GNU.sparse', '77777777777', '\x80\0\0\0\xff\xff\xff\xff', '"key":', '1e999'], // prettier-ignore
  handMade: async () => {
    const file = 'pairs-000000.tar';
    const cases: [string, readonly Buffer[], HandMade['expected']?][] = [
      ...['../k.json', '/etc/k.json', 'a/../../k.json', 'a\\..\\k.json', './/..//k.json'].map(
        (name): [string, Buffer[]] => [`an entry called ${name}`, [entry({ name }, 'x')]],
      ),
      ['a name that leads out by pax', [pax({ path: '../../k.json' }), entry({ name: 'k.json' }, 'x')]],
      [
        'a long name that leads out',
        [entry({ name: 'x', type: 'L' }, '../../k.json\0'), entry({ name: 'k.json' }, 'x')],
      ],
      ...(
        [
          ['1', 'hard link'],
          ['2', 'link'],
          ['3', 'device'],
          ['4', 'block device'],
          ['6', 'pipe'],
          ['7', 'contiguous file'],
          ['S', 'sparse file'],
          ['V', 'volume'],
          ['M', 'continuation'],
        ] as const
      ).map(
        // prettier-ignore
        ([type, what]): [string, Buffer[]] => [`a ${what}`, [entry({ name: 'k.json', type, link: '/etc/passwd' })]],
      ),
      ['an entry that claims 8 GB', [header({ name: 'k.json', size: '77777777777' })]],
      ['an entry that claims 60 MB', [header({ name: 'k.json', size: 60_000_000 })]],
      [
        'an entry of a size below nothing',
        [header({ name: 'k.json', size: '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' })],
      ],
      ['a size by pax without bounds', [pax({ size: '9'.repeat(30) }), entry({ name: 'k.json' }, 'x')]],
      ['a size by pax that is none', [pax({ size: 'x' }), entry({ name: 'k.json' }, 'x')]],
      ['a pax header that claims 8 GB', [header({ name: 'k', type: 'x', size: '77777777777' })]],
      ['a pax header that claims 3 MB', [header({ name: 'k', type: 'x', size: 3_000_000 })]],
      ['a prototype by pax', [pax({ __proto__: 'x', constructor: 'y' }), entry({ name: 'k.json' }, 'x')]],
      ['a record of a million files', Array.from({ length: 20_000 }, (_, i) => entry({ name: `k.x${i}` }))],
      ['a record that is no pair', [entry({ name: 'k.json' }, '{}')]],
      ['a record a million deep', [entry({ name: 'k.a.jpg' }, 'x'), entry({ name: 'k.json' }, '['.repeat(1_000_000))]],
      [
        'a record of ten million wrong boxes',
        [
          entry(
            { name: 'k.json' },
            JSON.stringify(record('k')).replace(/"boxes":\[.*?\]/, `"boxes":[${'0,'.repeat(10_000_000)}0]`),
          ),
        ],
      ],
      ['a picture that is a drawing', [...(['a', 'b', 'u'] as const).map((end) => entry({ name: `k.${end}.jpg` }, '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')), entry({ name: 'k.json' }, JSON.stringify(record('k')))]], // prettier-ignore
      ['no entry', [], 'read'],
      ['an old tar', [entry({ name: 'k.json', magic: '' }, '{}')]],
    ];
    return [
      ...cases.map(([name, parts, expected]): HandMade => ({ name, files: { [file]: Buffer.concat([...parts, end]) }, ...(expected ? { expected } : {}) })), // prettier-ignore
      { name: 'a pipe', pipes: [file] },
      { name: 'a folder', without: [file], files: { [`${file}/x`]: 'x' } },
      { name: 'a device', links: { [file]: '/dev/zero' } },
      { name: 'a hole of 3 GB', holes: { [file]: 3_000_000_512 }, slow: true, expected: 'either' },
      { name: 'nothing', files: { [file]: '' } },
      { name: 'a link to nothing', links: { [file]: `${OUTSIDE}/gone` } },
    ];
  },
  read: async (folder) => {
    for await (const pair of readPairs([path.join(folder, 'pairs-000000.tar')])) await decodePair(pair);
  },
};

/** The readers of this room that take what strangers made. */
export const readers: readonly FuzzedReader[] = [shards];
