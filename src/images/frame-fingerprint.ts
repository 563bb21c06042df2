import sharp from 'sharp';
import type { Raster } from '../numeric/raster.js';
import { UsageError } from '../pipeline/usage-error.js';
import { decodeFrames } from '../video/decode-frames.js';
import type { VideoFrame } from '../video/frame.js';
import type { VideoInfo } from '../video/probe-video.js';
import type { EncodedPicture } from './pixel-cache.js';

/** A grey picture: rows from the top, `[height, width]`, full range. */
export type GreyPicture = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** Side of the thumbnail that a view is made from. */
export const viewSide = 16;

/** A picture, or its middle, from afar. */
export type PictureView = {
  /** 64-bit difference hash as two words: for each of 8 rows of 9 means, whether the next is brighter. */
  readonly hash: readonly [number, number];
  /** `[16, 16]`: the thumbnail less its local mean, that is edges and marks, scaled to a standard deviation of 32 and held within 127. */
  readonly detail: Int8Array;
  /** Standard deviation of the detail before it was scaled, grey levels: where it is low there is nothing to recognise. */
  readonly deviation: number;
};

/** What a picture looks like, whatever its size, encoding and bars. */
export type Fingerprint = {
  readonly whole: PictureView;
  /** What is left when a twentieth of each side is cut off, to find what was cropped. */
  readonly middle: PictureView;
};

/** The fingerprint of a frame, and when it is shown. */
export type FramePrint = Fingerprint & { readonly time: number };

/** Share of each side that the middle leaves out. */
const margin = 0.05;

/**
 * The fingerprint of a picture: bars of one grey level along its borders are cut off (letterbox, pillarbox), and the rest is
 * averaged over `16 x 16` cells, exactly, whatever its size and aspect.
 */
export const fingerprintOf = (picture: GreyPicture): Fingerprint => {
  const inside = withoutBars(picture);
  return { whole: viewOf(cellMeans(picture, inside)), middle: viewOf(cellMeans(picture, middleOf(inside))) };
};

const middleOf = ({ left, top, right, bottom }: Window): Window => ({
  left: left + margin * (right - left),
  top: top + margin * (bottom - top),
  right: right - margin * (right - left),
  bottom: bottom - margin * (bottom - top),
});

const viewOf = (thumbnail: Float32Array): PictureView => {
  const detail = detailOf(thumbnail);
  let squares = 0;
  for (const value of detail) squares += value * value;
  const deviation = Math.sqrt(squares / detail.length);
  const scale = deviation > 0 ? 32 / deviation : 0;
  return {
    hash: differenceHash(thumbnail),
    detail: Int8Array.from(detail, (value) => Math.max(-127, Math.min(127, Math.round(value * scale)))),
    deviation,
  };
};

/** How far detail reaches: the mean over `5 x 5` pixels, as far as they are there, is subtracted. */
const detailReach = 2;

const detailOf = (thumbnail: Float32Array): Float32Array => {
  const n = viewSide;
  return Float32Array.from(thumbnail, (value, at) => {
    const [x, y] = [at % n, Math.floor(at / n)];
    let sum = 0;
    let count = 0;
    for (let v = Math.max(0, y - detailReach); v < Math.min(n, y + detailReach + 1); v++) {
      for (let u = Math.max(0, x - detailReach); u < Math.min(n, x + detailReach + 1); u++, count++) {
        sum += thumbnail[v * n + u]!;
      }
    }
    return value - sum / count;
  });
};

/** Edges of the nine columns and eight rows of the hash, alike from both ends. */
const columnEdges = Array.from({ length: 10 }, (_, i) => Math.round((i * viewSide) / 9));
const rowHeight = viewSide / 8;

const differenceHash = (thumbnail: Float32Array): readonly [number, number] => {
  const words: [number, number] = [0, 0];
  for (let row = 0; row < 8; row++) {
    let before = 0;
    for (let column = 0; column < 9; column++) {
      const [from, to] = [columnEdges[column]!, columnEdges[column + 1]!];
      let sum = 0;
      for (let y = row * rowHeight; y < (row + 1) * rowHeight; y++) {
        for (let x = from; x < to; x++) sum += thumbnail[y * viewSide + x]!;
      }
      const mean = sum / (to - from);
      if (column > 0 && mean > before) words[row >> 2]! |= 1 << ((row & 3) * 8 + column - 1);
      before = mean;
    }
  }
  return words;
};

/** The view of the mirror image. Where two means were exactly equal, a bit of the hash is not that of the mirrored picture. */
export const mirrored = ({ hash, detail, deviation }: PictureView): PictureView => ({
  hash: [mirroredWord(hash[0]), mirroredWord(hash[1])],
  detail: detail.map((_, at) => detail[at - (at % viewSide) + viewSide - 1 - (at % viewSide)]!),
  deviation,
});

/** Bits of each of four bytes in reverse, and inverted: what grew towards the right falls. */
const mirroredWord = (word: number): number => {
  let bits = ~word;
  bits = ((bits >>> 1) & 0x55555555) | ((bits & 0x55555555) << 1);
  bits = ((bits >>> 2) & 0x33333333) | ((bits & 0x33333333) << 2);
  return ((bits >>> 4) & 0x0f0f0f0f) | ((bits & 0x0f0f0f0f) << 4);
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

const cellMeans = ({ width, data }: GreyPicture, { left, top, right, bottom }: Window): Float32Array => {
  const n = viewSide;
  const [first, last] = [Math.floor(top), Math.ceil(bottom)];
  const columns = new Float64Array(n * (last - first));
  for (let y = first; y < last; y++) {
    for (let i = 0; i < n; i++) {
      const [from, to] = [left + (i * (right - left)) / n, left + ((i + 1) * (right - left)) / n];
      let sum = 0;
      for (let x = Math.floor(from); x < to; x++) {
        sum += data[y * width + x]! * (Math.min(to, x + 1) - Math.max(from, x));
      }
      columns[(y - first) * n + i] = sum / (to - from);
    }
  }
  const result = new Float32Array(n * n);
  for (let j = 0; j < n; j++) {
    const [from, to] = [top + (j * (bottom - top)) / n, top + ((j + 1) * (bottom - top)) / n];
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let y = Math.floor(from); y < to; y++) {
        sum += columns[(y - first) * n + i]! * (Math.min(to, y + 1) - Math.max(from, y));
      }
      result[j * n + i] = sum / (to - from);
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

/** Size at which pictures and frames are looked at: some pixels a cell of a view. */
const areaPx = 160 * 120;

/** How a video is fingerprinted. */
export type FingerprintOptions = {
  /** Time between two frames that are looked at. @default 0.5 */
  readonly everySeconds?: number;
  /** What `probeVideo` said of it. @default it is probed */
  readonly info?: VideoInfo;
  readonly signal?: AbortSignal;
};

/**
 * Fingerprints of a video's frames, one every `everySeconds`: what was decoded between two of them is thrown away.
 *
 * @throws VideoRejection where no frame can be had
 */
export const fingerprintVideo = async (
  file: string,
  { everySeconds = 0.5, info, signal }: FingerprintOptions = {},
): Promise<FramePrint[]> => {
  if (!(everySeconds > 0)) {
    throw new RangeError(
      `Expected \`everySeconds\` to be a number above 0, got \`${everySeconds}\` (${typeof everySeconds})`,
    );
  }
  const prints: FramePrint[] = [];
  let next = -Infinity;
  for await (const frame of decodeFrames(file, { areaPx, ...(info ? { info } : {}), ...(signal ? { signal } : {}) })) {
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
