import { RandomStream } from '../../src/numeric/random.js';
import type { VideoFrame } from '../../src/video/frame.js';

/** A smooth random texture of the plane, mean 128: value noise of a few octaves, with a value at every real point. */
export const texture = (seed: number, cell = 5): ((x: number, y: number) => number) => {
  const size = 64;
  const layers = [0, 1].map((layer) => {
    const random = RandomStream.of(seed, layer);
    return Float64Array.from({ length: size * size }, () => random.uniform(-1, 1));
  });
  const smooth = (t: number): number => t * t * (3 - 2 * t);
  const value = (grid: Float64Array, x: number, y: number): number => {
    const [x0, y0] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [smooth(x - x0), smooth(y - y0)];
    const at = (i: number, j: number): number => grid[(j & (size - 1)) * size + (i & (size - 1))];
    const upper = at(x0, y0) + (at(x0 + 1, y0) - at(x0, y0)) * fx;
    const lower = at(x0, y0 + 1) + (at(x0 + 1, y0 + 1) - at(x0, y0 + 1)) * fx;
    return upper + (lower - upper) * fy;
  };
  return (x, y) =>
    128 + 70 * value(layers[0], x / cell, y / cell) + 40 * value(layers[1], x / (3 * cell), y / (3 * cell));
};

/** Renders luma from a function of the pixel centre. */
export const renderLuma = (width: number, height: number, at: (x: number, y: number) => number): Uint8Array => {
  const y = new Uint8Array(width * height);
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i++)
      y[i] = Math.min(255, Math.max(0, Math.round(at(column + 0.5, row + 0.5))));
  }
  return y;
};

/** A frame without colour. */
export const frameOf = (index: number, width: number, height: number, y: Uint8Array): VideoFrame => {
  const chroma = new Uint8Array((width * height) / 4).fill(128);
  return { index, time: index / 25, width, height, y, u: chroma, v: chroma };
};
