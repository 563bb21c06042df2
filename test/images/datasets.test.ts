import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { checkClassDataset, openClassDataset, loadClassDataset } from '../../src/images/class-dataset.js';
import { buildPixelCache } from '../../src/images/pixel-cache.js';
import { checkRgbdDataset, loadDepth, loadNormals, openRgbdDataset } from '../../src/images/rgbd-dataset.js';
import { splitSweep } from '../../src/images/sweep-split.js';

const shared = path.resolve('..', 'shared', 'data', 'images');

const png = (red: number, side = 6): Promise<Buffer> =>
  sharp({ create: { width: side, height: side, channels: 3, background: { r: red, g: 10, b: 20 } } })
    .png()
    .toBuffer();

describe('class data sets', () => {
  let folder: string;
  const write = async (name: string, red: number): Promise<void> => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), await png(red));
  };
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'classes-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are read from train and test folders, and decoded with their labels', async () => {
    for (const [i, name] of ['train/b/1.png', 'train/a/1.png', 'train/a/2.png', 'test/b/1.png'].entries())
      await write(name, i * 50);
    const set = await openClassDataset(folder);
    assert.deepEqual(set.classes, ['a', 'b']);
    const loaded = await loadClassDataset(set, 4);
    assert.deepEqual([...loaded.trainLabels], [0, 0, 1]);
    assert.deepEqual([...loaded.testLabels], [1]);
    assert.deepEqual(
      [0, 1, 2].map((i) => loaded.train.pixels[i * 48]),
      [50, 100, 0],
    );
    assert.deepEqual([...loaded.test.pixels.subarray(0, 3)], [150, 10, 20]);
  });

  it('are read from lists beside a folder of classes, which decide the split', async () => {
    for (const name of ['a/1', 'a/2', 'b/1', 'b/2', 'b/3']) await write(`Objects/${name}.png`, name.charCodeAt(2));
    writeFileSync(path.join(folder, 'train.txt'), 'a/2.png\nb/1.png\n');
    writeFileSync(path.join(folder, 'test.txt'), 'b/3.png\r\na/1.png\r\n');
    const set = await openClassDataset(folder);
    assert.deepEqual(
      set.train.map(({ file, label }) => [file.label, label]),
      [
        ['Objects/a/2.png', 0],
        ['Objects/b/1.png', 1],
      ],
    );
    assert.deepEqual(
      set.test.map(({ label }) => label),
      [1, 0],
    );
    writeFileSync(path.join(folder, 'test.txt'), 'b/9.png\n');
    await assert.rejects(openClassDataset(folder), /test\.txt, line 1: no picture `b\/9\.png`/);
  });

  it('are split by the seed where they bring no split, class by class and without overlap', async () => {
    for (const name of ['a', 'b']) for (let i = 0; i < 10; i++) await write(`${name}/${i}.png`, i);
    const set = await openClassDataset(folder, { seed: 2 });
    for (const label of [0, 1]) {
      assert.equal(set.train.filter((item) => item.label === label).length, 6);
      assert.equal(set.test.filter((item) => item.label === label).length, 4);
    }
    const all = [...set.train, ...set.test].map(({ file }) => file.label);
    assert.equal(new Set(all).size, 20);
    assert.equal((await openClassDataset(folder, { seed: 2 })).digest, set.digest);
    assert.notEqual((await openClassDataset(folder, { seed: 3 })).digest, set.digest);
    const few = await openClassDataset(folder, { seed: 2, trainPerClass: 2, testPerClass: 1 });
    assert.deepEqual([few.train.length, few.test.length], [4, 2]);
  });

  it('change their digest with the content of one picture, and not with their place', async () => {
    for (const name of ['train/a/1.png', 'train/b/1.png', 'test/a/1.png']) await write(name, 5);
    const before = (await openClassDataset(folder)).digest;
    await write('test/a/1.png', 6);
    assert.notEqual((await openClassDataset(folder)).digest, before);
    await write('test/a/1.png', 5);
    assert.equal((await openClassDataset(folder)).digest, before);
  });

  it('are read out of a zip archive that stands for the folder', async () => {
    type Zip = { addFile(name: string, data: Buffer): void; writeZip(file: string): void };
    const zip = new (createRequire(import.meta.url)('adm-zip') as new () => Zip)();
    for (const [i, name] of ['train/a/1.png', 'train/b/1.png', 'test/b/1.png'].entries())
      zip.addFile(name, await png(i * 9));
    zip.writeZip(path.join(folder, 'pictures.zip'));
    const set = await openClassDataset(folder);
    assert.deepEqual(
      set.train.map(({ file }) => file.label),
      ['train/a/1.png', 'train/b/1.png'],
    );
    assert.equal((await loadClassDataset(set, 4)).test.pixels[0], 18);
  });

  it('fail by name where the layout is another, a class has no training picture, or a picture is damaged', async () => {
    await write('loose.png', 1);
    await assert.rejects(openClassDataset(folder), /another layout/);
    rmSync(path.join(folder, 'loose.png'));
    for (const name of ['train/a/1.png', 'train/b/1.png', 'test/c/1.png']) await write(name, 5);
    await assert.rejects(openClassDataset(folder), /without training pictures: c/);
    rmSync(path.join(folder, 'test/c'), { recursive: true });
    mkdirSync(path.join(folder, 'test/a'));
    writeFileSync(path.join(folder, 'test/a/bad.png'), 'no picture');
    await assert.rejects(
      async () => loadClassDataset(await openClassDataset(folder), 4),
      /Could not decode test\/a\/bad\.png/,
    );
  });

  it('follow links within the folder and into folders that the user allows, and none back into a folder that holds it', async () => {
    for (const name of ['store/a/1.png', 'store/a/2.png', 'store/b1.png']) await write(name, name.length);
    const set = path.join(folder, 'set');
    mkdirSync(path.join(set, 'b'), { recursive: true });
    symlinkSync(path.join(folder, 'store/a'), path.join(set, 'a'));
    for (const name of ['1.png', '2.png']) symlinkSync(path.join(folder, 'store/b1.png'), path.join(set, 'b', name));
    symlinkSync(set, path.join(set, 'round'));
    const allowedBy = process.env['VIDEO_SSL_LINKS_INTO'];
    delete process.env['VIDEO_SSL_LINKS_INTO'];
    await assert.rejects(openClassDataset(set), { name: 'UsageError', message: /to stay in .*VIDEO_SSL_LINKS_INTO=/ });
    process.env['VIDEO_SSL_LINKS_INTO'] = `/nowhere${path.delimiter}${path.join(folder, 'store')}`;
    after(() => {
      if (allowedBy === undefined) delete process.env['VIDEO_SSL_LINKS_INTO'];
      else process.env['VIDEO_SSL_LINKS_INTO'] = allowedBy;
    });
    const { classes, train, test } = await openClassDataset(set);
    assert.deepEqual(classes, ['a', 'b']);
    assert.deepEqual([...train, ...test].map(({ file }) => file.label).sort(), [
      'a/1.png',
      'a/2.png',
      'b/1.png',
      'b/2.png',
    ]);
    rmSync(path.join(folder, 'store/b1.png'));
    await assert.rejects(openClassDataset(set), { name: 'UsageError', message: /Could not read .*b\/[12]\.png/ });
  });

  it('are refused in one sentence that names what is wrong, before a picture is read', async () => {
    const refused = (words: RegExp): void =>
      assert.throws(() => checkClassDataset(folder), { name: 'UsageError', message: words });
    refused(/classes-.*got 0 picture\(s\)/);
    mkdirSync(path.join(folder, 'empty'));
    refused(/got 0 picture\(s\)/);
    for (const name of ['one/1.png', 'one/2.png']) await write(name, 1);
    refused(/at least 2 classes and a test part, got 1/);
    mkdirSync(path.join(folder, 'two'));
    writeFileSync(path.join(folder, 'two/1.bmp'), 'BM');
    refused(/expected pictures as .* in two, got only others, such as two\/1\.bmp/);
    await write('two/1.png', 1);
    refused(/at least 2 pictures of class `two`/);
    await write('two/2.png', 1);
    checkClassDataset(folder);
    const zipped = path.join(folder, 'zipped');
    mkdirSync(zipped);
    writeFileSync(path.join(zipped, 'set.zip'), 'no archive');
    assert.throws(() => checkClassDataset(zipped), { name: 'UsageError', message: /zip archive .*set\.zip/ });
  });

  it('say how many pictures fit before they decode more than 4 GiB of them', async () => {
    const unread = { label: 'x', read: () => assert.fail('it was read') };
    await assert.rejects(buildPixelCache(new Array<typeof unread>(30_000).fill(unread), 256), {
      name: 'UsageError',
      message: /at most 21845 pictures at 256 x 256 px .*got 30000: lower the size/,
    });
  });

  it('read Caltech-101 and CIFAR-10 as they lie in the shared data', async function () {
    if (!existsSync(shared)) {
      console.log('      (skipped: no shared data beside the project)');
      return this.skip();
    }
    const caltech = await openClassDataset(path.join(shared, 'classification/caltech101'));
    assert.deepEqual([caltech.classes.length, caltech.train.length, caltech.test.length], [26, 650, 390]);
    const cifar = await openClassDataset(path.join(shared, 'classification/cifar10'), {
      trainPerClass: 3,
      testPerClass: 2,
    });
    assert.deepEqual([cifar.classes.length, cifar.train.length, cifar.test.length], [10, 30, 20]);
    const loaded = await loadClassDataset(cifar, 16);
    assert.ok(loaded.train.pixels.some((value) => value > 0));
  });
});

