import type { Box } from '../numeric/box.js';
import type { Raster } from '../numeric/raster.js';
import { drawLine, outlineBox, type Rgb } from './primitives.js';

/** A place on a raster, pixels; a pixel's centre lies at its index plus a half. */
export type Point = readonly [x: number, y: number];

const put = (raster: Raster, x: number, y: number, colour: Rgb): void => {
  if (x >= 0 && y >= 0 && x < raster.width && y < raster.height) raster.data.set(colour, (y * raster.width + x) * 3);
};

/** Fills a disc of an RGB raster, in place; pixels whose centre is nearer than `radius`, and at least the one it lies on. */
export const fillDisc = (raster: Raster, [x, y]: Point, radius: number, colour: Rgb): void => {
  put(raster, Math.floor(x), Math.floor(y), colour);
  for (let row = Math.floor(y - radius); row <= y + radius; row++) {
    for (let column = Math.floor(x - radius); column <= x + radius; column++) {
      if (Math.hypot(column + 0.5 - x, row + 0.5 - y) < radius) put(raster, column, row, colour);
    }
  }
};

/**
 * Draws a line of some thickness between two points of an RGB raster, in place. An end that lies more than a raster's size
 * outside is drawn towards, not to: a stray vector must not cost a walk of a million pixels.
 */
export const drawStroke = (raster: Raster, from: Point, to: Point, colour: Rgb, thickness = 1): void => {
  const reach = 2 * (raster.width + raster.height);
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const share = length > reach ? reach / length : 1;
  const end: Point = [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
  for (let i = 0; i < thickness; i++) {
    const offset = i - (thickness - 1) / 2;
    // Beside the line: below it where it is flat, right of it where it is steep.
    const [dx, dy] = Math.abs(end[0] - from[0]) >= Math.abs(end[1] - from[1]) ? [0, offset] : [offset, 0];
    drawLine(raster, [from[0] - 0.5 + dx, from[1] - 0.5 + dy], [end[0] - 0.5 + dx, end[1] - 0.5 + dy], colour);
  }
};

/** Draws an arrow, its head at `to`; one too short for a head is a line. */
export const drawArrow = (raster: Raster, from: Point, to: Point, colour: Rgb, thickness = 1): void => {
  drawStroke(raster, from, to, colour, thickness);
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (length < 5) return;
  const head = Math.min(6, length / 2);
  const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  for (const turn of [-0.45, 0.45]) {
    const wing: Point = [to[0] - head * Math.cos(angle + turn), to[1] - head * Math.sin(angle + turn)];
    drawStroke(raster, to, wing, colour, thickness);
  }
};

/** Joins points by strokes. */
export const drawPath = (raster: Raster, points: readonly Point[], colour: Rgb, thickness = 1): void => {
  for (let i = 1; i < points.length; i++) drawStroke(raster, points[i - 1]!, points[i]!, colour, thickness);
};

/** Outlines a box in a colour with a dark line inside and outside, so that it is seen on any ground. */
export const markBox = (raster: Raster, box: Box, colour: Rgb, thickness = 2): void => {
  const grown = (by: number): Box => ({
    x: box.x - by,
    y: box.y - by,
    width: box.width + 2 * by,
    height: box.height + 2 * by,
  });
  outlineBox(raster, grown(1), [0, 0, 0], 1);
  outlineBox(raster, grown(-thickness), [0, 0, 0], 1);
  outlineBox(raster, box, colour, thickness);
};

/** A grey, darker copy of an RGB raster, in which `colour` of the colour (0 to 1) and `light` of the light is left: a ground for marks. */
export const fadeRaster = (raster: Raster, { colour = 0.35, light = 0.6 } = {}): Raster => {
  const { data } = raster;
  const faded = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += 3) {
    const grey = 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
    for (let k = 0; k < 3; k++) faded[at + k] = Math.round(light * (grey + colour * (data[at + k]! - grey)));
  }
  return { ...raster, data: faded };
};
