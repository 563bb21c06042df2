/**
 * How the area under a precision-recall curve is taken. The three differ by points on one ranking, so every result names its own.
 *
 * * `plain`: `sum (R_n - R_(n-1)) P_n` over the distinct scores, nothing interpolated (scikit-learn's `average_precision_score`);
 * * `all-points`: the same sum with P replaced by the best precision at that recall or a higher one (VOC since 2010, and the
 *   released evaluation of Goyal et al. 2019);
 * * `11-point`: the mean of those best precisions at recall 0, 0.1 … 1 (VOC until 2009).
 */
export type Interpolation = 'plain' | 'all-points' | '11-point';

/**
 * Average precision of a ranking by score, from 0 to 1. Samples of one score enter together, so that their order does not matter.
 *
 * @param labels 1 (positive), -1 (negative) or 0 (neither: left out, as VOC's "difficult"), one a score
 * @returns NaN where there is no positive
 */
export const averagePrecision = (
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  interpolation: Interpolation,
): number => {
  const { recall, precision } = precisionRecall(scores, labels);
  if (recall.length === 0) return NaN;
  if (interpolation === 'plain') return areaUnder(recall, precision);
  for (let i = precision.length - 2; i >= 0; i--) precision[i] = Math.max(precision[i]!, precision[i + 1]!);
  if (interpolation === 'all-points') return areaUnder(recall, precision);
  let sum = 0;
  for (let tenth = 0; tenth <= 10; tenth++) {
    const at = recall.findIndex((value) => value >= tenth / 10);
    if (at >= 0) sum += precision[at]!;
  }
  return sum / 11;
};

const areaUnder = (recall: readonly number[], precision: readonly number[]): number =>
  recall.reduce((sum, value, i) => sum + (value - (i > 0 ? recall[i - 1]! : 0)) * precision[i]!, 0);

/** A point for each distinct score, from the highest down; none where there is no positive. */
const precisionRecall = (
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
): { readonly recall: number[]; readonly precision: number[] } => {
  if (scores.length !== labels.length) {
    throw new RangeError(`Expected one label a score, got ${labels.length} for ${scores.length} scores`);
  }
  const order: number[] = [];
  let positives = 0;
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) throw new RangeError(`Expected scores to be numbers, got NaN at ${i}`);
    if (labels[i] !== 0) order.push(i);
    if (labels[i]! > 0) positives++;
  }
  const [recall, precision]: [number[], number[]] = [[], []];
  if (positives === 0) return { recall, precision };
  order.sort((a, b) => scores[b]! - scores[a]!);
  let right = 0;
  order.forEach((sample, n) => {
    if (labels[sample]! > 0) right++;
    if (n + 1 < order.length && scores[order[n + 1]!] === scores[sample]) return;
    recall.push(right / positives);
    precision.push(right / (n + 1));
  });
  return { recall, precision };
};
