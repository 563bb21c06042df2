import type { AugmentationDraw } from './augmentation.js';

/**
 * Views that shrink by more than this are averaged, others are interpolated: up to here interpolation hardly aliases, and the caches are
 * made so that whole pictures shrink by four thirds.
 */
const interpolatedUpTo = 1.5;

/** Whether a view of `n` px shrinks its crop of a picture of `size` px so much that it must be averaged. */
export const needsAveraging = ({ width, height }: AugmentationDraw, size: number, n: number): boolean =>
  Math.max(width, height) * size > interpolatedUpTo * n;

/** For each output pixel of an axis the first source pixel that counts, and the weights of it and those after it, `[n, taps]`. */
type Axis = { readonly first: Int32Array; readonly weights: Float64Array; readonly taps: number };

/**
 * The triangle filter of torchvision's `antialias=True`: output pixel i has its centre at `c = start + (i + 1/2) s` for a step of `s =
 * extent / n` source pixels, and source pixel j counts `1 - |j + 1/2 - c| / max(s, 1)`, made to sum to 1 over those in the picture.
 */
const axisOf = (start: number, extent: number, n: number, size: number, reversed: boolean): Axis => {
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

/**
 * Crops and shrinks a square picture of `size * size * 3` bytes into `target`, `[n, n, 3]` in [0, 1], first along the rows and then down,
 * averaging over all that falls into an output pixel; mirrored if the draw says so. Beyond a crop the picture goes on.
 */
export const shrinkInto = (
  target: Float64Array,
  n: number,
  source: Uint8Array,
  size: number,
  { x, y, width, height, flip }: AugmentationDraw,
): void => {
  const across = axisOf(x * size, width * size, n, size, flip);
  const down = axisOf(y * size, height * size, n, size, false);
  const top = down.first[0]!;
  const bottom = Math.min(size, down.first[n - 1]! + down.taps);
  const row = n * 3;
  const narrowed = new Float64Array((bottom - top) * row);
  for (let line = top; line < bottom; line++) {
    for (let i = 0; i < n; i++) {
      let [red, green, blue] = [0, 0, 0];
      let at = (line * size + across.first[i]!) * 3;
      for (let k = i * across.taps; k < (i + 1) * across.taps; k++, at += 3) {
        const weight = across.weights[k]!;
        if (weight === 0) continue;
        red += weight * source[at]!;
        green += weight * source[at + 1]!;
        blue += weight * source[at + 2]!;
      }
      const to = (line - top) * row + i * 3;
      narrowed[to] = red / 255;
      narrowed[to + 1] = green / 255;
      narrowed[to + 2] = blue / 255;
    }
  }
  target.fill(0);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < down.taps; k++) {
      const weight = down.weights[i * down.taps + k]!;
      if (weight === 0) continue;
      const from = (down.first[i]! + k - top) * row;
      for (let j = 0; j < row; j++) target[i * row + j] = target[i * row + j]! + weight * narrowed[from + j]!;
    }
  }
};
