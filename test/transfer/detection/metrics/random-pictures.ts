import { RandomStream } from '../../../../src/numeric/random.js';
import type { Box } from '../../../../src/numeric/box.js';
import type { DetectionObject } from '../../../../src/images/detection-dataset.js';
import type { Detection, ImageTruth } from '../../../../src/transfer/detection/metrics/detections.js';

/** An object without flags. */
export const object = (label: number, box: Box, flags: Partial<DetectionObject> = {}): DetectionObject => ({
  label,
  box,
  difficult: false,
  crowd: false,
  ...flags,
});

/** The detections with no two scores equal, so that the order of pictures does not matter. */
export const withoutTies = (detections: readonly Detection[]): Detection[] =>
  detections.map((detection, i) => ({ ...detection, score: detection.score + i / 1e6 }));

/** A box from its edges. */
export const edges = (x0: number, y0: number, x1: number, y1: number): Box => ({
  x: x0,
  y: y0,
  width: x1 - x0,
  height: y1 - y0,
});

/**
 * Pictures with objects of all sizes, crowds, areas that are not the box's, and detections near objects, twice on objects, and
 * beside them. Whole numbers and scores in steps of 1/64, so that every evaluator computes the same overlaps and meets ties.
 */
export const randomPictures = (
  seed: number,
  { images = 12, classes = 3, crowds = 0.12, difficult = 0 } = {},
): { truth: ImageTruth[]; detections: Detection[] } => {
  const random = RandomStream.of(seed, 'random-pictures');
  const detections: Detection[] = [];
  const somewhere = (): Box => {
    const side = [12, 24, 50, 80, 130, 200][random.integer(6)]!;
    return {
      x: random.integer(300),
      y: random.integer(300),
      width: side + random.integer(20),
      height: side + random.integer(20),
    };
  };
  const truth = Array.from({ length: images }, (_, image) => {
    const objects = Array.from({ length: random.integer(9) }, () => {
      const box = somewhere();
      const label = random.integer(classes);
      const crowd = random.chance(crowds);
      const copies = crowd ? 3 : random.integer(3);
      for (let i = 0; i < copies; i++) {
        const step = (side: number): number => Math.round(side * random.uniform(-0.18, 0.18));
        const near = { x: box.x + step(box.width), y: box.y + step(box.height) };
        const size = { width: box.width + step(box.width), height: box.height + step(box.height) };
        detections.push({ image, label, score: random.integer(64) / 64, box: { ...near, ...size } });
      }
      const area = Math.round(box.width * box.height * random.uniform(0.5, 1));
      return { ...object(label, box, { crowd, area }), difficult: !crowd && random.chance(difficult) };
    });
    for (let i = random.integer(5); i > 0; i--) {
      detections.push({ image, label: random.integer(classes), score: random.integer(64) / 64, box: somewhere() });
    }
    return { objects };
  });
  return { truth, detections };
};
