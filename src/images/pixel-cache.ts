import { createHash, type Hash } from 'node:crypto';
import PQueue from 'p-queue';
import { z } from 'zod';
import type { Raster } from '../numeric/raster.js';
import { UsageError } from '../pipeline/usage-error.js';
import { sharedBytes } from './array-files.js';
import { decodeSquare } from './decode-square.js';

/** Decoded square RGB pictures in one buffer: what training and evaluation read again and again. */
export type PixelCache = {
  readonly count: number;
  /** Side of every picture, px. */
  readonly size: number;
  /** `[count, size, size, 3]`; in memory that threads can share, where this room made it. */
  readonly pixels: Uint8Array;
  /** sha256 over the encoded content of every picture, in order, and the size: the key of whatever is made from it. */
  readonly digest: string;
};

/** One encoded picture: a path, or the bytes of a JPEG or PNG. `label` is for messages. */
export type EncodedPicture = {
  readonly label: string;
  /** `maxBytes`: refuse a file that is larger, where that is not for the caller to know. */
  read(maxBytes?: number): Buffer | Promise<Buffer>;
};

/**
 * The side at which pictures are kept for crops of `inputSize` px: four thirds of it, up to a multiple of 16 (128 for 96). The
 * decoder shrinks to it with a proper filter; what is left to bilinear sampling is between 4/3 down and 3/2 up for crops of 25 %
 * or more of the area, where it neither aliases nor blurs much.
 */
export const cacheSizeFor = (inputSize: number): number => Math.ceil((inputSize * 4) / 3 / 16) * 16;

/** As long as an array of bytes can be. */
export const maxBytes = 2 ** 32;

/** Longest side of a picture in a cache, px. */
const maxSidePx = 4096;

/** The side of the pictures of a cache, as it is read back. */
export const pictureSide = z.int().min(1).max(maxSidePx);

/** @throws RangeError for a side that no cache has */
export const checkSize = (size: number): void => {
  if (!Number.isInteger(size) || size < 1 || size > maxSidePx) {
    throw new RangeError(`Expected \`size\` to be an integer from 1 to 4096, got \`${size}\` (${typeof size})`);
  }
};

/**
 * Decodes pictures into a cache, each resized to `size x size` px without keeping its aspect. `concurrency` pictures at a time
 * are in flight.
 *
 * @throws UsageError for an unreadable picture, by its label, and, before any is read, for more pictures than fit into 4 GiB of
 * pixels
 */
export const buildPixelCache = async (
  pictures: readonly EncodedPicture[],
  size: number,
  { concurrency = 4 }: { readonly concurrency?: number } = {},
): Promise<PixelCache> => {
  checkSize(size);
  const bytes = size * size * 3;
  const most = Math.floor(maxBytes / bytes);
  if (pictures.length > most) {
    throw new UsageError(
      `Expected at most ${most} pictures at ${size} x ${size} px (4 GiB decoded), got ${pictures.length}: lower the size, or give fewer pictures`,
    );
  }
  const pixels = sharedBytes(pictures.length * bytes);
  const hashes = new Array<string>(pictures.length);
  const queue = new PQueue({ concurrency });
  await queue.addAll(
    pictures.map((picture, i) => async () => {
      const encoded = await picture.read();
      pixels.set(await decodeSquare(encoded, size, picture.label), i * bytes);
      hashes[i] = createHash('sha256').update(encoded).digest('hex');
    }),
  );
  return { count: pictures.length, size, pixels, digest: digestOf(size, hashes) };
};

/** A cache of pictures that are already in memory and of the right size (synthetic scenes, tests). */
export const pixelCacheOf = (rasters: readonly Raster[]): PixelCache => {
  const size = rasters[0]?.width ?? 1;
  checkSize(size);
  const bytes = size * size * 3;
  const pixels = sharedBytes(rasters.length * bytes);
  const hashes = rasters.map((raster, i) => {
    if (raster.width !== size || raster.height !== size || raster.channels !== 3) {
      throw new RangeError(
        `Expected picture ${i} to be ${size} x ${size} RGB, got ${raster.width} x ${raster.height} with ${raster.channels} channel(s)`,
      );
    }
    pixels.set(raster.data, i * bytes);
    return createHash('sha256').update(raster.data).digest('hex');
  });
  return { count: rasters.length, size, pixels, digest: digestOf(size, hashes) };
};

/** The pictures with the given numbers, in that order, as a cache of their own. */
export const selectPictures = (cache: PixelCache, indices: ArrayLike<number>): PixelCache => {
  const bytes = cache.size * cache.size * 3;
  const pixels = sharedBytes(indices.length * bytes);
  for (let i = 0; i < indices.length; i++) pixels.set(pictureBytes(cache, indices[i]!), i * bytes);
  return { count: indices.length, size: cache.size, pixels, digest: digestOfSome(cache, indices) };
};

/** The digest of some pictures of a cache, in their order. */
export const digestOfSome = ({ digest }: Pick<PixelCache, 'digest'>, indices: ArrayLike<number>): string => {
  const hash = createHash('sha256').update(`select ${digest}\n`);
  for (let i = 0; i < indices.length; i++) hash.update(`${indices[i]!}\n`);
  return hash.digest('hex');
};

/** One picture of a cache, as a view on its bytes (not a copy): for contact sheets and neighbours. */
export const pictureOf = (cache: PixelCache, index: number): Raster => ({
  width: cache.size,
  height: cache.size,
  channels: 3,
  data: pictureBytes(cache, index),
});

const pictureBytes = (cache: PixelCache, index: number): Uint8Array => {
  if (!Number.isInteger(index) || index < 0 || index >= cache.count) {
    throw new RangeError(`Expected a picture number from 0 to ${cache.count - 1}, got \`${index}\``);
  }
  const bytes = cache.size * cache.size * 3;
  return cache.pixels.subarray(index * bytes, (index + 1) * bytes);
};

/** The digest of a cache, from the sha256 (hex) of its encoded pictures as they come. */
export class PixelsDigest {
  readonly #hash: Hash;
  #separator = '';

  constructor(size: number) {
    this.#hash = createHash('sha256').update(`pixels ${size}\n`);
  }

  add(hash: string): void {
    this.#hash.update(`${this.#separator}${hash}`);
    this.#separator = '\n';
  }

  /** To be asked for once, at the end. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}

const digestOf = (size: number, hashes: readonly string[]): string => {
  const digest = new PixelsDigest(size);
  for (const hash of hashes) digest.add(hash);
  return digest.digest();
};
