import { selectRows, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { averagePrecision } from '../../numeric/average-precision.js';
import type { RandomStream } from '../../numeric/random.js';
import { decisionValues, trainLinearSvm, type LinearSvm, type LinearSvmOptions } from './linear-svm.js';

/** Settings of the SVMs beside their cost. */
export type SvmSettings = Omit<LinearSvmOptions, 'c' | 'start'>;

/**
 * Decades from 0.001 to 100. The released code of Goyal et al. 2019 tries 26 costs from 1e-7 to 100; with some hundred rows of
 * length 1 all below 0.001 rank alike: every margin is violated there, and the weights only grow with the cost.
 */
export const defaultCosts: readonly number[] = [0.001, 0.01, 0.1, 1, 10, 100];

/** Folds with equal shares of positive and of negative rows: fold numbers from 0. */
export const drawFolds = (labels: Int8Array, folds: number, random: RandomStream): Int8Array => {
  const fold = new Int8Array(labels.length);
  for (const side of [1, -1]) {
    const rows = Array.from(labels.keys()).filter((i) => labels[i] === side);
    random.shuffle(rows).forEach((row, n) => {
      fold[row] = n % folds;
    });
  }
  return fold;
};

/**
 * Average precision, from 0 to 1, that each cost reaches on rows held out: mean over the folds. Not interpolated (`none`), as
 * scikit-learn takes it, on which the released protocol's choice rests. Solved in the order of `costs`, each begun where the last
 * ended: the path is short from the lowest up.
 *
 * @param labels 1 or -1 a row; every fold must hold positive rows and leave some
 * @param fold number of each row, from 0
 */
export const heldOutPrecisions = (
  features: FeatureMatrix,
  labels: Int8Array,
  fold: Int8Array,
  costs: readonly number[],
  settings: SvmSettings = {},
): number[] => {
  const folds = Math.max(...fold) + 1;
  const precisions = new Array<number>(costs.length).fill(0);
  for (let held = 0; held < folds; held++) {
    const part = (inside: boolean): { features: FeatureMatrix; labels: Int8Array } => {
      const rows = Array.from(fold.keys()).filter((i) => (fold[i] === held) === inside);
      return { features: selectRows(features, rows), labels: Int8Array.from(rows, (i) => labels[i]!) };
    };
    const [fitting, judging] = [part(false), part(true)];
    const hits = judging.labels.map((label) => (label === 1 ? 1 : 0));
    const positives = hits.filter((hit) => hit === 1).length;
    let last: LinearSvm | undefined;
    for (const [n, c] of costs.entries()) {
      last = trainLinearSvm(fitting.features, fitting.labels, { ...settings, c, ...(last ? { start: last } : {}) });
      precisions[n]! += averagePrecision(decisionValues(last, judging.features), hits, positives, 'none') / folds;
    }
  }
  return precisions;
};

/**
 * The cost with the highest {@link heldOutPrecisions}; of equal ones the lowest. The test part is no argument: it cannot take
 * part. With fewer positive (or negative) rows than folds there are as many folds as that; with one, nothing can be held out, and
 * the cost in the middle of the list stands.
 */
export const chooseCost = (
  features: FeatureMatrix,
  labels: Int8Array,
  random: RandomStream,
  {
    costs = defaultCosts,
    folds = 3,
    settings = {},
  }: { readonly costs?: readonly number[]; readonly folds?: number; readonly settings?: SvmSettings } = {},
): number => {
  if (!Number.isInteger(folds) || folds < 2) {
    throw new RangeError(`Expected \`folds\` to be an integer of at least 2, got \`${folds}\` (${typeof folds})`);
  }
  if (costs.length === 0) throw new RangeError('Expected `costs` to hold at least one number, got none');
  const ordered = [...costs].sort((a, b) => a - b);
  const positives = labels.filter((label) => label === 1).length;
  const used = Math.min(folds, positives, labels.length - positives);
  if (ordered.length === 1 || used < 2) return ordered[Math.floor((ordered.length - 1) / 2)]!;
  const precisions = heldOutPrecisions(features, labels, drawFolds(labels, used, random), ordered, settings);
  return ordered[precisions.indexOf(Math.max(...precisions))]!;
};
