/**
 * How a curve of precision over recall becomes one number. With `p̂(r)` the best precision at recall `r` or beyond:
 *
 * * `11-point`: `1/11 Σ p̂(t)`, t = 0, 0.1 … 1 (VOC until 2009);
 * * `101-point`: the same at 0, 0.01 … 1 (COCO);
 * * `all-points`: `Σ (r_k - r_(k-1)) p̂(r_k)`, the area under `p̂` (VOC from 2010 on, and the SVMs of Goyal et al. 2019);
 * * `none`: `Σ (R_k - R_(k-1)) P_k` over distinct scores and without interpolation (scikit-learn's `average_precision_score`).
 *
 * On one and the same ranking they differ by points, not by rounding: figures under two of them cannot be compared.
 */
export type Interpolation = '11-point' | '101-point' | 'all-points' | 'none';

/** Indices by falling score; equal scores keep their order. Throws a RangeError for a score that is no number. */
export const rankByScore = (scores: ArrayLike<number>): Uint32Array => {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) throw new RangeError(`Expected scores to be numbers, got NaN at ${i}`);
  }
  return order.sort((a, b) => scores[b]! - scores[a]! || a - b);
};

/**
 * Average precision of ranked answers, in [0, 1]. An answer is right where `hits` is 1 and wrong where it is 0; what is to count
 * as neither is left out by the caller.
 *
 * Grid points are `i * 0.1` and `i * 0.01` in floating point, as in every evaluator in use: 3 of 10 found does not reach the grid
 * point 0.30000000000000004.
 *
 * @param scores one an answer, in any order; equal ones are ranked as they come
 * @param positives how many there are to find; 0 makes the result NaN
 */
export const averagePrecision = (
  scores: ArrayLike<number>,
  hits: ArrayLike<number>,
  positives: number,
  interpolation: Interpolation,
): number => {
  if (scores.length !== hits.length) {
    throw new RangeError(`Expected as many scores as hits, got ${scores.length} and ${hits.length}`);
  }
  if (!(positives > 0)) return NaN;
  const order = rankByScore(scores);
  const precision = new Float64Array(order.length);
  const recall = new Float64Array(order.length);
  let right = 0;
  for (const [k, i] of order.entries()) {
    right += hits[i]!;
    precision[k] = right / (k + 1);
    recall[k] = right / positives;
  }
  if (interpolation === 'none') return areaBetweenScores(precision, recall, order, scores);
  for (let k = precision.length - 2; k >= 0; k--) precision[k] = Math.max(precision[k]!, precision[k + 1]!);
  if (interpolation === 'all-points') return areaUnder(precision, recall);
  return interpolation === '11-point' ? meanOnGrid(precision, recall, 10) : meanOnGrid(precision, recall, 100);
};

const areaUnder = (precision: Float64Array, recall: Float64Array): number => {
  let area = 0;
  for (let k = 0; k < recall.length; k++) area += (recall[k]! - (k > 0 ? recall[k - 1]! : 0)) * precision[k]!;
  return area;
};

/** Answers of equal score are one step of the curve. */
const areaBetweenScores = (
  precision: Float64Array,
  recall: Float64Array,
  order: Uint32Array,
  scores: ArrayLike<number>,
): number => {
  let area = 0;
  let before = 0;
  for (let k = 0; k < recall.length; k++) {
    if (k + 1 < order.length && scores[order[k + 1]!] === scores[order[k]!]) continue;
    area += (recall[k]! - before) * precision[k]!;
    before = recall[k]!;
  }
  return area;
};

const meanOnGrid = (precision: Float64Array, recall: Float64Array, steps: number): number => {
  let sum = 0;
  for (let i = 0, k = 0; i <= steps; i++) {
    const least = i === steps ? 1 : i * (1 / steps);
    while (k < recall.length && recall[k]! < least) k++;
    if (k < recall.length) sum += precision[k]!;
  }
  return sum / (steps + 1);
};
