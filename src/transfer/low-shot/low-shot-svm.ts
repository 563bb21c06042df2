import { selectRows, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { RandomStream } from '../../numeric/random.js';
import { mean, std } from '../../numeric/statistics.js';
import type { LabelledFeatures } from '../knn/weighted-knn.js';
import { reduceToSpan } from '../linear/span-reduction.js';
import type { ImageScores } from '../statistics/image-scores.js';
import type { SvmSettings } from '../svm/choose-cost.js';
import { singleLabelTargets, type ClassTargets } from '../svm/class-targets.js';
import {
  judgeByLargest,
  judgeByPrecision,
  lengthOffset,
  type MultiLabelFeatures,
  type ReportedPrecision,
} from '../svm/evaluate-svm.js';
import { decisionValues, trainLinearSvm } from '../svm/linear-svm.js';
import { unitRows } from '../unit-rows.js';
import { drawShots, type Shots } from './draw-shots.js';

/** How low-shot SVMs are trained. */
export type LowShotOptions = {
  /**
   * Positive training rows a class. Those above the size of the smallest class are left out.
   * @default [1, 2, 4, 8, 16, 32, 64, 96]
   */
  readonly shots?: readonly number[];
  /**
   * Independent draws of the training rows.
   * @default 5
   */
  readonly draws?: number;
  /**
   * Cost of a violated margin, the same for all: too few rows are there to choose one by, and to take the best on the test
   * rows would be to train on them.
   * @default 1
   */
  readonly c?: number;
  /**
   * Draws the training rows.
   * @default 1
   */
  readonly seed?: number;
  /**
   * Beside `positiveWeight: 2`, which Goyal et al. take.
   * @default {}
   */
  readonly settings?: SvmSettings;
  /**
   * Definition of the average precision that is reported.
   * @default 'all-points'
   */
  readonly interpolation?: ReportedPrecision;
};

/** A metric over the draws: `std` has divisor n - 1. */
export type OverDraws = { readonly values: readonly number[]; readonly mean: number; readonly std: number };

/** What `k` rows a class are enough for, in percent. */
export type LowShotResult = { readonly k: number; readonly map: OverDraws; readonly converged: boolean };

/** The same of rows with one class each. */
export type SingleLabelLowShot = LowShotResult & {
  readonly top1: OverDraws;
  /** Of each test image, the share of draws in which it is right, in percent: their mean is the mean top-1. */
  readonly images: ImageScores;
};

const defaultShots: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 96];

const overDraws = (values: readonly number[]): OverDraws => ({ values, mean: mean(values), std: std(values) });

/**
 * Low-shot classification of Goyal et al. 2019, on rows of one class each: one-vs-rest SVMs on `k` training rows of every class,
 * several draws, judged on all test rows. By rising `k`.
 */
export const evaluateLowShot = (
  { train, trainLabels, test, testLabels, classes }: LabelledFeatures,
  options: LowShotOptions = {},
): SingleLabelLowShot[] => {
  const targets = singleLabelTargets(testLabels, classes);
  const { interpolation = 'all-points' } = options;
  return lowShotScores({ train, trainTargets: singleLabelTargets(trainLabels, classes), test }, true, options).map(
    ({ k, draws, converged }) => {
      const judged = draws.map((scores) => judgeByLargest(scores, testLabels, classes));
      const rights = judged.map(({ images }) => (images.kind === 'mean' ? images.values : []));
      return {
        k,
        converged,
        top1: overDraws(judged.map(({ top1 }) => top1)),
        map: overDraws(draws.map((scores) => judgeByPrecision(scores, targets, interpolation).map)),
        images: {
          kind: 'mean',
          values: Array.from(testLabels, (_, i) => mean(rights.map((values) => values[i]!))),
          most: 100,
        },
      };
    },
  );
};

/** {@link evaluateLowShot} on rows of several classes each: `k` positive and `19 k` negative rows a class, by mean AP. */
export const evaluateMultiLabelLowShot = (
  { testTargets, ...split }: MultiLabelFeatures,
  options: LowShotOptions = {},
): LowShotResult[] =>
  lowShotScores(split, false, options).map(({ k, draws, converged }) => ({
    k,
    converged,
    map: overDraws(
      draws.map((scores) => judgeByPrecision(scores, testTargets, options.interpolation ?? 'all-points').map),
    ),
  }));

type ScoresOfShots = { readonly k: number; readonly draws: readonly Float64Array[]; readonly converged: boolean };

const lowShotScores = (
  { train, trainTargets, test }: Omit<MultiLabelFeatures, 'testTargets'>,
  single: boolean,
  { shots = defaultShots, draws = 5, c = 1, seed = 1, settings }: LowShotOptions,
): ScoresOfShots[] => {
  if (!Number.isInteger(draws) || draws < 1) {
    throw new RangeError(`Expected \`draws\` to be an integer from 1, got \`${draws}\` (${typeof draws})`);
  }
  const smallest = smallestClass(trainTargets);
  const possible = [...shots].sort((a, b) => a - b).filter((k) => k <= smallest);
  if (possible.length === 0) {
    throw new RangeError(`Expected a number of shots up to ${smallest}, the smallest class, got ${shots.join(', ')}`);
  }
  const svm = { positiveWeight: 2, ...settings, c };
  const { features, project } = reduceToSpan(unitRows(train, lengthOffset));
  const judged = project(unitRows(test, lengthOffset));
  const takes = Array.from({ length: draws }, (_, draw) =>
    drawShots(trainTargets, single, RandomStream.of(seed, 'low-shot', draw)),
  );
  return possible.map((k) => {
    let converged = true;
    const scores = takes.map((take) => {
      const values = new Float64Array(judged.rows * trainTargets.classes);
      take(k).forEach((chosen, label) => {
        const { rows, labels } = trainingRows(features, chosen);
        const trained = trainLinearSvm(rows, labels, svm);
        converged &&= trained.converged;
        decisionValues(trained, judged).forEach((value, i) => {
          values[i * trainTargets.classes + label] = value;
        });
      });
      return values;
    });
    return { k, draws: scores, converged };
  });
};

const trainingRows = (
  features: FeatureMatrix,
  { positives, negatives }: Shots,
): { readonly rows: FeatureMatrix; readonly labels: Int8Array } => ({
  rows: selectRows(features, [...positives, ...negatives]),
  labels: new Int8Array(positives.length + negatives.length).fill(-1).fill(1, 0, positives.length),
});

const smallestClass = ({ classes, values }: ClassTargets): number => {
  const sizes = new Array<number>(classes).fill(0);
  for (let i = 0; i < values.length; i++) if (values[i] === 1) sizes[i % classes]!++;
  return Math.min(...sizes);
};
