import type { Interpolation } from '../../numeric/average-precision.js';

/** How a precision-recall curve becomes one number: every way that reads the curve's envelope. */
export type EnvelopeInterpolation = Exclude<Interpolation, 'none'>;

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

const recalls: Readonly<Record<EnvelopeInterpolation, number>> = { '11-point': 11, '101-point': 101, 'all-points': 0 };

/** One class and overlap, as it is measured: its true positives (ranks among the detections) and where its positives are. */
type Truth = {
  readonly hits: Int32Array;
  readonly holders: Int32Array;
  readonly held: Float64Array;
  /** Weighted true positives and precision after each of them: written anew by every measurement. */
  readonly found: Float64Array;
  readonly precision: Float64Array;
};

/**
 * Prepares the classes once, so that the mean of their average precisions (0 to 1) under image weights costs one pass over the
 * detections above each class's last true positive: `p(j) = sum_{i <= j} w tp / sum_{i <= j} w`, made monotone from the right.
 * Entries with the same detections (a class at COCO's ten overlaps) share that pass. Whole weights give exactly the value of
 * the data with its images repeated. Classes of whose positives none has weight are left out; NaN where that is all of them.
 */
export const prepareMeanPrecision = (
  classes: readonly RankedDetections[],
  interpolation: EnvelopeInterpolation,
): ((weights: ArrayLike<number>) => number) => {
  const lists = new Map<string, RankedDetections[]>();
  for (const entry of classes) {
    const key = `${entry.score.join()};${entry.image.join()}`;
    lists.set(key, [...(lists.get(key) ?? []), entry]);
  }
  const prepared = [...lists.values()].map(prepareList);
  const points = recalls[interpolation];
  return (weights) => {
    let [sum, count] = [0, 0];
    for (const { images, above, truths } of prepared) {
      for (let j = 0, weight = 0; j < images.length; j++) above[j] = weight += weights[images[j]!]!;
      for (const truth of truths) {
        const value = weightedPrecision(truth, images, above, points, weights);
        if (Number.isNaN(value)) continue;
        sum += value;
        count++;
      }
    }
    return count > 0 ? sum / count : NaN;
  };
};

/** Entries that share their detections, best first, as far down as one of them has a true positive. */
const prepareList = (entries: readonly RankedDetections[]) => {
  const { score, image } = entries[0]!;
  const ranked = score.map((_, k) => k).sort((a, b) => score[b]! - score[a]! || a - b);
  const truths = entries.map(({ tp, positives }): Truth => {
    const hits = Int32Array.from([...ranked.keys()].filter((j) => tp[ranked[j]!] === 1));
    const holders = Int32Array.from([...positives.keys()].filter((i) => positives[i]! > 0));
    return {
      ...{ hits, holders, held: Float64Array.from(holders, (i) => positives[i]!) },
      ...{ found: new Float64Array(hits.length), precision: new Float64Array(hits.length) },
    };
  });
  const length = Math.max(...truths.map(({ hits }) => (hits.at(-1) ?? -1) + 1));
  const images = Int32Array.from(ranked.slice(0, length), (k) => image[k]!);
  return { images, above: new Float64Array(length), truths };
};

/** The average precision of one class and overlap under image weights. `above[j]`: the weight of all detections down to the j-th. */
const weightedPrecision = (
  { hits, holders, held, found, precision }: Truth,
  images: Int32Array,
  above: Float64Array,
  points: number,
  weights: ArrayLike<number>,
): number => {
  let total = 0;
  for (let i = 0; i < holders.length; i++) total += weights[holders[i]!]! * held[i]!;
  if (total === 0) return NaN;
  let [right, count] = [0, 0];
  for (let h = 0; h < hits.length; h++) {
    const hit = hits[h]!;
    const weight = weights[images[hit]!]!;
    if (weight === 0) continue;
    right += weight;
    found[count] = right;
    precision[count++] = right / above[hit]!;
  }
  return points === 0
    ? areaUnder(found, precision, count, total)
    : meanAtRecalls(found, precision, count, total, points);
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
  if (count === 0) return 0;
  let [sum, best, end] = [0, 0, pointsUpTo(found[count - 1]! / total, points)];
  for (let j = count - 1; j >= 0; j--) {
    if (precision[j]! <= best) continue;
    const reached = pointsUpTo(found[j]! / total, points);
    sum += (end - reached) * best;
    [best, end] = [precision[j]!, reached];
  }
  return (sum + end * best) / points;
};

/** How many of the recalls `k * (1 / (points - 1))` are not above `recall`. */
const pointsUpTo = (recall: number, points: number): number => {
  const step = 1 / (points - 1);
  let k = Math.floor(recall * (points - 1));
  // The rounding of this product may fall on the other side of that of the recalls.
  if (k * step > recall) k--;
  else if ((k + 1) * step <= recall) k++;
  return Math.min(k + 1, points);
};
