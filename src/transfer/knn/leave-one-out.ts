import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { accuracy } from '../metric.js';
import { argmaxRows, knnWeights, type KnnOptions } from './weighted-knn.js';

/**
 * Top-1 accuracy, in percent, of weighted k-NN where each row is named by the others: of a set without a test part. Not comparable with
 * `evaluateKnn`, whose bank holds other pictures.
 *
 * @param labels class of each row, from 0
 * @param options `k` from 1 to one less than the rows
 */
export const leaveOneOutKnn = (
  features: FeatureMatrix,
  labels: ArrayLike<number>,
  classes: number,
  options: KnnOptions = {},
): number => {
  const exclude = Int32Array.from({ length: features.rows }, (_, row) => row);
  return accuracy(
    argmaxRows(knnWeights(features, features, labels, classes, { ...options, exclude }), classes),
    labels,
  );
};
