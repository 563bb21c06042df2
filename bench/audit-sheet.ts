import { createRaster, drawLine, markColours, outlineBox, pasteRaster } from '../src/drawing/primitives.js';
import { resizeRaster } from '../src/drawing/resize.js';
import { drawText, lineHeight } from '../src/drawing/text.js';
import type { Box } from '../src/numeric/box.js';
import type { Raster } from '../src/numeric/raster.js';
import type { DrawnTrack } from './audit-labels.js';

/** Sides of a large picture and of a whole frame at most, pixels of the sheet. */
const LARGE_PX = 208;
const WHOLE_PX = 240;
/** Side of what a large picture shows, over the longer side of the box. */
const REACH = 2.2;

const tracked = markColours[0];
const began = markColours[1];

/** One frame of a track: what lies around the box, and the whole frame. */
export type FramePictures = { readonly around: Raster; readonly whole: Raster };

/** The frames of a track that are shown, first to last. */
export type TrackPictures = FramePictures[];

/** A square cut-out; what lies outside the frame is grey. */
const cutOut = (frame: Raster, x0: number, y0: number, side: number): Raster => {
  const cut = createRaster(side, side, [96, 96, 96]);
  pasteRaster(cut, frame, -x0, -y0);
  return cut;
};

/** Multiples of 10, 20, 50, … so that about five lie in `length`. */
const gridStep = (length: number): number => [10, 20, 50, 100, 200].find((step) => length / step <= 6) ?? 500;

/**
 * Cuts one frame of a track out for its sheet, with the box drawn: the surroundings, `REACH` times the box as it began, so that a change of
 * size is seen, and on the last frame with a grid of the frame's coordinates; and the whole frame, small.
 */
export const cropFrames = (
  frame: Raster,
  { boxes, position }: { readonly boxes: readonly Box[]; readonly position: number },
): FramePictures => {
  const box = boxes[position];
  const side = Math.round(REACH * Math.max(boxes[0].width, boxes[0].height, box.width, box.height));
  const x0 = Math.round(box.x + box.width / 2 - side / 2);
  const y0 = Math.round(box.y + box.height / 2 - side / 2);
  const scale = LARGE_PX / side;
  const around = resizeRaster(cutOut(frame, x0, y0, side), LARGE_PX, LARGE_PX);
  const onCrop = (b: Box): Box => ({
    x: (b.x - x0) * scale - 1,
    y: (b.y - y0) * scale - 1,
    width: b.width * scale + 2,
    height: b.height * scale + 2,
  });
  if (position === boxes.length - 1) {
    const step = gridStep(side);
    for (let at = Math.ceil(x0 / step) * step; at < x0 + side; at += step) {
      const x = Math.round((at - x0) * scale);
      for (let y = 0; y < LARGE_PX; y += 4) drawLine(around, [x, y], [x, y], [255, 255, 255]);
      drawText(around, String(at), x + 2, 1, [255, 255, 0]);
    }
    for (let at = Math.ceil(y0 / step) * step; at < y0 + side; at += step) {
      const y = Math.round((at - y0) * scale);
      for (let x = 0; x < LARGE_PX; x += 4) drawLine(around, [x, y], [x, y], [255, 255, 255]);
      drawText(around, String(at), 1, y + 2, [255, 255, 0]);
    }
  }
  outlineBox(around, onCrop(box), tracked, 1);
  const small = Math.min(WHOLE_PX / frame.width, LARGE_PX / frame.height);
  const whole = resizeRaster(frame, Math.round(frame.width * small), Math.round(frame.height * small));
  const onWhole = (b: Box): Box => ({
    ...{ x: b.x * small, y: b.y * small, width: b.width * small, height: b.height * small },
  });
  outlineBox(whole, onWhole(boxes[0]), began, 1);
  outlineBox(whole, onWhole(box), tracked, 1);
  return { around, whole };
};

/** One row of a sheet: number and place, the frames with their surroundings, the whole first and last frame. */
export const paintRow = (track: DrawnTrack, pictures: TrackPictures): Raster => {
  const row = createRaster(5 * (LARGE_PX + 3) + 2 * (WHOLE_PX + 3), LARGE_PX + lineHeight + 4);
  const { id, clip, startFrame, endFrame, start, tracked: end } = track;
  const text = `#${id} ${clip.slice(0, 50)} frames ${startFrame}-${endFrame} start [${start.join(' ')}] end [${end.join(' ')}]`;
  drawText(row, text, 2, 2, [0, 0, 0]);
  let left = 0;
  for (const { around } of pictures) {
    pasteRaster(row, around, left, lineHeight + 3);
    left += LARGE_PX + 3;
  }
  for (const { whole } of [pictures[0], pictures[pictures.length - 1]]) {
    pasteRaster(row, whole, left, lineHeight + 3);
    left += WHOLE_PX + 3;
  }
  return row;
};

/** Rows, one below the other. */
export const drawSheet = (rows: readonly Raster[]): Raster => {
  const sheet = createRaster(
    rows[0].width,
    rows.reduce((sum, { height }) => sum + height, 0),
  );
  let top = 0;
  for (const row of rows) {
    pasteRaster(sheet, row, 0, top);
    top += row.height;
  }
  return sheet;
};
