import { existsSync } from 'node:fs';
import path from 'node:path';
import { readForeignFile, stayInside } from '../pipeline/foreign-file.js';
import { arrayFile, readWhole, sharedBytes } from './array-files.js';
import { checkPicture, type PictureFile, type Pictures } from './picture-file.js';
import { maxBytes, type PixelCache } from './pixel-cache.js';

/** How much memory pictures may take, and what becomes of a set that takes more. */
export type PictureMemory = {
  /** A set of at most so many bytes is held whole; of a larger one, a source holds so many. At most 4 GiB. */
  readonly memoryBytes: number;
  /**
   * Order of a set that is not held whole: `buffer` reads it in sequence through a shuffle buffer, `uniform` reads each sample from
   * where it lies, in the order of a set in memory.
   */
  readonly shuffle: 'buffer' | 'uniform';
};

type About = Pick<PixelCache, 'count' | 'size' | 'digest'>;

/** Whether a set of so many bytes is read from its file, in an order of its own. */
export const isBuffered = (bytes: number, { memoryBytes, shuffle }: PictureMemory): boolean =>
  bytes > memoryBytes && shuffle === 'buffer';

/**
 * Pictures of a folder, stored as `<name>.pixels.bin` beside `<name>.checks.bin`: in memory where they fit, in their file otherwise.
 *
 * @throws RangeError for more memory than an array may have
 * @throws UsageError where they are not what was packed
 */
export const openStoredPictures = async (
  dir: string,
  name: string,
  about: About,
  { memoryBytes, shuffle }: PictureMemory,
): Promise<Pictures> => {
  if (!(memoryBytes > 0 && memoryBytes <= maxBytes)) {
    throw new RangeError(
      `Expected \`memoryBytes\` to be above 0 and at most ${maxBytes} (4 GiB), got \`${memoryBytes}\``,
    );
  }
  if (about.count * about.size ** 2 * 3 <= memoryBytes) return loadStoredPictures(dir, name, about);
  const checks = await readChecks(dir, name, about.count);
  return {
    ...about,
    path: arrayFile(dir, name, 'pixels'),
    ...(checks ? { checks } : {}),
    ...(shuffle === 'buffer' ? { bufferBytes: memoryBytes } : {}),
  } satisfies PictureFile;
};

/**
 * The same, in memory.
 *
 * @throws UsageError where they are not what was packed
 */
export const loadStoredPictures = async (dir: string, name: string, about: About): Promise<PixelCache> => {
  const file = arrayFile(dir, name, 'pixels');
  const pixels = await readWhole(file, true);
  const checks = await readChecks(dir, name, about.count);
  const bytes = about.size ** 2 * 3;
  if (checks) {
    for (let i = 0; i < about.count; i++) {
      checkPicture({ path: file, checks }, i, pixels.subarray(i * bytes, (i + 1) * bytes));
    }
  }
  return { ...about, pixels };
};

/** The checks of the pictures, in memory that threads can share; nothing for a folder of before there were any. */
const readChecks = async (dir: string, name: string, count: number): Promise<Int32Array | undefined> => {
  const file = path.join(dir, `${name}.checks.bin`);
  if (!existsSync(file)) return undefined;
  const stored = readForeignFile(stayInside(dir)(file));
  const checks = stored.length / Int32Array.BYTES_PER_ELEMENT;
  if (checks !== count) throw new Error(`Expected ${file} to hold ${count} checks, got ${checks}`);
  const bytes = sharedBytes(stored.length);
  bytes.set(stored);
  return new Int32Array(bytes.buffer);
};
