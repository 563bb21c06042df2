import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { decodeSquare } from '../images/decode-square.js';
import { maxPictureSide } from '../images/open-picture.js';
import { pixelCacheOf, type PixelCache } from '../images/pixel-cache.js';
import type { Raster } from '../numeric/raster.js';
import { UsageError } from '../pipeline/usage-error.js';
import { checkInteger, shown } from './check-arguments.js';
import type { Picture, Pixels } from './picture.js';

/**
 * Pictures in groups of `batch`, as they come.
 *
 * @throws RangeError for what is no list of pictures: a text and bytes would be taken letter by letter
 */
export async function* inBatches(
  pictures: Iterable<Picture> | AsyncIterable<Picture>,
  batch: number,
): AsyncGenerator<readonly Picture[]> {
  checkList(pictures);
  let group: Picture[] = [];
  for await (const picture of pictures) {
    group.push(picture);
    if (group.length < batch) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

const checkList = (pictures: unknown): void => {
  const isOne = typeof pictures === 'string' || ArrayBuffer.isView(pictures);
  const { [Symbol.iterator]: all, [Symbol.asyncIterator]: some } = Object(pictures) as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >;
  if (!isOne && (all !== undefined || some !== undefined)) return;
  throw new RangeError(
    `Expected a list of pictures, got ${shown(pictures)}${isOne ? ': put it into a list, [picture]' : ''}`,
  );
};

/**
 * Decodes pictures, each resized to `size x size` px without keeping its aspect, as targets of a run are.
 *
 * @param first number of the first one, for messages
 * @throws UsageError naming a picture that cannot be read or decoded; RangeError naming one that is none
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
  if (picture instanceof URL) return decode(pathOf(picture, label), size, label);
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

const pathOf = (url: URL, label: string): string => {
  if (url.protocol !== 'file:')
    throw new RangeError(`Expected ${label} to be a file, got the address ${shown(url.href)}`);
  return fileURLToPath(url);
};

/** As `decodeSquare` does with a file of them. */
const resize = async (pixels: Pixels, size: number, label: string): Promise<Buffer> => {
  const { width, height, channels } = checkedSides(pixels, label);
  return sharp(pixels.data, { raw: { width, height, channels } })
    .flatten({ background: '#000' })
    .toColourspace('srgb')
    .resize(size, size, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer();
};

const checkedSides = (pixels: Pixels, label: string): Required<Omit<Pixels, 'data'>> => {
  const data: unknown = (pixels as Pixels | undefined)?.data;
  if (typeof pixels !== 'object' || pixels === null || data === undefined)
    throw new RangeError(
      `Expected ${label} to be a path, bytes, or { width, height, channels, data }, got ${shown(pixels)}`,
    );
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray))
    throw new RangeError(`Expected \`data\` of ${label} to be Uint8Array or Uint8ClampedArray, got ${shown(data)}`);
  const { width, height } = pixels;
  checkInteger(`${label}.width`, width, 1, maxPictureSide);
  checkInteger(`${label}.height`, height, 1, maxPictureSide);
  const channels = pixels.channels ?? data.length / (width * height);
  if (channels !== 1 && channels !== 3 && channels !== 4)
    throw new RangeError(`Expected ${label} to have 1, 3 or 4 channels, got ${shown(channels)}`);
  if (data.length !== width * height * channels)
    throw new RangeError(`Expected ${label} to have ${width} x ${height} x ${channels} bytes, got ${data.length}`);
  return { width, height, channels };
};
