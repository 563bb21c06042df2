import type { DetectionObject } from '../../../images/detection-dataset.js';
import type { RandomStream } from '../../../numeric/random.js';
import type { ProposalMatch } from '../match-proposals.js';
import { encodeBox } from './box-regression.js';

/** Regions of one picture to train on. */
export type SampledRois = {
  /** `[n, 4]`, corners x0 y0 x1 y1 in px of the raster */
  readonly boxes: Float32Array;
  /** Class of the object each lies on, -1 for background. */
  readonly labels: Int32Array;
  /** What moves each onto its object, `[n, 4]`; zeros for background. */
  readonly targets: Float32Array;
};

/** Which regions of a picture are drawn. */
export type RoiSamplingOptions = {
  readonly count: number;
  /**
   * Share of them on objects.
   * @default 0.25
   */
  readonly foregroundShare?: number;
  /**
   * Regions from this IoU are on an object.
   * @default 0.5
   */
  readonly foregroundIou?: number;
  /**
   * Regions from this IoU and below `foregroundIou` are background: those that touch an object a little are the ones that are hard
   * to tell (Girshick 2015, section 2.3). Where a picture has none of them, any others below `foregroundIou` are.
   * @default 0.1
   */
  readonly backgroundIou?: number;
};

/**
 * Draws regions of one picture, without replacement: at most `foregroundShare` of `count` on objects, the rest background; fewer
 * where there are not enough. Ignored regions are never drawn.
 */
export function sampleRois(
  boxes: Float32Array,
  { overlap, object, ignored }: ProposalMatch,
  objects: readonly DetectionObject[],
  random: RandomStream,
  { count, foregroundShare = 0.25, foregroundIou = 0.5, backgroundIou = 0.1 }: RoiSamplingOptions,
): SampledRois {
  const foreground: number[] = [];
  const background: number[] = [];
  const rest: number[] = [];
  overlap.forEach((iou, i) => {
    if (ignored[i]) return;
    if (iou >= foregroundIou) foreground.push(i);
    else if (iou >= backgroundIou) background.push(i);
    else rest.push(i);
  });
  const draw = (from: number[], most: number): number[] =>
    random.sample(from.length, Math.min(from.length, most)).map((at) => from[at]!);
  const onObjects = draw(foreground, Math.round(count * foregroundShare));
  const beside = draw(background.length > 0 ? background : rest, count - onObjects.length);
  const chosen = [...onObjects, ...beside];
  const sampled = {
    boxes: new Float32Array(chosen.length * 4),
    labels: new Int32Array(chosen.length).fill(-1),
    targets: new Float32Array(chosen.length * 4),
  };
  chosen.forEach((i, row) => {
    const proposal = boxes.subarray(i * 4, i * 4 + 4);
    sampled.boxes.set(proposal, row * 4);
    if (row >= onObjects.length) return;
    const { label, box } = objects[object[i]!]!;
    sampled.labels[row] = label;
    sampled.targets.set(encodeBox(proposal, [box.x, box.y, box.x + box.width, box.y + box.height]), row * 4);
  });
  return sampled;
}
