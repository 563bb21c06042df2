/** How a precision-recall curve becomes one number: at 11 recalls (VOC 2007), at 101 (COCO), or the area under its envelope. */
export type Interpolation = '11-point' | '101-point' | 'all-points';

/** One class (or one class at one overlap): its detections, and where its positives are. */
export type RankedDetections = {
  /** Scores, in any order; equal ones keep the order in which they stand. */
  readonly score: readonly number[];
  /** Index of each detection's test image. */
  readonly image: readonly number[];
  /** 1 for a true positive, 0 for a false one; detections that the evaluation ignores are left out. */
  readonly tp: readonly number[];
  /** Positives of each test image, whether found or not. */
  readonly positives: readonly number[];
};

const recalls: Readonly<Record<Interpolation, number>> = { '11-point': 11, '101-point': 101, 'all-points': 0 };

/**
 * Prepares a class once, so that its average precision (0 to 1) under image weights costs one pass over the detections above
 * its last true positive: `p(j) = sum_{i <= j} w tp / sum_{i <= j} w`, made monotone from the right. Whole weights give
 * exactly the value of the data with its images repeated. NaN where no positive has weight.
 */
export const prepareAveragePrecision = (
  { score, image, tp, positives }: RankedDetections,
  interpolation: Interpolation,
): ((weights: ArrayLike<number>) => number) => {
  const ranked = score.map((_, k) => k).sort((a, b) => score[b]! - score[a]! || a - b);
  const hits = Int32Array.from([...ranked.keys()].filter((j) => tp[ranked[j]!] === 1));
  const images = Int32Array.from(ranked.slice(0, (hits.at(-1) ?? -1) + 1), (k) => image[k]!);
  const holders = Int32Array.from([...positives.keys()].filter((i) => positives[i]! > 0));
  const held = Float64Array.from(holders, (i) => positives[i]!);
  const found = new Float64Array(hits.length); // weighted true positives, and precision, after each of them
  const precision = new Float64Array(hits.length);
  const points = recalls[interpolation];
  return (weights) => {
    let total = 0;
    for (let i = 0; i < holders.length; i++) total += weights[holders[i]!]! * held[i]!;
    if (total === 0) return NaN;
    let [right, wrong, count, j] = [0, 0, 0, 0];
    for (let h = 0; h < hits.length; h++) {
      const hit = hits[h]!;
      for (; j < hit; j++) wrong += weights[images[j]!]!;
      const weight = weights[images[j++]!]!;
      if (weight === 0) continue;
      right += weight;
      found[count] = right;
      precision[count++] = right / (right + wrong);
    }
    return points === 0
      ? areaUnder(found, precision, count, total)
      : meanAtRecalls(found, precision, count, total, points);
  };
};

/**
 * `sum (recall_j - recall_{j-1}) * max_{i >= j} precision_i`, by stretches of equal maximum, so that a whole weight and as
 * many copies give the same number to the last digit.
 */
const areaUnder = (found: Float64Array, precision: Float64Array, count: number, total: number): number => {
  if (count === 0) return 0;
  let [area, best, end] = [0, 0, found[count - 1]!];
  for (let j = count - 1; j >= 0; j--) {
    if (precision[j]! <= best) continue;
    area += (end - found[j]!) * best;
    [best, end] = [precision[j]!, found[j]!];
  }
  return (area + end * best) / total;
};

/**
 * The mean over `points` equally spaced recalls `r` of the best precision at a recall of `r` or more; 0 where none is. `r` is
 * `k * 0.1` in floating point, as in the evaluators (`averagePrecision`): 6 of 10 do not reach 0.6000000000000001.
 */
const meanAtRecalls = (
  found: Float64Array,
  precision: Float64Array,
  count: number,
  total: number,
  points: number,
): number => {
  let [sum, best, j] = [0, 0, count - 1];
  for (let k = points - 1; k >= 0; k--) {
    for (; j >= 0 && found[j]! / total >= k * (1 / (points - 1)); j--) best = Math.max(best, precision[j]!);
    sum += best;
  }
  return sum / points;
};
