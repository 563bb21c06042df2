import { thumbnailSide, type Fingerprint, type FramePrint } from './frame-fingerprint.js';

/** A video's frames as fingerprints. */
export type VideoPrints = { readonly video: string; readonly frames: readonly FramePrint[] };

/** A picture of the target that is (as good as) a frame of a video. */
export type Leak = {
  /** Number of the picture in the target. */
  readonly image: number;
  readonly video: string;
  /** Of the frame most alike, seconds. */
  readonly time: number;
  /** Correlation of the detail of the two, -1 to 1. */
  readonly similarity: number;
  /** Whether one is the other's mirror image. */
  readonly mirrored: boolean;
};

/** When a picture counts as a frame. */
export type LeakThresholds = {
  /** Bits of 64 in which the difference hashes may differ: what is compared at all. @default 16 */
  readonly maxBits?: number;
  /** Least correlation. @default 0.75 */
  readonly minSimilarity?: number;
  /** Least standard deviation of the detail, grey levels: below it there is nothing to recognise. @default 4 */
  readonly minDetail?: number;
};

const side = thumbnailSide;

/** Whole pixels by which the two may be shifted against each other: a sixteenth of the side. */
const maxShift = 2;

/** How far detail reaches: the mean over `(2 r + 1)^2` pixels is subtracted. */
const detailReach = 3;

/** The parts of a print that are compared. */
type View = { readonly detail: Float32Array; readonly deviation: number; readonly high: number; readonly low: number };

/** One view a print and way of looking at it (whole or its middle, mirrored or not), hashes in one array for the search. */
const mirror = (thumbnail: Uint8Array): Uint8Array =>
  thumbnail.map((_, at) => thumbnail[at - (at % side) + side - 1 - (at % side)]!);

/** The thumbnail less its local mean: edges and marks, and not where it is light or dark. */
const detailOf = (thumbnail: ArrayLike<number>): Float32Array => {
  const n = side;
  const sums = new Float64Array((n + 1) * (n + 1));
  for (let y = 0; y < n; y++) {
    for (let x = 0, row = 0; x < n; x++) {
      row += thumbnail[y * n + x]!;
      sums[(y + 1) * (n + 1) + x + 1] = sums[y * (n + 1) + x + 1]! + row;
    }
  }
  return Float32Array.from({ length: n * n }, (_, at) => {
    const [x, y] = [at % n, Math.floor(at / n)];
    const [left, right] = [Math.max(0, x - detailReach), Math.min(n, x + detailReach + 1)];
    const [top, bottom] = [Math.max(0, y - detailReach), Math.min(n, y + detailReach + 1)];
    const sum =
      sums[bottom * (n + 1) + right]! -
      sums[top * (n + 1) + right]! -
      sums[bottom * (n + 1) + left]! +
      sums[top * (n + 1) + left]!;
    return thumbnail[at]! - sum / ((right - left) * (bottom - top));
  });
};

/** Cell edges of nine columns and eight rows. */
const columnEdges = Array.from({ length: 10 }, (_, i) => Math.round((i * side) / 9));
const rowEdges = Array.from({ length: 9 }, (_, i) => Math.round((i * side) / 8));

/** Difference hash: for each of 8 rows of 9 means, whether the next is brighter; 64 bits as two words. */
const differenceHash = (thumbnail: Uint8Array): readonly [high: number, low: number] => {
  const words: [number, number] = [0, 0];
  for (let row = 0; row < 8; row++) {
    let before = 0;
    for (let column = 0; column < 9; column++) {
      let sum = 0;
      for (let y = rowEdges[row]!; y < rowEdges[row + 1]!; y++) {
        for (let x = columnEdges[column]!; x < columnEdges[column + 1]!; x++) sum += thumbnail[y * side + x]!;
      }
      const mean = sum / (columnEdges[column + 1]! - columnEdges[column]!);
      if (column > 0) {
        const bit = row * 8 + column - 1;
        if (mean > before) words[bit >> 5]! |= 1 << (bit & 31);
      }
      before = mean;
    }
  }
  return words;
};

const viewOf = (thumbnail: Uint8Array): View => {
  const detail = detailOf(thumbnail);
  let squares = 0;
  for (const value of detail) squares += value * value;
  const [high, low] = differenceHash(thumbnail);
  return { detail, deviation: Math.sqrt(squares / detail.length), high, low };
};

/** Bits set in a word. */
const bitCount = (word: number): number => {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/** Correlation of two details at the whole-pixel shift, at most 2, at which it is highest. */
const similarityOf = (a: Float32Array, b: Float32Array): number => {
  let best = -1;
  for (let dy = -maxShift; dy <= maxShift; dy++) {
    for (let dx = -maxShift; dx <= maxShift; dx++) {
      let [product, squaresA, squaresB] = [0, 0, 0];
      for (let y = Math.max(0, -dy); y < Math.min(side, side - dy); y++) {
        for (let x = Math.max(0, -dx); x < Math.min(side, side - dx); x++) {
          const p = a[y * side + x]!;
          const q = b[(y + dy) * side + x + dx]!;
          product += p * q;
          squaresA += p * p;
          squaresB += q * q;
        }
      }
      best = Math.max(best, product / Math.sqrt(squaresA * squaresB + 1e-9));
    }
  }
  return best;
};

/**
 * Pictures of a target that also served for pre-training: for each picture and video the frame most alike, where the
 * correlation of their detail (the 32 x 32 thumbnail less its local mean, at the best shift of at most a sixteenth of a side,
 * upright or mirrored) reaches `minSimilarity`. Only pairs whose 64-bit difference hashes are within `maxBits` are compared.
 * In order of picture, then of similarity.
 */
export const findLeaks = (
  targets: readonly Fingerprint[],
  videos: readonly VideoPrints[],
  { maxBits = 16, minSimilarity = 0.75, minDetail = 4 }: LeakThresholds = {},
): Leak[] => {
  const frames = videos.flatMap(({ frames: prints }, video) =>
    prints.map(({ thumbnail, time }) => ({ video, time, view: viewOf(thumbnail) })),
  );
  const usable = frames.filter(({ view }) => view.deviation >= minDetail);
  const high = Int32Array.from(usable, ({ view }) => view.high);
  const low = Int32Array.from(usable, ({ view }) => view.low);
  return targets.flatMap(({ thumbnail }, image) => {
    const best = new Map<number, Leak>();
    for (const mirrored of [false, true]) {
      const view = viewOf(mirrored ? mirror(thumbnail) : thumbnail);
      if (view.deviation < minDetail) continue;
      for (let f = 0; f < high.length; f++) {
        if (bitCount(high[f]! ^ view.high) + bitCount(low[f]! ^ view.low) > maxBits) continue;
        const frame = usable[f]!;
        const similarity = similarityOf(view.detail, frame.view.detail);
        const known = best.get(frame.video)?.similarity ?? -1;
        if (similarity < minSimilarity || similarity <= known) continue;
        const { video } = videos[frame.video]!;
        best.set(frame.video, { image, video, time: frame.time, similarity, mirrored });
      }
    }
    return [...best.values()].sort((a, b) => b.similarity - a.similarity);
  });
};
