import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { topK } from '../../neighbors/top-k.js';
import { accuracy } from '../metric.js';
import type { ImageScores } from '../statistics/image-scores.js';
import { rightOrWrong } from '../statistics/right-or-wrong.js';

/** Settings of the vote. */
export type KnnOptions = {
  /**
   * Neighbours that vote, from 1 to the size of the bank.
   * @default 20
   */
  readonly k?: number;
  /**
   * Temperature of the votes, above 0: 0.07 as in NPID (VISSL takes 0.1).
   * @default 0.07
   */
  readonly sigma?: number;
};

/**
 * Class weights of each query by weighted k-NN (Wu et al. 2018, 3.4): class c gets `sum exp(cos / sigma)` over its members
 * among the k nearest, divided by the sum over all classes. `[queries, classes]`.
 *
 * @param labels class of each bank row, from 0
 * @param options.exclude one bank row a query that has no vote: the query itself, where it is in the bank
 */
export const knnWeights = (
  queries: FeatureMatrix,
  bank: FeatureMatrix,
  labels: ArrayLike<number>,
  classes: number,
  { k = 20, sigma = 0.07, exclude }: KnnOptions & { readonly exclude?: ArrayLike<number> } = {},
): Float64Array => {
  if (labels.length !== bank.rows) {
    throw new RangeError(`Expected one label a bank row, got ${labels.length} for ${bank.rows} rows`);
  }
  if (!(sigma > 0))
    throw new RangeError(`Expected \`sigma\` to be a number above 0, got \`${sigma}\` (${typeof sigma})`);
  const { indices, similarities } = topK(queries, bank, k, exclude ? { exclude } : {});
  const weights = new Float64Array(queries.rows * classes);
  for (let i = 0; i < queries.rows; i++) {
    // Relative to the nearest neighbour, so that a small sigma cannot overflow; the division below takes it out again.
    const nearest = similarities[i * k] as number;
    let total = 0;
    for (let j = 0; j < k; j++) {
      const label = labels[indices[i * k + j] as number] as number;
      if (!(label >= 0 && label < classes)) {
        throw new RangeError(`Expected labels from 0 to ${classes - 1}, got \`${label}\``);
      }
      const vote = Math.exp(((similarities[i * k + j] as number) - nearest) / sigma);
      weights[i * classes + label] = (weights[i * classes + label] as number) + vote;
      total += vote;
    }
    for (let c = 0; c < classes; c++) weights[i * classes + c] = (weights[i * classes + c] as number) / total;
  }
  return weights;
};

/** Number of the largest value in each row of `[rows, classes]`; of equal ones the lowest class. */
export const argmaxRows = (values: ArrayLike<number>, classes: number): Int32Array =>
  Int32Array.from({ length: values.length / classes }, (_, i) => {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if ((values[i * classes + c] as number) > (values[i * classes + best] as number)) best = c;
    }
    return best;
  });

/** A labelled split of features: the training part is the bank (or the probe's training set), the test part is measured. */
export type LabelledFeatures = {
  readonly train: FeatureMatrix;
  readonly trainLabels: ArrayLike<number>;
  readonly test: FeatureMatrix;
  readonly testLabels: ArrayLike<number>;
  readonly classes: number;
};

/** Top-1 accuracy of weighted k-NN, in percent, and what it is made of, image by image. */
export const evaluateKnn = (
  { train, trainLabels, test, testLabels, classes }: LabelledFeatures,
  options: KnnOptions = {},
): { readonly top1: number; readonly images: ImageScores } => {
  const named = argmaxRows(knnWeights(test, train, trainLabels, classes, options), classes);
  return { top1: accuracy(named, testLabels), images: rightOrWrong(named, testLabels) };
};
