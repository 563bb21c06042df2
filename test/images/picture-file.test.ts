import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { loadPixelCache, openPixelCache, writePixelCache } from '../../src/images/pixel-cache-file.js';
import {
  areInFile,
  closePictureFile,
  openPictureFile,
  readPictures,
  readScattered,
  type OpenPictureFile,
  type PictureFile,
} from '../../src/images/picture-file.js';
import { pickPictures } from '../../src/images/pick-pictures.js';
import { selectPictures } from '../../src/images/pixel-cache.js';
import { RandomStream } from '../../src/numeric/random.js';
import { inFolder } from './in-folder.js';

const size = 5;
const bytes = size * size * 3;
const count = 300;

/** Decodes pictures of noise into a folder. */
const writeNoise = async (folder: string): Promise<void> => {
  const random = RandomStream.of(1, 'pictures');
  const encoded = await Promise.all(
    Array.from({ length: count }, () =>
      sharp(
        Uint8Array.from({ length: bytes }, () => random.integer(256)),
        { raw: { width: size, height: size, channels: 3 } },
      )
        .png()
        .toBuffer(),
    ),
  );
  await writePixelCache(
    folder,
    encoded.map((picture, i) => ({ label: `${i}.png`, read: () => picture })),
    size,
  );
};

const inFile = async (folder: string): Promise<PictureFile> => {
  const pictures = await openPixelCache(folder, { memoryBytes: 100, shuffle: 'uniform' });
  assert.ok(areInFile(pictures));
  return pictures;
};

const whileOpen = (pictures: PictureFile, body: (file: OpenPictureFile) => void): void => {
  const file = openPictureFile(pictures);
  try {
    body(file);
  } finally {
    closePictureFile(file);
  }
};

describe('Pictures that stay in their file', () => {
  let written: string;
  before(async () => {
    written = await mkdtemp(path.join(tmpdir(), 'pictures-'));
    await writeNoise(written);
  });
  after(() => rm(written, { recursive: true, force: true }));
  const noise = (folder: string): Promise<void> => cp(written, folder, { recursive: true });

  it('are read as they are in memory: one by one, many at a time, and from anywhere', () =>
    inFolder(async (folder) => {
      await noise(folder);
      const cache = await loadPixelCache(folder);
      const of = (number: number) => cache.pixels.subarray(number * bytes, (number + 1) * bytes);
      const pictures = await inFile(folder);
      assert.deepEqual([pictures.digest, pictures.count, pictures.size], [cache.digest, count, size]);
      whileOpen(pictures, (file) => {
        // More than the system takes in one call, with one left out.
        const into = Array.from({ length: 290 }, (_, i) => (i === 7 ? null : new Uint8Array(bytes)));
        readPictures(file, 4, into);
        into.forEach((own, i) => own && assert.deepEqual(own, new Uint8Array(of(4 + i))));
        const numbers = Int32Array.of(299, 3, 5, 4, 200, 3, 202, 0);
        const got = Array.from(numbers, () => new Uint8Array(bytes));
        readScattered(file, numbers, (i) => got[i]!);
        got.forEach((own, i) => assert.deepEqual(own, new Uint8Array(of(numbers[i]!))));
      });
    }));

  it('are picked as from memory, digest included', () =>
    inFolder(async (folder) => {
      await noise(folder);
      const numbers = [7, 2, 2, 250];
      const picked = pickPictures(await inFile(folder), numbers);
      const selected = selectPictures(await loadPixelCache(folder), numbers);
      assert.deepEqual([...picked.pixels], [...selected.pixels]);
      assert.deepEqual([picked.digest, picked.count], [selected.digest, 4]);
    }));

  it('are in memory as soon as they fit', () =>
    inFolder(async (folder) => {
      await noise(folder);
      const open = (memoryBytes: number) => openPixelCache(folder, { memoryBytes, shuffle: 'buffer' });
      assert.ok(!areInFile(await open(count * bytes)));
      const pictures = await open(count * bytes - 1);
      assert.ok(areInFile(pictures));
      assert.equal(pictures.bufferBytes, count * bytes - 1);
      await assert.rejects(open(2 ** 33), /`memoryBytes` to be above 0 and at most 4294967296/);
    }));

  it('are refused by name where the file is short, gone, or cut while it is read', () =>
    inFolder(async (folder) => {
      await noise(folder);
      const pictures = await inFile(folder);
      whileOpen(pictures, (file) => {
        truncateSync(pictures.path, 10 * bytes + 1);
        readPictures(file, 9, [new Uint8Array(bytes)]);
        assert.throws(() => readPictures(file, 10, [new Uint8Array(bytes)]), {
          name: 'UsageError',
          message: /Expected .*pictures\.pixels\.bin to go on, got its end at byte 751: .*--verify/,
        });
      });
      assert.throws(() => openPictureFile(pictures), /to hold 22500 bytes \(300 pictures of 5 x 5 px\), got 751: /);
      assert.throws(() => openPictureFile({ ...pictures, path: `${pictures.path}x` }), /got no file/);
      await assert.rejects(openPixelCache(folder, { memoryBytes: 100, shuffle: 'buffer' }), /22500 bytes, got 751/);
    }));

  it('are refused by number where their content changed, in memory too; without checks nothing is known of it', () =>
    inFolder(async (folder) => {
      await noise(folder);
      const pictures = await inFile(folder);
      const changed = readFileSync(pictures.path);
      changed[20 * bytes + 3]! ^= 1;
      writeFileSync(pictures.path, changed);
      const refusal = { name: 'UsageError', message: /Expected picture 20 of .* as it was packed, got other bytes/ };
      whileOpen(pictures, (file) => {
        readPictures(file, 19, [new Uint8Array(bytes)]);
        assert.throws(() => readPictures(file, 19, [new Uint8Array(bytes), new Uint8Array(bytes)]), refusal);
      });
      await assert.rejects(loadPixelCache(folder), refusal);
      writeFileSync(path.join(folder, 'pictures.checks.bin'), new Uint8Array(0));
      await assert.rejects(loadPixelCache(folder), /Expected .*checks\.bin to hold 300 checks, got 0/);
    }));
});
