import type { Box } from '../numeric/box.js';
import type { Raster } from '../numeric/raster.js';
import type { VideoFrame } from './frame.js';

/**
 * BT.601 limited range to RGB, for one pixel at `at` of `out`:
 * `R = 1.164384 (Y - 16) + 1.596027 (V - 128)`,
 * `G = 1.164384 (Y - 16) - 0.391762 (U - 128) - 0.812968 (V - 128)`,
 * `B = 1.164384 (Y - 16) + 2.017232 (U - 128)`, rounded and clamped to [0, 255] (the array is a clamped one).
 */
const writeRgb = (out: Uint8ClampedArray, at: number, y: number, u: number, v: number): void => {
  const light = (255 / 219) * (y - 16);
  out[at] = light + 1.5960267857 * (v - 128);
  out[at + 1] = light - 0.3917622901 * (u - 128) - 0.8129676473 * (v - 128);
  out[at + 2] = light + 2.0172321429 * (u - 128);
};

const asBytes = (clamped: Uint8ClampedArray): Uint8Array =>
  new Uint8Array(clamped.buffer, clamped.byteOffset, clamped.byteLength);

/**
 * The whole frame in RGB. Each chroma sample serves the 2 x 2 pixels it was taken from. BT.601 limited range:
 * `R = 1.164384 (Y - 16) + 1.596027 (V - 128)`, `G = 1.164384 (Y - 16) - 0.391762 (U - 128) - 0.812968 (V - 128)`,
 * `B = 1.164384 (Y - 16) + 2.017232 (U - 128)`.
 */
export const toRgb = ({ width, height, y, u, v }: VideoFrame): Raster => {
  const data = new Uint8ClampedArray(width * height * 3);
  const half = width >> 1;
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at += 3) {
      const chroma = (row >> 1) * half + (column >> 1);
      writeRgb(data, at, y[row * width + column], u[chroma], v[chroma]);
    }
  }
  return { width, height, channels: 3, data: asBytes(data) };
};

/** For each output sample along one axis: the first source sample it covers, and the weights of that and the following ones (sum 1). */
type Taps = { readonly first: Int32Array; readonly weights: readonly Float32Array[] };

/**
 * Taps of a triangle filter of `max(1, step)` half-width, `step` source samples to one output sample: bilinear where the box is enlarged or kept, and an
 * area-weighted mean (as antialiased resizing in PIL does) where it is shrunk. Taps outside the source fall on its edge sample.
 */
const tapsOf = (start: number, length: number, size: number, limit: number): Taps => {
  const step = length / size;
  const reach = Math.max(1, step);
  const first = new Int32Array(size);
  const weights: Float32Array[] = [];
  for (let i = 0; i < size; i++) {
    const centre = start + (i + 0.5) * step - 0.5;
    const low = Math.ceil(centre - reach);
    const high = Math.floor(centre + reach);
    const from = Math.min(limit - 1, Math.max(0, low));
    const to = Math.min(limit - 1, Math.max(0, high));
    const row = new Float32Array(to - from + 1);
    let sum = 0;
    for (let j = low; j <= high; j++) {
      const weight = Math.max(0, 1 - Math.abs(j - centre) / reach);
      row[Math.min(to, Math.max(from, j)) - from] += weight;
      sum += weight;
    }
    for (let j = 0; j < row.length; j++) row[j] /= sum;
    first[i] = from;
    weights.push(row);
  }
  return { first, weights };
};

// Separable: along x into rows that some output row needs, then along y.
const resample = (plane: Uint8Array, width: number, horizontal: Taps, vertical: Taps, size: number): Float32Array => {
  const top = vertical.first.reduce((low, value) => Math.min(low, value), Infinity);
  let bottom = 0;
  for (let i = 0; i < size; i++) bottom = Math.max(bottom, vertical.first[i] + vertical.weights[i].length);
  const rows = new Float32Array((bottom - top) * size);
  for (let row = top; row < bottom; row++) {
    const from = row * width;
    const to = (row - top) * size;
    for (let i = 0; i < size; i++) {
      const weights = horizontal.weights[i];
      const at = from + horizontal.first[i];
      let sum = 0;
      for (let j = 0; j < weights.length; j++) sum += weights[j] * plane[at + j];
      rows[to + i] = sum;
    }
  }
  const out = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    const weights = vertical.weights[i];
    for (let j = 0; j < weights.length; j++) {
      const from = (vertical.first[i] - top + j) * size;
      const weight = weights[j];
      for (let k = 0; k < size; k++) out[i * size + k] += weight * rows[from + k];
    }
  }
  return out;
};

/**
 * Cuts `box` out of a frame as an RGB picture of `size` x `size`. The box may be fractional, of any aspect, and reach beyond the frame
 * (its edge pixels go on). A triangle filter as wide as the scale asks is used: bilinear when enlarging, antialiased when shrinking; chroma is resampled on
 * its own grid, whose samples lie at the centres of 2 x 2 pixels. Colours as in `toRgb`.
 *
 * @throws RangeError for a box without area, or a size that is not a whole number above 0
 */
export const rgbPatch = (frame: VideoFrame, box: Box, size: number): Raster => {
  if (!(box.width > 0 && box.height > 0) || !Number.isFinite(box.x + box.y + box.width + box.height)) {
    throw new RangeError(`Expected \`box\` to have an area, got \`${JSON.stringify(box)}\``);
  }
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(`Expected \`size\` to be a whole number above 0, got \`${size}\``);
  const { width, height } = frame;
  const luma = resample(
    frame.y,
    width,
    tapsOf(box.x, box.width, size, width),
    tapsOf(box.y, box.height, size, height),
    size,
  );
  const across = tapsOf(box.x / 2, box.width / 2, size, width / 2);
  const down = tapsOf(box.y / 2, box.height / 2, size, height / 2);
  const u = resample(frame.u, width / 2, across, down, size);
  const v = resample(frame.v, width / 2, across, down, size);
  const data = new Uint8ClampedArray(size * size * 3);
  for (let i = 0; i < size * size; i++) writeRgb(data, i * 3, luma[i], u[i], v[i]);
  return { width: size, height: size, channels: 3, data: asBytes(data) };
};
