import { prepareMeanPrecision, type EnvelopeInterpolation, type RankedDetections } from './weighted-precision.js';
import { prepareQuantile } from './weighted-quantile.js';

/** Test images that were not drawn one by one (frames of one sweep, views of one object): the group of each, from 0. */
type Grouped = { readonly groups?: readonly number[] };

/**
 * What a metric is made of, test image by test image, so that it can be computed again with images left out or repeated:
 *
 * - `mean`: the mean of one value an image (top-1: 100 or 0). `most`: what a value is at most, where not all of them are 100 or 0.
 * - `quantile`: the `q`-quantile of the values of all images' pixels, from each image's histogram.
 * - `ratio`: `scale * sum hits / sum totals` (`scale` 100 if absent): a share of pixels, or with 1 a mean over pixels.
 * - `average-precision`: `scale` (100 if absent) times the mean of the classes' average precisions; classes without positives
 *   are left out. COCO's AP has an entry a class and overlap, at 101 points.
 */
export type ImageScores = Grouped &
  (
    | { readonly kind: 'mean'; readonly values: readonly number[]; readonly most?: number }
    | {
        readonly kind: 'quantile';
        readonly q: number;
        /** Bin edges, ascending, one more than bins. */
        readonly edges: readonly number[];
        /** `counts[image][bin]`. */
        readonly counts: readonly (readonly number[])[];
      }
    | {
        readonly kind: 'ratio';
        readonly hits: readonly number[];
        readonly totals: readonly number[];
        readonly scale?: number;
      }
    | {
        readonly kind: 'average-precision';
        /** Test images; `image` of a detection is below it. */
        readonly images: number;
        readonly classes: readonly RankedDetections[];
        readonly interpolation: EnvelopeInterpolation;
        readonly scale?: number;
      }
  );

/** Scores made ready to be measured many times. */
export type PreparedScores = {
  readonly images: number;
  /** The least and largest value that the metric can take. */
  readonly range: readonly [number, number];
  /** The metric where image `i` counts `weights[i]` times. NaN where it is not defined. */
  readonly measure: (weights: ArrayLike<number>) => number;
};

/** The number of test images. */
const countImages = (scores: ImageScores): number => {
  switch (scores.kind) {
    case 'mean':
      return scores.values.length;
    case 'quantile':
      return scores.counts.length;
    case 'ratio':
      return scores.totals.length;
    case 'average-precision':
      return scores.images;
  }
};

/** Sorts, sums up and checks what does not depend on the weights. */
export const prepareScores = (scores: ImageScores): PreparedScores => {
  const images = countImages(scores);
  if (images === 0) throw new RangeError(`Expected scores of at least one test image, got none (\`${scores.kind}\`)`);
  checkLength('groups', scores.groups ?? { length: images }, images);
  switch (scores.kind) {
    case 'mean':
      return { images, ...prepareMean(scores.values, scores.most) };
    case 'quantile': {
      const { q, edges, counts } = scores;
      for (const row of counts) checkLength('counts of an image', row, edges.length - 1);
      return { images, range: [edges[0]!, edges.at(-1)!], measure: prepareQuantile(q, edges, counts) };
    }
    case 'ratio':
      return { images, ...prepareRatio(scores.hits, scores.totals, scores.scale ?? 100) };
    case 'average-precision':
      return { images, ...preparePrecision(scores.classes, scores.interpolation, images, scores.scale ?? 100) };
  }
};

/** The metric of the test images, or where weights are given, of the images repeated so often. NaN where it is not defined. */
export const measure = (scores: ImageScores, weights?: ArrayLike<number>): number => {
  const prepared = prepareScores(scores);
  if (weights) checkLength('weights', weights, prepared.images);
  return prepared.measure(weights ?? new Int32Array(prepared.images).fill(1));
};

const checkLength = (name: string, values: { readonly length: number }, length: number): void => {
  if (values.length !== length) throw new RangeError(`Expected ${length} ${name}, got ${values.length}`);
};

type Measuring = Omit<PreparedScores, 'images'>;

/** Values of 0 and 100 are a share in percent: their mean ends there. */
const prepareMean = (given: readonly number[], most?: number): Measuring => {
  const values = Float64Array.from(given);
  const isShare = values.every((value) => value === 0 || value === 100);
  return {
    range: [values.every((value) => value >= 0) ? 0 : -Infinity, most ?? (isShare ? 100 : Infinity)],
    measure: (weights) => {
      let [sum, total] = [0, 0];
      for (let i = 0; i < values.length; i++) {
        sum += weights[i]! * values[i]!;
        total += weights[i]!;
      }
      return sum / total;
    },
  };
};

const prepareRatio = (givenHits: readonly number[], givenTotals: readonly number[], scale: number): Measuring => {
  checkLength('hits', givenHits, givenTotals.length);
  const [hits, totals] = [Float64Array.from(givenHits), Float64Array.from(givenTotals)];
  const isShare = hits.every((value, i) => value <= totals[i]!);
  return {
    range: [hits.every((value) => value >= 0) ? 0 : -Infinity, isShare ? scale : Infinity],
    measure: (weights) => {
      let [sum, total] = [0, 0];
      for (let i = 0; i < totals.length; i++) {
        sum += weights[i]! * hits[i]!;
        total += weights[i]! * totals[i]!;
      }
      return total > 0 ? (scale * sum) / total : NaN;
    },
  };
};

const preparePrecision = (
  classes: readonly RankedDetections[],
  interpolation: EnvelopeInterpolation,
  images: number,
  scale: number,
): Measuring => {
  for (const { score, image, tp, positives } of classes) {
    checkLength('images of detections', image, score.length);
    checkLength('true or false marks of detections', tp, score.length);
    checkLength('numbers of positives', positives, images);
    const outside = image.find((index) => !(index >= 0 && index < images));
    if (outside !== undefined) throw new RangeError(`Expected images below ${images}, got \`${outside}\``);
  }
  const precision = prepareMeanPrecision(classes, interpolation);
  return { range: [0, scale], measure: (weights) => scale * precision(weights) };
};
