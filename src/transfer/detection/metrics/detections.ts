import { rankByScore } from '../../../numeric/average-precision.js';
import { area, intersect, type Box } from '../../../numeric/box.js';
import type { DetectionObject } from '../../../images/detection-dataset.js';

/** A box that a detector found. */
export type Detection = {
  /** Number of the picture in the test list. */
  readonly image: number;
  readonly label: number;
  /** The higher, the surer; any scale, comparable within a class over all pictures. */
  readonly score: number;
  readonly box: Box;
};

/** What is to be found in a picture, in the same pixels as the detections. */
export type ImageTruth = { readonly objects: readonly DetectionObject[] };

/**
 * What `x + width` of a box says. `edges`: the right edge in continuous pixels, so that the area is `width * height`. `pixels`: the
 * number of the last pixel, so that both sides are one longer, `(width + 1)(height + 1)`.
 *
 * VOC counts pixels (`xmin … xmax`, both inside) and its devkit adds the one. The readers here have added it already
 * (`width = xmax - xmin + 1`), so that `edges` on their boxes *is* VOC's overlap. `pixels` is for reproducing evaluators that
 * add one to boxes which have it, or which never counted pixels (`rafaelpadilla/Object-Detection-Metrics` does so with
 * `x y width height`); COCO never adds one.
 */
export type BoxConvention = 'edges' | 'pixels';

const asEdges = (box: Box, convention: BoxConvention): Box =>
  convention === 'edges' ? box : { x: box.x, y: box.y, width: box.width + 1, height: box.height + 1 };

/** Intersection over union; for a crowd the share of the detection that lies in it (COCO's `iscrowd`). */
export const overlapWith = (object: DetectionObject, found: Box, convention: BoxConvention): number => {
  const a = asEdges(object.box, convention);
  const b = asEdges(found, convention);
  const common = area(intersect(a, b));
  const whole = object.crowd ? area(b) : area(a) + area(b) - common;
  return whole > 0 ? common / whole : 0;
};

/** Detections of each class, best first, equal scores in the order given. Throws a RangeError for a picture or class there is not. */
export const rankDetections = (
  detections: readonly Detection[],
  images: number,
  classes: number,
): readonly (readonly Detection[])[] => {
  const byClass: Detection[][] = Array.from({ length: classes }, () => []);
  for (const detection of detections) {
    const { image, label } = detection;
    const found = byClass[label];
    if (!found || !Number.isInteger(image) || image < 0 || image >= images) {
      throw new RangeError(
        `Expected detections in pictures 0 to ${images - 1} of classes 0 to ${classes - 1}, got class \`${label}\` in picture \`${image}\``,
      );
    }
    found.push(detection);
  }
  return byClass.map((found) => {
    const order = rankByScore(found.map(({ score }) => score));
    return Array.from(order, (i) => found[i] as Detection);
  });
};

/**
 * Truth and detections of loaded pictures brought back to the pictures' own pixels, which is what COCO's areas (32², 96²) are
 * measured in.
 *
 * @param images as `loadDetection` gives them: `scale` is raster px a picture px
 */
export const atPictureSize = (
  images: readonly (ImageTruth & { readonly scale: number })[],
  detections: readonly Detection[],
): { truth: ImageTruth[]; detections: Detection[] } => {
  const enlarge = ({ x, y, width, height }: Box, scale: number): Box => ({
    x: x / scale,
    y: y / scale,
    width: width / scale,
    height: height / scale,
  });
  return {
    truth: images.map(({ scale, objects }) => ({
      objects: objects.map(({ area, ...object }) => ({
        ...object,
        box: enlarge(object.box, scale),
        ...(area === undefined ? {} : { area: area / scale ** 2 }),
      })),
    })),
    detections: detections.map((detection) => ({
      ...detection,
      box: enlarge(detection.box, images[detection.image]!.scale),
    })),
  };
};