describe('RGB-D data sets', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'rgbd-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const depthPng = (width: number, height: number, value: (x: number, y: number) => number): Promise<Buffer> =>
    sharp(
      Uint16Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width))),
      {
        raw: { width, height, channels: 1 },
      },
    )
      .toColourspace('grey16')
      .png()
      .toBuffer();

  it('read registered depth, an exact normal where there is one, and a fit elsewhere', async () => {
    for (const name of ['color', 'depth', 'normal']) mkdirSync(path.join(folder, name));
    const camera = { intrinsic_matrix: [60, 0, 0, 0, 60, 0, 32, 24, 1] };
    writeFileSync(path.join(folder, 'camera.json'), JSON.stringify(camera));
    for (const name of ['2', '10']) {
      writeFileSync(
        path.join(folder, `color/${name}.png`),
        await sharp(await png(9))
          .resize(64, 48, { fit: 'fill' })
          .png()
          .toBuffer(),
      );
      writeFileSync(path.join(folder, `depth/${name}.png`), await depthPng(64, 48, (x) => (x < 3 ? 0 : 2000)));
    }
    const normal = [0.6, 0, -0.8].map((v) => Math.round(((v + 1) / 2) * 255)) as [number, number, number];
    const background = { r: normal[0], g: normal[1], b: normal[2] };
    writeFileSync(
      path.join(folder, 'normal/10.png'),
      await sharp({ create: { width: 64, height: 48, channels: 3, background } })
        .png()
        .toBuffer(),
    );
    const set = await openRgbdDataset(folder);
    assert.deepEqual(
      set.frames.map(({ name }) => name),
      ['2', '10'],
      'by number, not by letter',
    );
    const depth = await loadDepth(set, set.frames[0]!);
    assert.equal(depth.data[0], 0);
    assert.equal(depth.data[40], 2);
    const loaded = await loadNormals(set, 8, { stride: 8, radius: 4 });
    assert.deepEqual([loaded.width, loaded.height, loaded.colour.count], [8, 6, 2]);
    const at = (frame: number, cell: number): number[] => [
      ...loaded.normals.subarray((frame * 48 + cell) * 3, (frame * 48 + cell) * 3 + 3),
    ];
    at(0, 20).forEach((v, c) => assert.ok(Math.abs(v - [0, 0, -1][c]!) < 1e-6));
    at(1, 20).forEach((v, c) => assert.ok(Math.abs(v - [0.6, 0, -0.8][c]!) < 0.005));
  });

  it('say what is missing', async () => {
    await assert.rejects(openRgbdDataset(folder), /got 0 frames/);
    writeFileSync(path.join(folder, 'frame-000000.color.jpg'), await png(1));
    await assert.rejects(openRgbdDataset(folder), /expected frame-000000\.depth\.png beside it/);
  });

  it('say which camera, depth or normal file is broken', async () => {
    const refused = (words: RegExp): void =>
      assert.throws(() => checkRgbdDataset(folder), { name: 'UsageError', message: words });
    for (const name of ['color', 'depth', 'normal']) mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, 'color/1.png'), await png(9, 48));
    refused(/color\/1\.png: expected depth\/1\.png or normal\/1\.png/);
    writeFileSync(path.join(folder, 'depth/1.png'), 'no picture');
    refused(/found no camera\.json .* Write .*camera\.json, such as/);
    for (const text of ['{', '7', '{"intrinsic_matrix": [1]}']) {
      writeFileSync(path.join(folder, 'camera.json'), text);
      refused(/camera\.json: expected/);
    }
    writeFileSync(path.join(folder, 'camera.json'), '{"intrinsic_matrix": [60,0,0,0,60,0,32,24,1]}');
    assert.equal(checkRgbdDataset(folder), 1);
    const load = async () => loadNormals(await openRgbdDataset(folder), 8);
    await assert.rejects(load(), { name: 'UsageError', message: /Could not decode depth\/1\.png of rgbd-/ });
    writeFileSync(path.join(folder, 'normal/1.png'), 'no picture');
    await assert.rejects(load(), { name: 'UsageError', message: /Could not decode normal\/1\.png of rgbd-/ });
  });

  it('give plausible normals of a real kitchen: most pixels known, all of them towards the camera', async function () {
    if (!existsSync(shared)) {
      console.log('      (skipped: no shared data beside the project)');
      return this.skip();
    }
    const set = await openRgbdDataset(path.join(shared, 'normals/7scenes-redkitchen'));
    assert.equal(set.frames.length, 72);
    const loaded = await loadNormals({ ...set, frames: set.frames.slice(0, 2) }, 32, { stride: 8 });
    const known = loaded.valid.reduce((sum: number, v) => sum + v, 0) / loaded.valid.length;
    assert.ok(known > 0.4, `${known}`);
    for (let i = 0; i < loaded.valid.length; i++) {
      if (!loaded.valid[i]) continue;
      const [x, y, z] = loaded.normals.subarray(i * 3, i * 3 + 3) as unknown as [number, number, number];
      assert.ok(Math.abs(Math.hypot(x, y, z) - 1) < 1e-5);
      const column = i % loaded.width;
      const row = Math.floor(i / loaded.width) % loaded.height;
      assert.ok(x * ((column * 8 + 4 - 320) / 525) + y * ((row * 8 + 4 - 240) / 525) + z < 0);
    }
  });
});

describe('splitSweep', () => {
  it('takes a first block and a last block, with the gap between them', () => {
    const { train, test } = splitSweep(72, { gap: 0 });
    assert.deepEqual([train.length, test.length, train[49], test[0]], [50, 22, 49, 50]);
    const gapped = splitSweep(72);
    assert.deepEqual([gapped.train.at(-1), gapped.test[0]], [47, 50]);
  });

  it('fails where nothing is left to train on', () => assert.throws(() => splitSweep(3), /got 3/));
});
