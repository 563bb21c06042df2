import sharp from 'sharp';
import type { Raster } from '../numeric/raster.js';
import { UsageError } from '../pipeline/usage-error.js';
import { decodeFrames } from '../video/decode-frames.js';
import type { VideoFrame } from '../video/frame.js';
import type { EncodedPicture } from './pixel-cache.js';

/** A grey picture: rows from the top, `[height, width]`, full range. */
export type GreyPicture = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** Side of a thumbnail. */
export const thumbnailSide = 32;

/** What a picture looks like from afar, whatever its size, encoding and bars. */
export type Fingerprint = {
  /** `[32, 32]`: means over the cells of what lies inside the bars. */
  readonly thumbnail: Uint8Array;
  /** Standard deviation of the thumbnail, grey levels: what is flat is like everything that is flat, and like nothing. */
  readonly contrast: number;
};

/** The fingerprint of a frame, and when it is shown. */
export type FramePrint = Fingerprint & { readonly time: number };

/**
 * The fingerprint of a picture: bars of one grey level along its borders are cut off (letterbox, pillarbox), and the rest is
 * averaged over `32 x 32` cells, exactly, whatever its size and aspect.
 */
export const fingerprintOf = (picture: GreyPicture): Fingerprint => {
  const thumbnail = cellMeans(picture, withoutBars(picture));
  let sum = 0;
  let squares = 0;
  for (const value of thumbnail) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / thumbnail.length;
  return { thumbnail, contrast: Math.sqrt(Math.max(0, squares / thumbnail.length - mean * mean)) };
};

type Window = { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };

/** Grey levels between which a line of pixels counts as one colour, compression noise included. */
const barSpread = 12;
/** A bar takes at most this share of a side. */
const longestBar = 0.3;

const withoutBars = ({ width, height, data }: GreyPicture): Window => {
  const isBar = (from: number, step: number, count: number, level: number): boolean => {
    for (let i = 0, at = from; i < count; i++, at += step) if (Math.abs(data[at]! - level) > barSpread) return false;
    return true;
  };
  /** Lines of one colour at an end, that of its first pixel; none where they go on beyond what a bar may be. */
  const bar = (lineAt: (i: number) => readonly [from: number, step: number, count: number], lines: number): number => {
    const most = Math.floor(lines * longestBar);
    const level = data[lineAt(0)[0]]!;
    let count = 0;
    while (count <= most && isBar(...lineAt(count), level)) count++;
    return count > most ? 0 : count;
  };
  const top = bar((i) => [i * width, 1, width], height);
  const bottom = bar((i) => [(height - 1 - i) * width, 1, width], height);
  const left = bar((i) => [i, width, height], width);
  const right = bar((i) => [width - 1 - i, width, height], width);
  return { left, top, right: width - right, bottom: height - bottom };
};

const cellMeans = ({ width, data }: GreyPicture, { left, top, right, bottom }: Window): Uint8Array => {
  const n = thumbnailSide;
  const columns = new Float64Array(n * (bottom - top));
  for (let y = top; y < bottom; y++) {
    for (let i = 0; i < n; i++) {
      const [from, to] = [left + (i * (right - left)) / n, left + ((i + 1) * (right - left)) / n];
      let sum = 0;
      for (let x = Math.floor(from); x < to; x++) {
        sum += data[y * width + x]! * (Math.min(to, x + 1) - Math.max(from, x));
      }
      columns[(y - top) * n + i] = sum / (to - from);
    }
  }
  const result = new Uint8Array(n * n);
  for (let j = 0; j < n; j++) {
    const [from, to] = [(j * (bottom - top)) / n, ((j + 1) * (bottom - top)) / n];
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let y = Math.floor(from); y < to; y++) {
        sum += columns[y * n + i]! * (Math.min(to, y + 1) - Math.max(from, y));
      }
      result[j * n + i] = Math.round(sum / (to - from));
    }
  }
  return result;
};

/** The luma of a frame, stretched from the limited range to the full one, as pictures have it. */
export const greyOfFrame = ({ width, height, y }: VideoFrame): GreyPicture => ({
  width,
  height,
  data: Uint8Array.from(y, (value) => Math.min(255, Math.max(0, Math.round(((value - 16) * 255) / 219)))),
});

/** The luma (BT.601) of a raster. */
export const greyOfRaster = ({ width, height, channels, data }: Raster): GreyPicture => ({
  width,
  height,
  data:
    channels === 1
      ? data
      : Uint8Array.from({ length: width * height }, (_, i) =>
          Math.round(0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!),
        ),
});

/** Size at which pictures and frames are looked at: some pixels a cell of the thumbnail. */
const areaPx = 160 * 120;

/**
 * Fingerprints of a video's frames, one every `everySeconds` (0.25): what was decoded between two of them is thrown away.
 *
 * @throws VideoRejection where no frame can be had
 */
export const fingerprintVideo = async (
  file: string,
  { everySeconds = 0.25, signal }: { readonly everySeconds?: number; readonly signal?: AbortSignal } = {},
): Promise<FramePrint[]> => {
  if (!(everySeconds > 0)) {
    throw new RangeError(
      `Expected \`everySeconds\` to be a number above 0, got \`${everySeconds}\` (${typeof everySeconds})`,
    );
  }
  const prints: FramePrint[] = [];
  let next = -Infinity;
  for await (const frame of decodeFrames(file, { areaPx, ...(signal ? { signal } : {}) })) {
    if (frame.time < next - 1e-6) continue;
    next = Math.max(next, frame.time) + everySeconds;
    prints.push({ time: frame.time, ...fingerprintOf(greyOfFrame(frame)) });
  }
  return prints;
};

/**
 * Fingerprints of encoded pictures, in order.
 *
 * @throws UsageError for an unreadable picture, by its label
 */
export const fingerprintPictures = async (
  pictures: readonly EncodedPicture[],
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Fingerprint[]> => {
  const prints: Fingerprint[] = [];
  for (const picture of pictures) {
    signal?.throwIfAborted();
    prints.push(fingerprintOf(await greyOfEncoded(picture)));
  }
  return prints;
};

const greyOfEncoded = async (picture: EncodedPicture): Promise<GreyPicture> => {
  const encoded = await picture.read();
  try {
    const { data, info } = await sharp(encoded, { failOn: 'error' })
      .rotate()
      .flatten({ background: '#000' })
      .toColourspace('srgb')
      .resize(240, 240, { fit: 'inside', withoutEnlargement: true })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return greyOfRaster({ width: info.width, height: info.height, channels: 3, data });
  } catch (error) {
    throw new UsageError(`Could not decode ${picture.label}: ${(error as Error).message}`, { cause: error });
  }
};
