import type { ImageScores } from '../transfer/statistics/image-scores.js';
import { evaluateKnn, type KnnOptions, type LabelledFeatures } from '../transfer/knn/weighted-knn.js';
import { evaluateLinear } from '../transfer/linear/logistic-regression.js';
import { evaluateLowShot } from '../transfer/low-shot/low-shot-svm.js';
import { meanAp, top1, type Metric } from '../transfer/metric.js';
import { evaluateSvm } from '../transfer/svm/evaluate-svm.js';
import type { FeatureProtocol } from './evaluation.js';
import type { MeasuredScores } from './with-intervals.js';

type Measure = (split: LabelledFeatures, knn: KnnOptions) => readonly MeasuredScores[];

const scored = (protocol: string, metric: Metric, value: number, scores: ImageScores): MeasuredScores => ({
  ...{ protocol, metric: metric.name, value, scores },
});

/** What each protocol measures on features. */
export const featureProtocols: Readonly<Record<FeatureProtocol, Measure>> = {
  knn: (split, knn) => {
    const found = evaluateKnn(split, knn);
    return [scored('knn', top1, found.top1, found.images)];
  },
  linear: (split) => {
    const found = evaluateLinear(split);
    return [scored('linear', top1, found.top1, found.images)];
  },
  svm: (split) => {
    checkClasses('svm', split);
    const { top1: right, map, images } = evaluateSvm(split);
    return [scored('svm', top1, right, images.top1), scored('svm', meanAp, map, images.map)];
  },
  'low-shot': (split) => {
    checkClasses('low-shot', split);
    return evaluateLowShot(split).map((found) =>
      scored(`low-shot, k = ${found.k}`, top1, found.top1.mean, found.images),
    );
  },
};

/** One-vs-rest SVMs need both sides of every class. */
const checkClasses = (protocol: string, { trainLabels, classes }: LabelledFeatures): void => {
  const known = new Set(Array.from(trainLabels));
  if (known.size < 2)
    throw new RangeError(`Expected training rows of at least 2 classes for \`${protocol}\`, got ${known.size}`);
  for (let label = 0; label < classes; label++) {
    if (!known.has(label))
      throw new RangeError(`Expected training rows of every class for \`${protocol}\`, got none of class ${label}`);
  }
};
