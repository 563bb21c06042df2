import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { openClassDataset } from '../../src/images/class-dataset.js';
import { hasClasses, openPictureSet, whyNoClasses } from '../../src/images/picture-set.js';
import { buildPixelCache, pictureOf } from '../../src/images/pixel-cache.js';
import { loadPixelCache, writePixelCache } from '../../src/images/pixel-cache-file.js';

describe('pictures to learn from', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'picture-set-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, content: Uint8Array | string = name): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  };
  const options = { testShare: 0.5, seed: 1 };

  it('are all pictures below a folder that has no classes', async () => {
    for (const name of ['1.jpg', 'deep/er/2.png', 'deep/3.webp', 'notes.txt', '.hidden.png']) write(name);
    const { files, hasClasses: found } = await openPictureSet(folder, options);
    assert.equal(found, false);
    assert.deepEqual(
      files.map(({ label }) => label),
      ['1.jpg', 'deep/3.webp', 'deep/er/2.png'],
    );
    assert.equal((await openPictureSet(folder, { ...options, maxImages: 2 })).files.length, 2);
  });

  it('are the training part alone where there are classes: never what is tested on', async () => {
    for (const name of ['a', 'b']) for (let i = 0; i < 10; i++) write(`${name}/${i}.png`);
    assert.equal(hasClasses(folder), true);
    const { files } = await openPictureSet(folder, options);
    const { train, test } = await openClassDataset(folder, { testShare: 0.5 });
    assert.deepEqual(
      files.map(({ label }) => label),
      train.map(({ file }) => file.label),
    );
    const tested = new Set(test.map(({ file }) => file.label));
    assert.ok(tested.size > 0 && files.every(({ label }) => !tested.has(label)));
  });

  it('are drawn of all classes alike, a small class giving its place to the others', async () => {
    for (const [name, count] of [
      ['a', 20],
      ['b', 20],
      ['c', 2],
    ] as const) {
      for (let i = 0; i < count; i++) write(`train/${name}/${i}.png`);
      write(`test/${name}/x.png`);
    }
    const { files } = await openPictureSet(folder, { ...options, maxImages: 12 });
    const of = (name: string) => files.filter(({ label }) => label.startsWith(`train/${name}/`)).length;
    assert.deepEqual([of('a'), of('b'), of('c')], [5, 5, 2]);
    const again = await openPictureSet(folder, { ...options, maxImages: 12, seed: 2 });
    assert.notDeepEqual(
      again.files.map(({ label }) => label),
      files.map(({ label }) => label),
    );
  });

  it('are not taken out of a split with something wrong: what is tested on must stay apart', () => {
    for (const name of ['train/a/1.png', 'train/b/1.png', 'test/a/2.png', 'test/c/1.png']) write(name);
    assert.throws(() => hasClasses(folder), { name: 'UsageError', message: /without training pictures: c/ });
  });

  it('are not taken as unlabelled where parts are named in other letters; why a folder has no classes can be told', () => {
    for (const name of ['Train/a/1.png', 'Train/b/1.png', 'Test/a/2.png', 'Test/b/1.png']) write(name);
    assert.throws(() => hasClasses(folder), { name: 'UsageError', message: /named train and test, got `T(rain|est)`/ });
    rmSync(folder, { recursive: true });
    for (const name of ['a/1.png', 'a/2.png', 'b/1.png']) write(name);
    assert.match(whyNoClasses(folder)!, /expected at least 2 pictures of class `b`/);
  });

  it('are refused where there are none', async () => {
    write('notes.txt');
    await assert.rejects(openPictureSet(folder, options), { name: 'UsageError', message: /to learn from \(.*, got 0/ });
  });

  it('are left out one by one where they cannot be decoded, the others keeping their order', async () => {
    const paint = (value: number) =>
      sharp({ create: { width: 8, height: 8, channels: 3, background: { r: value, g: value, b: value } } })
        .png()
        .toBuffer();
    const encoded = [await paint(10), Buffer.from('no picture'), await paint(30), await paint(50)];
    const pictures = encoded.map((bytes, i) => ({ label: `${i}.png`, read: () => bytes }));
    const broken: string[] = [];
    const written = await writePixelCache(folder, pictures, 16, { onBroken: (label) => broken.push(label) });
    assert.deepEqual(broken, ['1.png']);
    const cache = await loadPixelCache(folder);
    assert.deepEqual([written.count, written.size, written.digest], [3, 16, cache.digest]);
    assert.equal(cache.pixels.length, 3 * 16 * 16 * 3);
    assert.deepEqual(
      [0, 1, 2].map((i) => pictureOf(cache, i).data[0]),
      [10, 30, 50],
    );
    const refusal = { name: 'UsageError', message: /decode 1\.png/ };
    await assert.rejects(writePixelCache(folder, pictures, 16), refusal);
    await assert.rejects(buildPixelCache(pictures, 16), refusal);
    const whole = await buildPixelCache(
      pictures.filter((_, i) => i !== 1),
      16,
    );
    assert.equal(cache.digest, whole.digest);
    assert.deepEqual([...cache.pixels], [...whole.pixels]);
  });
});
