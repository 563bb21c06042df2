import { rankByScore } from './average-precision.js';

/** Settings of non-maximum suppression. */
export type SuppressionOptions = {
  /**
   * A box goes when it overlaps a better one by more than this (IoU).
   * @default 0.3
   */
  readonly iou?: number;
  /** A label a box: then only boxes of the same label suppress each other. */
  readonly labels?: ArrayLike<number>;
  /** At most that many are kept; all if absent. */
  readonly limit?: number;
};

/**
 * Greedy non-maximum suppression (Girshick et al. 2014, 2.2): the best box is kept, every other that overlaps it by more than
 * `iou` goes, and so on with what is left. Returns the numbers of the kept boxes, best first; equal scores stay in their order.
 *
 * @param boxes `[n, 4]`: `x0, y0, x1, y1` in continuous pixels
 */
export const suppressNonMaxima = (
  boxes: Float32Array,
  scores: ArrayLike<number>,
  { iou = 0.3, labels, limit = Infinity }: SuppressionOptions = {},
): Int32Array => {
  if (boxes.length !== 4 * scores.length || (labels && labels.length !== scores.length)) {
    throw new RangeError(
      `Expected four numbers a score and as many labels, got ${boxes.length} and ${labels?.length ?? 'no'} for ${scores.length}`,
    );
  }
  if (!(iou >= 0 && iou <= 1)) {
    throw new RangeError(`Expected \`iou\` to be a number from 0 to 1, got \`${iou}\` (${typeof iou})`);
  }
  const order = rankByScore(scores);
  const gone = new Uint8Array(order.length);
  const kept: number[] = [];
  for (let k = 0; k < order.length && kept.length < limit; k++) {
    const i = order[k]!;
    if (gone[i]) continue;
    kept.push(i);
    const x0 = boxes[4 * i]!;
    const y0 = boxes[4 * i + 1]!;
    const x1 = boxes[4 * i + 2]!;
    const y1 = boxes[4 * i + 3]!;
    const own = (x1 - x0) * (y1 - y0);
    for (let l = k + 1; l < order.length; l++) {
      const j = order[l]!;
      if (gone[j] || (labels && labels[j] !== labels[i])) continue;
      const left = boxes[4 * j]!;
      const top = boxes[4 * j + 1]!;
      const right = boxes[4 * j + 2]!;
      const bottom = boxes[4 * j + 3]!;
      const width = (x1 < right ? x1 : right) - (x0 > left ? x0 : left);
      const height = (y1 < bottom ? y1 : bottom) - (y0 > top ? y0 : top);
      if (width <= 0 || height <= 0) continue;
      const common = width * height;
      if (common > iou * (own + (right - left) * (bottom - top) - common)) gone[j] = 1;
    }
  }
  return Int32Array.from(kept);
};
