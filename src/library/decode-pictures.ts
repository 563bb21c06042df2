import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { decodeSquare } from '../images/decode-square.js';
import { pixelCacheOf, type PixelCache } from '../images/pixel-cache.js';
import type { Raster } from '../numeric/raster.js';
import { UsageError } from '../pipeline/usage-error.js';
import type { Picture } from './picture.js';

/** Pictures in groups of `batch`, as they come. */
export async function* inBatches(
  pictures: Iterable<Picture> | AsyncIterable<Picture>,
  batch: number,
): AsyncGenerator<readonly Picture[]> {
  let group: Picture[] = [];
  for await (const picture of pictures) {
    group.push(picture);
    if (group.length < batch) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/**
 * Decodes pictures, each resized to `size x size` px without keeping its aspect, as targets of a run are.
 *
 * @param first number of the first one, for messages
 * @throws UsageError naming a picture that cannot be read or decoded
 */
export const decodePictures = async (pictures: readonly Picture[], size: number, first: number): Promise<PixelCache> =>
  pixelCacheOf(
    await Promise.all(
      pictures.map(async (picture, i): Promise<Raster> => {
        const data = await decode(picture, size, `picture ${first + i}`);
        return { width: size, height: size, channels: 3, data };
      }),
    ),
  );

const decode = async (picture: Picture, size: number, label: string): Promise<Buffer> => {
  if (typeof picture === 'string') return decodeSquare(await readPicture(picture), size, picture);
  if (picture instanceof Uint8Array) {
    return decodeSquare(Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength), size, label);
  }
  return resize(picture, size, label);
};

const readPicture = async (file: string): Promise<Buffer> => {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(`Could not read ${file}: ${(error as Error).message}`, { cause: error });
  }
};

const resize = async ({ width, height, channels, data }: Raster, size: number, label: string): Promise<Buffer> => {
  if (!(data instanceof Uint8Array) || data.length !== width * height * channels) {
    throw new RangeError(
      `Expected ${label} to have ${width} x ${height} x ${channels} bytes, got ${data?.length ?? 'none'}`,
    );
  }
  return sharp(data, { raw: { width, height, channels } })
    .toColourspace('srgb')
    .resize(size, size, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer();
};
