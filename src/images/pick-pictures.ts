import { UsageError } from '../pipeline/usage-error.js';
import { sharedBytes } from './array-files.js';
import { areInFile, closePictureFile, openPictureFile, readScattered, type Pictures } from './picture-file.js';
import { digestOfSome, maxBytes, selectPictures, type PixelCache } from './pixel-cache.js';

/**
 * Some pictures of a set, in memory, in the order given: `selectPictures`, for those of a file too.
 *
 * @throws UsageError as `readPictures`, and for more than 4 GiB of them
 */
export const pickPictures = (pictures: Pictures, numbers: ArrayLike<number>): PixelCache => {
  if (!areInFile(pictures)) return selectPictures(pictures, numbers);
  const { size } = pictures;
  const bytes = size * size * 3;
  if (numbers.length * bytes > maxBytes) {
    throw new UsageError(
      `Expected at most ${Math.floor(maxBytes / bytes)} pictures at ${size} x ${size} px in memory (4 GiB), got ${numbers.length}: take fewer, or all of them`,
    );
  }
  const pixels = sharedBytes(numbers.length * bytes);
  const file = openPictureFile(pictures);
  try {
    readScattered(file, Int32Array.from(numbers), (i) => pixels.subarray(i * bytes, (i + 1) * bytes));
  } finally {
    closePictureFile(file);
  }
  return { count: numbers.length, size, pixels, digest: digestOfSome(pictures, numbers) };
};
