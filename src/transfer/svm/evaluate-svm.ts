import { selectRows, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { RandomStream } from '../../numeric/random.js';
import { classificationImageScores, meanAveragePrecision } from '../classification/mean-average-precision.js';
import { argmaxRows, type LabelledFeatures } from '../knn/weighted-knn.js';
import { reduceToSpan } from '../linear/span-reduction.js';
import { accuracy } from '../metric.js';
import { rightOrWrong } from '../statistics/right-or-wrong.js';
import type { ImageScores } from '../statistics/image-scores.js';
import { unitRows } from '../unit-rows.js';
import { chooseCost, type SvmSettings } from './choose-cost.js';
import { sidesOf, singleLabelTargets, type ClassTargets } from './class-targets.js';
import { decisionValues, trainLinearSvm } from './linear-svm.js';

/** How average precision is reported. */
export type ReportedPrecision = '11-point' | 'all-points';

/** How the SVMs are trained and judged. */
export type SvmOptions = {
  /**
   * Costs to choose from, class by class.
   * @default {@link defaultCosts}
   */
  readonly costs?: readonly number[];
  /**
   * Folds of the training part among which a cost is chosen.
   * @default 3
   */
  readonly folds?: number;
  /**
   * Draws the folds.
   * @default 1
   */
  readonly seed?: number;
  /**
   * Beside `positiveWeight: 2`, which Goyal et al. take.
   * @default {}
   */
  readonly settings?: SvmSettings;
  /**
   * Definition of the average precision that is *reported*; costs are always chosen by `none`, as in the released protocol of
   * Goyal et al. 2019.
   * @default 'all-points'
   */
  readonly interpolation?: ReportedPrecision;
};

/** A split of rows that may show several classes each. */
export type MultiLabelFeatures = {
  readonly train: FeatureMatrix;
  readonly trainTargets: ClassTargets;
  readonly test: FeatureMatrix;
  readonly testTargets: ClassTargets;
};

/** Decision values of the SVMs of all classes. */
export type SvmScores = {
  /** `[test rows, classes]`. */
  readonly scores: Float64Array;
  /** Cost that was chosen, a class. */
  readonly costs: readonly number[];
  /** False where an SVM ran out of steps. */
  readonly converged: boolean;
};

/** What the rows' length is raised by before they are divided by it (Goyal et al.). */
export const lengthOffset = 1e-5;

/**
 * One linear SVM a class against the rest (Goyal et al. 2019): rows of length 1, positive rows weighted twice, the cost chosen class
 * by class within the training part, then trained on all of it. Rows that are neither (-1) take no part in their class. Wide rows
 * are first reduced to their span, which changes no score. Every class must have training rows on both sides.
 */
export const oneVsRestScores = (
  { train, trainTargets, test }: Omit<MultiLabelFeatures, 'testTargets'>,
  { seed = 1, settings, ...options }: SvmOptions = {},
): SvmScores => {
  const { classes, values } = trainTargets;
  if (values.length !== train.rows * classes) {
    throw new RangeError(`Expected ${train.rows} x ${classes} targets, got ${values.length}`);
  }
  const svm: SvmSettings = { positiveWeight: 2, ...settings };
  const { features, project } = reduceToSpan(unitRows(train, lengthOffset));
  const judged = project(unitRows(test, lengthOffset));
  const scores = new Float64Array(test.rows * classes);
  let converged = true;
  const costs = Array.from({ length: classes }, (_, label) => {
    const { rows, labels } = sidesOf(trainTargets, label);
    const own = selectRows(features, rows);
    const c = chooseCost(own, labels, RandomStream.of(seed, 'svm folds', label), { ...options, settings: svm });
    const trained = trainLinearSvm(own, labels, { ...svm, c });
    converged &&= trained.converged;
    decisionValues(trained, judged).forEach((value, i) => {
      scores[i * classes + label] = value;
    });
    return c;
  });
  return { scores, costs, converged };
};

/** Mean average precision in percent of scores `[images, classes]`, and its parts image by image. */
export const judgeByPrecision = (
  scores: Float64Array,
  { classes, values }: ClassTargets,
  interpolation: ReportedPrecision,
): { readonly map: number; readonly images: ImageScores } => ({
  map: meanAveragePrecision(scores, values, classes, interpolation).map,
  images: classificationImageScores(scores, values, classes, interpolation),
});

/** Top-1 accuracy in percent of the class with the largest score, and whether each image is right (100) or wrong (0). */
export const judgeByLargest = (
  scores: Float64Array,
  labels: ArrayLike<number>,
  classes: number,
): { readonly top1: number; readonly images: ImageScores } => {
  const named = argmaxRows(scores, classes);
  return { top1: accuracy(named, labels), images: rightOrWrong(named, labels) };
};

/** {@link oneVsRestScores} of rows with several classes each, as VOC2007 is: mean average precision, in percent. */
export const evaluateMultiLabelSvm = (
  split: MultiLabelFeatures,
  options: SvmOptions = {},
): Omit<SvmScores, 'scores'> & { readonly map: number; readonly images: ImageScores } => {
  const { scores, costs, converged } = oneVsRestScores(split, options);
  return { ...judgeByPrecision(scores, split.testTargets, options.interpolation ?? 'all-points'), costs, converged };
};

/** {@link oneVsRestScores} of rows of one class each: top-1 by the largest margin, and mean average precision, in percent. */
export const evaluateSvm = (
  { train, trainLabels, test, testLabels, classes }: LabelledFeatures,
  options: SvmOptions = {},
): Omit<SvmScores, 'scores'> & {
  readonly top1: number;
  readonly map: number;
  readonly images: { readonly top1: ImageScores; readonly map: ImageScores };
} => {
  const trainTargets = singleLabelTargets(trainLabels, classes);
  const { scores, costs, converged } = oneVsRestScores({ train, trainTargets, test }, options);
  const largest = judgeByLargest(scores, testLabels, classes);
  const ranked = judgeByPrecision(
    scores,
    singleLabelTargets(testLabels, classes),
    options.interpolation ?? 'all-points',
  );
  return {
    top1: largest.top1,
    map: ranked.map,
    images: { top1: largest.images, map: ranked.images },
    costs,
    converged,
  };
};
