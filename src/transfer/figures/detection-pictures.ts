import { createRaster, fillBox, outlineBox, pasteRaster, toRgb, type Rgb } from '../../drawing/primitives.js';
import { resizeRaster } from '../../drawing/resize.js';
import { drawText, fitText, lineHeight, textWidth } from '../../drawing/text.js';
import type { LoadedImage } from '../../images/detection-dataset.js';
import { iou, type Box } from '../../numeric/box.js';
import type { Raster } from '../../numeric/raster.js';

/** A box that a detector found, in pixels of the raster of test picture `image`. */
export type PicturedDetection = {
  readonly image: number;
  readonly label: number;
  readonly score: number;
  readonly box: Box;
};

/** A test picture as the figure shows it: with the best boxes found and their scores, and with the true ones. */
export type DetectionPictures = { readonly name: string; readonly predicted: Raster; readonly truth: Raster };

/** What is shown. */
export type DetectionPictureOptions = {
  /** Test pictures, evenly spread over the list. @default 6 */
  readonly count?: number;
  /** Boxes a picture at most, best scores first. @default 4 */
  readonly boxes?: number;
  /** Boxes with a lower score are left out. @default none is */
  readonly leastScore?: number;
  /** Longer side of a picture, px. @default 240 */
  readonly side?: number;
};

/** A colour a class, hues spread by the golden angle so that neighbours in the list differ most. */
export const classColour = (label: number): Rgb => {
  const hue = (label * 137.508 + 35) % 360;
  const channel = (shift: number): number => {
    const k = (shift + hue / 30) % 12;
    // Hue to RGB at saturation 0.9, lightness 0.6.
    return Math.round(255 * (0.6 - 0.9 * 0.4 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
};

const thickness = 2;
const dash = 6;

/** The outline of a box with gaps: a find that is not right. */
const dashBox = (raster: Raster, { x, y, width, height }: Box, colour: Rgb): void => {
  for (let at = 0; at < width; at += 2 * dash) {
    const length = Math.min(dash, width - at);
    fillBox(raster, { x: x + at, y, width: length, height: thickness }, colour);
    fillBox(raster, { x: x + at, y: y + height - thickness, width: length, height: thickness }, colour);
  }
  for (let at = 0; at < height; at += 2 * dash) {
    const length = Math.min(dash, height - at);
    fillBox(raster, { x, y: y + at, width: thickness, height: length }, colour);
    fillBox(raster, { x: x + width - thickness, y: y + at, width: thickness, height: length }, colour);
  }
};

/** A name on a plate of its class's colour in the box's upper corner, inside the picture. */
const writePlate = (raster: Raster, text: string, box: Box, colour: Rgb): void => {
  const shown = fitText(text, raster.width - 4);
  const width = textWidth(shown) + 4;
  const height = lineHeight + 2;
  const x = Math.max(0, Math.min(Math.round(box.x), raster.width - width));
  const y = Math.max(0, Math.min(Math.round(box.y), raster.height - height));
  fillBox(raster, { x, y, width, height }, colour);
  drawText(raster, shown, x + 2, y + 2, [0, 0, 0]);
};

const scaled = ({ x, y, width, height }: Box, by: number): Box => ({
  x: x * by,
  y: y * by,
  width: width * by,
  height: height * by,
});

const reduce = (raster: Raster, side: number): { picture: Raster; by: number } => {
  const by = Math.min(1, side / Math.max(raster.width, raster.height));
  if (by === 1) return { picture: toRgb(raster), by };
  const [width, height] = [raster.width, raster.height].map((length) => Math.max(1, Math.round(length * by)));
  return { picture: toRgb(resizeRaster(raster, width!, height!)), by };
};

/**
 * Pictures of `count` test images, evenly spread over the test list and not chosen by their looks: the best-scored boxes with class and score
 * beside the truth. A box that overlaps a true one of its class by half (intersection over union, each true box found once) is
 * drawn through, any other dashed; objects that VOC calls difficult, and crowds, are dashed in the truth. Throws a `RangeError`
 * for a detection of a picture or class that is not there.
 */
export const detectionPictures = (
  images: readonly LoadedImage[],
  detections: readonly PicturedDetection[],
  classes: readonly string[],
  { count = 6, boxes = 4, leastScore = -Infinity, side = 240 }: DetectionPictureOptions = {},
): DetectionPictures[] => {
  for (const { image, label } of detections) {
    if (images[image] === undefined || classes[label] === undefined) {
      throw new RangeError(
        `Expected detections of ${images.length} pictures and ${classes.length} classes, got picture ${image}, class ${label}`,
      );
    }
  }
  const shown = Math.min(count, images.length);
  return Array.from({ length: shown }, (_, i) => {
    const index = Math.floor(((i + 0.5) * images.length) / shown);
    const found = detections
      .filter(({ image, score }) => image === index && score >= leastScore)
      .sort((a, b) => b.score - a.score)
      .slice(0, boxes);
    return drawPair(images[index]!, found, classes, side);
  });
};

const drawPair = (
  { name, raster, objects }: LoadedImage,
  found: readonly PicturedDetection[],
  classes: readonly string[],
  side: number,
): DetectionPictures => {
  const { picture: truth, by } = reduce(raster, side);
  const predicted = { ...truth, data: truth.data.slice() };
  for (const { label, box, difficult, crowd } of objects) {
    if (difficult || crowd) dashBox(truth, scaled(box, by), classColour(label));
    else outlineBox(truth, scaled(box, by), classColour(label), thickness);
  }
  for (const { label, box } of objects) writePlate(truth, classes[label]!, scaled(box, by), classColour(label));
  const right = matchTruth(found, objects);
  // Worst first, so that the best lies on top.
  for (const [k, { label, box }] of [...found.entries()].reverse()) {
    if (right[k]) outlineBox(predicted, scaled(box, by), classColour(label), thickness);
    else dashBox(predicted, scaled(box, by), classColour(label));
  }
  for (const { label, box, score } of [...found].reverse()) {
    writePlate(predicted, `${classes[label]!} ${score.toFixed(2)}`, scaled(box, by), classColour(label));
  }
  return { name, predicted, truth };
};

/** For each find, best first, whether it is the first to cover a true box of its class by at least half. */
const matchTruth = (found: readonly PicturedDetection[], objects: LoadedImage['objects']): boolean[] => {
  const taken = new Set<number>();
  return found.map(({ label, box }) => {
    let best = -1;
    for (const [k, object] of objects.entries()) {
      if (object.label !== label || taken.has(k) || iou(box, object.box) < 0.5) continue;
      if (best < 0 || iou(box, object.box) > iou(box, objects[best]!.box)) best = k;
    }
    if (best >= 0) taken.add(best);
    return best >= 0;
  });
};

/** Both pictures of an image side by side, as large as the largest of all: cells of a contact sheet that line up. */
export const detectionCells = (
  pictures: readonly DetectionPictures[],
): { readonly raster: Raster; readonly caption: string }[] => {
  const width = Math.max(1, ...pictures.map(({ truth }) => truth.width));
  const height = Math.max(1, ...pictures.map(({ truth }) => truth.height));
  return pictures.map(({ name, predicted, truth }) => {
    const cell = createRaster(2 * width + 4, height);
    const [left, top] = [Math.floor((width - truth.width) / 2), Math.floor((height - truth.height) / 2)];
    pasteRaster(cell, predicted, left, top);
    pasteRaster(cell, truth, width + 4 + left, top);
    return { raster: cell, caption: name };
  });
};
