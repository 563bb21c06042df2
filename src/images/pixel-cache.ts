import { createHash } from 'node:crypto';
import PQueue from 'p-queue';
import sharp from 'sharp';
import type { Raster } from '../numeric/raster.js';
import { UsageError } from '../pipeline/usage-error.js';
import { sharedBytes } from './array-files.js';

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
export type EncodedPicture = { readonly label: string; read(): Buffer | Promise<Buffer> };

/**
 * The side at which pictures are kept for crops of `inputSize` px: four thirds of it, up to a multiple of 16 (128 for 96). The
 * decoder shrinks to it with a proper filter; what is left to bilinear sampling is between 4/3 down and 3/2 up for crops of 25 %
 * or more of the area, where it neither aliases nor blurs much.
 */
export const cacheSizeFor = (inputSize: number): number => Math.ceil((inputSize * 4) / 3 / 16) * 16;

/** As long as an array of bytes can be. */
const maxBytes = 2 ** 32;

const checkSize = (size: number): void => {
  if (!Number.isInteger(size) || size < 1 || size > 4096) {
    throw new RangeError(`Expected \`size\` to be an integer from 1 to 4096, got \`${size}\` (${typeof size})`);
  }
};

const decodeSquare = async (encoded: Buffer, size: number, label: string): Promise<Buffer> => {
  try {
    return await sharp(encoded, { failOn: 'error' })
      .rotate() // as a camera's orientation flag says
      .flatten({ background: '#000' })
      .toColourspace('srgb')
      .resize(size, size, { fit: 'fill', kernel: 'cubic' })
      .raw()
      .toBuffer();
  } catch (error) {
    throw new UsageError(`Could not decode ${label}: ${(error as Error).message}`, { cause: error });
  }
};

/**
 * Decodes pictures into a cache, each resized to `size x size` px without keeping its aspect. `concurrency` pictures at a time
 * are in flight. With `onBroken`, pictures that cannot be decoded are told there and left out; without, the first ends it.
 *
 * @throws UsageError for an unreadable picture, by its label, and, before any is read, for more pictures than fit into 4 GiB of
 * pixels; `remedy` then says what the person can do about it
 */
export const buildPixelCache = async (
  pictures: readonly EncodedPicture[],
  size: number,
  {
    concurrency = 4,
    remedy = 'lower the size, or give fewer pictures',
    onBroken,
  }: {
    readonly concurrency?: number;
    readonly remedy?: string;
    readonly onBroken?: (label: string, reason: string) => void;
  } = {},
): Promise<PixelCache> => {
  checkSize(size);
  const bytes = size * size * 3;
  const most = Math.floor(maxBytes / bytes);
  if (pictures.length > most) {
    throw new UsageError(
      `Expected at most ${most} pictures at ${size} x ${size} px (4 GiB decoded), got ${pictures.length}: ${remedy}`,
    );
  }
  const pixels = sharedBytes(pictures.length * bytes);
  const hashes: (string | undefined)[] = new Array<string | undefined>(pictures.length);
  const queue = new PQueue({ concurrency });
  await queue.addAll(
    pictures.map((picture, i) => async () => {
      let decoded: Buffer;
      let encoded: Buffer;
      try {
        encoded = await picture.read();
        decoded = await decodeSquare(encoded, size, picture.label);
      } catch (error) {
        if (!onBroken || !(error instanceof UsageError)) throw error;
        onBroken(picture.label, error.message);
        return;
      }
      hashes[i] = createHash('sha256').update(encoded).digest('hex');
      if (decoded.length !== bytes) {
        throw new Error(`Expected ${picture.label} to decode to ${size} x ${size} RGB, got ${decoded.length} bytes`);
      }
      pixels.set(decoded, i * bytes);
    }),
  );
  const kept = pictures.flatMap((_, i) => (hashes[i] === undefined ? [] : [i]));
  // Moved together in place: what stays only ever moves down.
  kept.forEach((from, to) => void (from > to && pixels.copyWithin(to * bytes, from * bytes, (from + 1) * bytes)));
  const digest = digestOf(
    size,
    kept.map((i) => hashes[i]!),
  );
  return { count: kept.length, size, pixels: pixels.subarray(0, kept.length * bytes), digest };
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
  const hash = createHash('sha256').update(`select ${cache.digest}\n`);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    pixels.set(pictureBytes(cache, index), i * bytes);
    hash.update(`${index}\n`);
  }
  return { count: indices.length, size: cache.size, pixels, digest: hash.digest('hex') };
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

const digestOf = (size: number, hashes: readonly string[]): string =>
  createHash('sha256')
    .update(`pixels ${size}\n${hashes.join('\n')}`)
    .digest('hex');
