import type { AugmentationDraw } from './augmentation.js';

/**
 * Views that shrink by more than this are averaged, others are interpolated: up to here interpolation hardly aliases, and the caches are
 * made so that whole pictures shrink by four thirds.
 */
const interpolatedUpTo = 1.5;

/** Whether a view of `n` px shrinks its crop of a picture of `size` px so much that it must be averaged. */
export const needsAveraging = ({ width, height }: AugmentationDraw, size: number, n: number): boolean =>
  Math.max(width, height) * size > interpolatedUpTo * n;

/**
 * One axis of a resampling: for each of the output pixels the first source pixel that counts, and the weights of it and those after it,
 * `[n, taps]`, which sum to 1. Weights of pixels beyond the picture are 0.
 */
export type ResampleAxis = { readonly first: Int32Array; readonly weights: Float64Array; readonly taps: number };

/** A stretch of a picture along one axis, source pixels, that becomes `n` pixels; from its end to its beginning if `reversed`. */
type Stretch = {
  readonly start: number;
  readonly extent: number;
  readonly size: number;
  readonly n: number;
  readonly reversed: boolean;
};

/** Across and down: how a drawn crop of a picture of `size` px becomes a view of `n` px. */
export const cropAxes = (
  draw: AugmentationDraw,
  size: number,
  n: number,
): { readonly across: ResampleAxis; readonly down: ResampleAxis } => {
  const axisOf = needsAveraging(draw, size, n) ? triangleAxis : bilinearAxis;
  const { x, y, width, height, flip } = draw;
  return {
    across: axisOf({ start: x * size, extent: width * size, size, n, reversed: flip }),
    down: axisOf({ start: y * size, extent: height * size, size, n, reversed: false }),
  };
};

/**
 * Bilinear samples at pixel centres: output pixel i lies at `start + (i + 1/2) extent / n - 1/2` source pixels, kept inside the picture,
 * between two of them.
 */
const bilinearAxis = ({ start, extent, size, n, reversed }: Stretch): ResampleAxis => {
  const first = new Int32Array(n);
  const weights = new Float64Array(n * 2);
  for (let i = 0; i < n; i++) {
    const at = start + (((reversed ? n - 1 - i : i) + 0.5) * extent) / n - 0.5;
    const inside = Math.min(Math.max(at, 0), size - 1);
    const left = Math.floor(inside);
    first[i] = left;
    weights[2 * i] = 1 - (inside - left);
    weights[2 * i + 1] = inside - left;
  }
  return { first, weights, taps: 2 };
};

/**
 * The triangle filter of torchvision's `antialias=True`: output pixel i has its centre at `c = start + (i + 1/2) s` for a step of `s =
 * extent / n` source pixels, and source pixel j counts `1 - |j + 1/2 - c| / max(s, 1)`, made to sum to 1 over those in the picture.
 */
export const triangleAxis = ({ start, extent, size, n, reversed }: Stretch): ResampleAxis => {
  const step = extent / n;
  const reach = Math.max(step, 1);
  const taps = Math.ceil(2 * reach) + 1;
  const first = new Int32Array(n);
  const weights = new Float64Array(n * taps);
  for (let i = 0; i < n; i++) {
    const centre = start + ((reversed ? n - 1 - i : i) + 0.5) * step;
    const from = Math.max(0, Math.min(Math.ceil(centre - reach - 0.5), size - taps));
    first[i] = from;
    let sum = 0;
    for (let k = 0; k < taps && from + k < size; k++) {
      const weight = Math.max(0, 1 - Math.abs(from + k + 0.5 - centre) / reach);
      weights[i * taps + k] = weight;
      sum += weight;
    }
    for (let k = 0; k < taps; k++) weights[i * taps + k]! /= sum;
  }
  return { first, weights, taps };
};
