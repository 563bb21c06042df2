import type { Box } from '../numeric/box.js';
import type { Raster } from '../numeric/raster.js';
import { drawArrow, drawPath, drawStroke, fadeRaster, fillDisc, markBox, type Point } from './marks.js';
import { fillBox, markColours, type Rgb } from './primitives.js';
import { drawText, textWidth } from './text.js';

/** Points that were followed from one frame to the next, and what was made of them; pixels of the raster that is drawn on. */
export type MotionMarks = {
  readonly from: readonly Point[];
  readonly to: readonly Point[];
  /** Whether each was taken to move by itself. */
  readonly moving: readonly boolean[];
  /** Where the camera's motion alone would have taken a point; absent where no model was found. */
  readonly camera?: (point: Point) => Point;
};

/** A window, and the track that began there. */
export type WindowMark = {
  readonly box: Box;
  readonly label: string;
  /** Boxes of the track, one a frame. @default none: the window was not followed */
  readonly track?: readonly Box[];
  readonly kept?: boolean;
};

const still: Rgb = [90, 190, 255];
const moved: Rgb = markColours[0]!;
const camera: Rgb = [255, 90, 190];
/** Colours of what was kept and of what was refused. */
export const keptColour: Rgb = markColours[3]!;
/** See {@link keptColour}. */
export const refusedColour: Rgb = markColours[2]!;

const latticeSteps = 6;

const between = ([x, y]: Point, [u, v]: Point, times: number): Point => [x + (u - x) * times, y + (v - y) * times];

/** Share of the longer vectors that may leave the picture's scale: outliers must not make all others invisible. */
const typical = 0.9;

/**
 * How many times vectors are drawn longer than they are, a whole number from 1 to `most`, so that all but the longest tenth stay
 * within `px` pixels.
 */
export const magnification = (lengths: readonly number[], px: number, most = 20): number => {
  const sorted = lengths.filter((length) => length > 0).sort((a, b) => a - b);
  const long = sorted[Math.floor(typical * (sorted.length - 1))];
  return long === undefined ? most : Math.max(1, Math.min(most, Math.floor(px / long)));
};

/** Lengths of the flow and of what is left of it once the camera's motion is taken out (as long as the flow where there is no model). */
export const vectorLengths = ({ from, to, camera: model }: MotionMarks): { flow: number[]; residual: number[] } => {
  const distance = ([x, y]: Point, [u, v]: Point): number => Math.hypot(u - x, v - y);
  return {
    flow: from.map((point, i) => distance(point, to[i]!)),
    residual: from.map((point, i) => distance(model?.(point) ?? point, to[i]!)),
  };
};

/**
 * The flow and the camera's model on a faded frame: from every point the vector to where it went, `times` as long (blue where it
 * agrees with the camera, amber where it moves by itself); in pink, on a lattice, where the camera's model takes the picture.
 */
export const drawFlow = (frame: Raster, marks: MotionMarks, times: number): Raster => {
  const picture = fadeRaster(frame);
  const { from, to, moving, camera: model } = marks;
  from.forEach((point, i) => {
    const colour = moving[i] ? moved : still;
    fillDisc(picture, point, 1.5, colour);
    drawStroke(picture, point, between(point, to[i]!, times), colour);
  });
  if (model === undefined) return picture;
  const step = Math.max(picture.width, picture.height) / latticeSteps;
  const places = (length: number): number[] => {
    const count = Math.max(1, Math.round(length / step));
    return Array.from({ length: count }, (_, k) => ((k + 0.5) * length) / count);
  };
  for (const y of places(picture.height)) {
    for (const x of places(picture.width)) {
      fillBox(picture, { x: x - 2, y: y - 2, width: 4, height: 4 }, camera);
      drawArrow(picture, [x, y], between([x, y], model([x, y]), times), camera, 2);
    }
  }
  return picture;
};

const centreOf = ({ x, y, width, height }: Box): Point => [x + width / 2, y + height / 2];

const drawLabel = (picture: Raster, label: string, box: Box, colour: Rgb): void => {
  const width = textWidth(label) + 4;
  const x = Math.max(0, Math.min(picture.width - width, Math.round(box.x) + 3));
  const y = Math.max(0, Math.min(picture.height - 11, Math.round(box.y) + 3));
  fillBox(picture, { x, y, width, height: 11 }, [0, 0, 0]);
  drawText(picture, label, x + 2, y + 2, colour);
};

/**
 * What is left of the flow once the camera's motion is taken out, `times` as long, with the windows and their tracks: points that
 * agree with the camera as blue dots, those that move by themselves in amber; each window with its label, the path of the track's
 * centre and its last box, green where it became a pair and red where it did not.
 */
export const drawResidual = (
  frame: Raster,
  marks: MotionMarks,
  times: number,
  windows: readonly WindowMark[],
): Raster => {
  const picture = fadeRaster(frame);
  const { from, to, moving, camera: model } = marks;
  from.forEach((point, i) => {
    const colour = moving[i] ? moved : still;
    fillDisc(picture, point, moving[i] ? 2 : 1.5, colour);
    const there = model?.(point) ?? point;
    if (model)
      drawStroke(
        picture,
        point,
        between(point, [point[0] + to[i]![0] - there[0], point[1] + to[i]![1] - there[1]], times),
        colour,
      );
  });
  for (const { box, track, kept, label } of windows) {
    const colour: Rgb = kept === undefined ? [255, 255, 255] : kept ? keptColour : refusedColour;
    markBox(picture, box, colour, 2);
    if (track !== undefined && track.length > 1) {
      drawPath(picture, track.map(centreOf), colour, 2);
      markBox(picture, track.at(-1)!, colour, 1);
      fillDisc(picture, centreOf(track.at(-1)!), 3, colour);
    }
    drawLabel(picture, label, box, colour);
  }
  return picture;
};
