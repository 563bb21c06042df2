import type { Raster } from '../numeric/raster.js';

/** For one output line: where its input taps begin and their weights. */
type Taps = { readonly start: number; readonly weights: readonly number[] };

/** Linear interpolation where an axis grows; where it shrinks the triangle widens, so that fine detail averages instead of flickering. */
const smoothTaps = (from: number, to: number): Taps[] => {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale - 0.5;
    const start = Math.max(0, Math.ceil(centre - reach));
    const end = Math.min(from - 1, Math.floor(centre + reach));
    const weights: number[] = [];
    for (let j = start; j <= end; j++) weights.push(Math.max(0, 1 - Math.abs(j - centre) / reach));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { start, weights: weights.map((weight) => weight / total) };
  });
};

const nearestTaps = (from: number, to: number): Taps[] =>
  Array.from({ length: to }, (_, i) => ({
    start: Math.min(from - 1, Math.floor(((i + 0.5) * from) / to)),
    weights: [1],
  }));

/**
 * A raster of another size. `smooth` interpolates linearly (and averages where it shrinks), `nearest` repeats or drops pixels.
 * For pictures people look at; training has its own.
 */
export const resizeRaster = (
  raster: Raster,
  width: number,
  height: number,
  how: 'smooth' | 'nearest' = 'smooth',
): Raster => {
  for (const [name, value] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`Expected \`${name}\` to be an integer from 1, got \`${value}\` (${typeof value})`);
    }
  }
  const taps = how === 'smooth' ? smoothTaps : nearestTaps;
  const { channels } = raster;
  const across = new Float32Array(width * raster.height * channels);
  const columns = taps(raster.width, width);
  for (let y = 0, at = 0; y < raster.height; y++) {
    for (const { start, weights } of columns) {
      for (let k = 0; k < channels; k++, at++) {
        let sum = 0;
        for (let j = 0; j < weights.length; j++)
          sum += weights[j]! * raster.data[(y * raster.width + start + j) * channels + k]!;
        across[at] = sum;
      }
    }
  }
  const data = new Uint8Array(width * height * channels);
  for (const [y, { start, weights }] of taps(raster.height, height).entries()) {
    for (let i = 0; i < width * channels; i++) {
      let sum = 0;
      for (let j = 0; j < weights.length; j++) sum += weights[j]! * across[(start + j) * width * channels + i]!;
      data[y * width * channels + i] = Math.round(sum);
    }
  }
  return { width, height, channels, data };
};
