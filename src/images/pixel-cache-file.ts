import path from 'node:path';
import { z } from 'zod';
import { arrayFile, checkLength, loadArrays, saveArrays } from './array-files.js';
import { loadStoredPictures, openStoredPictures, type PictureMemory } from './stored-pictures.js';
import type { Pictures } from './picture-file.js';
import { writePictures, type WrittenPictures } from './picture-writer.js';
import { pictureSide, type EncodedPicture, type PixelCache } from './pixel-cache.js';

const aboutSchema = z.object({ count: z.int().min(0), size: pictureSide, digest: z.string() });
type About = z.infer<typeof aboutSchema>;

const name = 'pictures';

/** The file of checks that {@link writePixelCache} leaves: it repeats what the pixels say. */
export const pixelChecksFile = `${name}.checks.bin`;

/**
 * Decodes pictures into a folder as `pictures.*`, as they come, so that ten training runs decode none.
 *
 * @throws UsageError as `writePictures`
 */
export const writePixelCache = async (
  dir: string,
  pictures: Iterable<EncodedPicture> | AsyncIterable<EncodedPicture>,
  size: number,
  options: Parameters<typeof writePictures>[3] = {},
): Promise<WrittenPictures> => {
  const targets = { pixels: arrayFile(dir, name, 'pixels'), checks: path.join(dir, pixelChecksFile) };
  const written = await writePictures(targets, pictures, size, options);
  const { count, digest, bytes } = written;
  await saveArrays(dir, name, { count, size, digest } satisfies About, { pixels: { written: bytes } });
  return written;
};

/** Reads what {@link writePixelCache} wrote into memory. */
export const loadPixelCache = async (dir: string): Promise<PixelCache> =>
  loadStoredPictures(dir, name, await aboutOf(dir));

/** Opens what {@link writePixelCache} wrote: in memory where it is to fit there, in its file otherwise. */
export const openPixelCache = async (dir: string, memory: PictureMemory): Promise<Pictures> =>
  openStoredPictures(dir, name, await aboutOf(dir), memory);

const aboutOf = async (dir: string): Promise<About> => {
  const { about, length } = await loadArrays(dir, name, { left: ['pixels'], about: aboutSchema });
  checkLength(length('pixels'), about.count * about.size ** 2 * 3, 'bytes of pictures');
  return about;
};
