import type { Box } from '../numeric/box.js';
import type { Raster } from '../numeric/raster.js';

/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** The colours that mark things in pictures: told apart by people who see colours differently, on light and dark ground. */
export const markColours: readonly Rgb[] = [
  [255, 176, 0],
  [0, 190, 255],
  [230, 60, 120],
  [60, 200, 80],
  [150, 110, 255],
  [255, 110, 0],
];

/** A raster of one colour, RGB. */
export const createRaster = (width: number, height: number, colour: Rgb = [255, 255, 255]): Raster => {
  for (const [name, value] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`Expected \`${name}\` to be an integer from 1, got \`${value}\` (${typeof value})`);
    }
  }
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < data.length; at += 3) data.set(colour, at);
  return { width, height, channels: 3, data };
};

/** A copy in RGB, whatever it was. */
export const toRgb = (raster: Raster): Raster => {
  if (raster.channels === 3) return { ...raster, data: raster.data.slice() };
  const data = new Uint8Array(raster.width * raster.height * 3);
  for (let i = 0, at = 0; i < raster.data.length; i++, at += 3) data.fill(raster.data[i]!, at, at + 3);
  return { width: raster.width, height: raster.height, channels: 3, data };
};

const assertRgb = (raster: Raster): void => {
  if (raster.channels !== 3)
    throw new TypeError('Expected `raster` to be RGB (3 channels), got grey (1 channel); see `toRgb`');
};

/** Fills a box (rounded to whole pixels, cut at the borders) of an RGB raster, in place. */
export const fillBox = (raster: Raster, box: Box, colour: Rgb): void => {
  assertRgb(raster);
  const x0 = Math.max(0, Math.round(box.x));
  const x1 = Math.min(raster.width, Math.round(box.x + box.width));
  const y0 = Math.max(0, Math.round(box.y));
  const y1 = Math.min(raster.height, Math.round(box.y + box.height));
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) raster.data.set(colour, (y * raster.width + x) * 3);
  }
};

/** Outlines a box of an RGB raster, in place; the line lies inside the box. */
export const outlineBox = (raster: Raster, box: Box, colour: Rgb, thickness = 2): void => {
  const x = Math.round(box.x);
  const y = Math.round(box.y);
  const width = Math.round(box.x + box.width) - x;
  const height = Math.round(box.y + box.height) - y;
  const line = Math.min(thickness, width, height);
  fillBox(raster, { x, y, width, height: line }, colour);
  fillBox(raster, { x, y: y + height - line, width, height: line }, colour);
  fillBox(raster, { x, y, width: line, height }, colour);
  fillBox(raster, { x: x + width - line, y, width: line, height }, colour);
};

/** Draws a line one pixel wide between two points of an RGB raster (Bresenham), in place; points outside are left out. */
export const drawLine = (
  raster: Raster,
  from: readonly [number, number],
  to: readonly [number, number],
  colour: Rgb,
): void => {
  assertRgb(raster);
  let [x, y] = [Math.round(from[0]), Math.round(from[1])];
  const [x1, y1] = [Math.round(to[0]), Math.round(to[1])];
  if (![x, y, x1, y1].every(Number.isFinite)) {
    throw new RangeError(
      `Expected the ends of a line to be finite, got \`${from.join(', ')}\` and \`${to.join(', ')}\``,
    );
  }
  const dx = Math.abs(x1 - x);
  const dy = -Math.abs(y1 - y);
  const stepX = x < x1 ? 1 : -1;
  const stepY = y < y1 ? 1 : -1;
  let error = dx + dy;
  for (;;) {
    if (x >= 0 && y >= 0 && x < raster.width && y < raster.height) raster.data.set(colour, (y * raster.width + x) * 3);
    if (x === x1 && y === y1) return;
    const twice = 2 * error;
    if (twice >= dy) {
      error += dy;
      x += stepX;
    }
    if (twice <= dx) {
      error += dx;
      y += stepY;
    }
  }
};

/** Copies `source` into an RGB raster with its top-left corner at (`left`, `top`), in place; what lies outside is cut. */
export const pasteRaster = (target: Raster, source: Raster, left: number, top: number): void => {
  assertRgb(target);
  for (let y = Math.max(0, -top); y < source.height && y + top < target.height; y++) {
    for (let x = Math.max(0, -left); x < source.width && x + left < target.width; x++) {
      const to = ((y + top) * target.width + x + left) * 3;
      const from = (y * source.width + x) * source.channels;
      for (let k = 0; k < 3; k++) target.data[to + k] = source.data[source.channels === 3 ? from + k : from]!;
    }
  }
};
