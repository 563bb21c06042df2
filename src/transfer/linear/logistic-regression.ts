import { takeValues } from '../../runtime/take-values.js';
import { tf } from '../../runtime/tensors.js';
import type { Tensor2D } from '../../runtime/tensors.js';
import { checkMatrix, selectRows, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { argmaxRows, type LabelledFeatures } from '../knn/weighted-knn.js';
import { accuracy } from '../metric.js';
import { rightOrWrong } from '../statistics/right-or-wrong.js';
import type { ImageScores } from '../statistics/image-scores.js';
import { fitStandardisation, standardise } from '../standardise.js';
import { minimise, type LbfgsOptions } from './lbfgs.js';
import { reduceToSpan } from './span-reduction.js';

/** A linear classifier: class scores of a row x are `x W + b`. */
export type LinearClassifier = {
  readonly dim: number;
  readonly classes: number;
  /** `[dim, classes]`. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  readonly iterations: number;
  readonly converged: boolean;
};

/** How the probe is trained. */
export type LinearOptions = {
  /**
   * Strengths of the L2 penalty to choose from, per training sample: the penalty is `l2 / 2 * |W|^2` beside the *mean*
   * cross-entropy (scikit-learn's C is `1 / (l2 * n)`).
   * @default [1, 0.1, 0.01, 0.001]
   */
  readonly strengths?: readonly number[];
  /**
   * Folds of the training part among which the strength is chosen: fewer where the smallest class has fewer pictures, but at
   * least 2.
   * @default 3
   */
  readonly folds?: number;
  readonly solver?: LbfgsOptions;
};

const defaultStrengths: readonly number[] = [1, 0.1, 0.01, 0.001];

/**
 * Multinomial logistic regression by full-batch L-BFGS: minimises `mean_i -log softmax(x_i W + b)[y_i] + l2 / 2 |W|^2`; the bias
 * is not penalised. Matrix products run on tensors, sums and exponentials in float64.
 *
 * @param start where to begin (another strength's solution, say); zeros if absent
 */
export const fitLogisticRegression = (
  features: FeatureMatrix,
  labels: ArrayLike<number>,
  classes: number,
  l2: number,
  solver: LbfgsOptions = {},
  start?: LinearClassifier,
): LinearClassifier => {
  checkMatrix('features', features);
  const { rows, dim } = features;
  if (labels.length !== rows) throw new RangeError(`Expected one label a row, got ${labels.length} for ${rows} rows`);
  for (let i = 0; i < rows; i++) {
    if (!((labels[i] as number) >= 0 && (labels[i] as number) < classes)) {
      throw new RangeError(`Expected labels from 0 to ${classes - 1}, got \`${labels[i]}\``);
    }
  }
  if (!(l2 >= 0)) throw new RangeError(`Expected \`l2\` to be a number from 0, got \`${l2}\` (${typeof l2})`);
  const x = tf.tensor2d(features.data, [rows, dim]);
  const begin = new Float64Array((dim + 1) * classes);
  if (start) {
    begin.set(start.weights);
    begin.set(start.bias, dim * classes);
  }
  try {
    const residuals = new Float32Array(rows * classes);
    const end = minimise(
      (parameters, gradient) => {
        const scores = scoresOf(x, parameters, dim, classes);
        const loss = crossEntropy(scores, labels, classes, residuals);
        const weightGradient = takeValues(() => x.matMul(tf.tensor2d(residuals, [rows, classes]), true, false));
        let penalty = 0;
        for (let i = 0; i < dim * classes; i++) {
          const weight = parameters[i]!;
          penalty += weight * weight;
          gradient[i] = weightGradient[i]! + l2 * weight;
        }
        gradient.fill(0, dim * classes);
        for (let i = 0; i < rows; i++) {
          for (let c = 0; c < classes; c++) gradient[dim * classes + c]! += residuals[i * classes + c]!;
        }
        return loss + (l2 / 2) * penalty;
      },
      begin,
      solver,
    );
    return {
      dim,
      classes,
      weights: end.x.slice(0, dim * classes),
      bias: end.x.slice(dim * classes),
      iterations: end.iterations,
      converged: end.converged,
    };
  } finally {
    x.dispose();
  }
};

/** Class numbers that a classifier gives to rows. */
export const classify = (classifier: LinearClassifier, features: FeatureMatrix): Int32Array =>
  argmaxRows(scoreRows(classifier, features), classifier.classes);

/** Class scores `x W + b`, `[rows, classes]`. */
const scoreRows = ({ dim, classes, weights, bias }: LinearClassifier, features: FeatureMatrix): Float64Array => {
  if (features.dim !== dim) throw new RangeError(`Expected features of dimension ${dim}, got ${features.dim}`);
  const parameters = new Float64Array((dim + 1) * classes);
  parameters.set(weights);
  parameters.set(bias, dim * classes);
  const x = tf.tensor2d(features.data, [features.rows, dim]);
  try {
    return scoresOf(x, parameters, dim, classes);
  } finally {
    x.dispose();
  }
};

/** Mean cross-entropy of a classifier on labelled rows. */
const lossOf = (classifier: LinearClassifier, features: FeatureMatrix, labels: readonly number[]): number => {
  const { classes } = classifier;
  return crossEntropy(scoreRows(classifier, features), labels, classes, new Float32Array(features.rows * classes));
};

/**
 * Folds that hold every class in equal shares: the members of a class are dealt out in turn. No random choice, so that the
 * choice of a strength is the same in every run. `[rows]`, fold numbers from 0.
 */
export const stratifiedFolds = (labels: ArrayLike<number>, folds: number): Int32Array => {
  const seen = new Map<number, number>();
  return Int32Array.from(labels, (label) => {
    const count = seen.get(label) ?? 0;
    seen.set(label, count + 1);
    return count % folds;
  });
};

const groupSizes = (labels: ArrayLike<number>): Map<number, number> => {
  const sizes = new Map<number, number>();
  for (const label of Array.from(labels)) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  return sizes;
};

/** A fold: what is fitted, what is judged, and the last solution, from which the next strength begins. */
type Fold = {
  readonly fitting: FeatureMatrix;
  readonly fittingLabels: readonly number[];
  readonly judging: FeatureMatrix;
  readonly judgingLabels: readonly number[];
  last?: LinearClassifier;
};

/** A strength whose loss is this much above the best so far ends the search: weaker ones only fit the training rows closer. */
const pastTheBest = 1.02;

/**
 * The strength with the least cross-entropy over the folds of the training part; accuracy would choose by the luck of a few
 * samples. The test part is no argument: it cannot take part. Each fold is standardised by its own training rows. Strengths are
 * tried from strong to weak, until the loss has clearly risen again: the weak ones, which take longest to solve, are seldom
 * reached. With one sample a class nothing can be held out, and the strongest but one stands.
 */
export const chooseStrength = (
  train: FeatureMatrix,
  labels: ArrayLike<number>,
  classes: number,
  { strengths = defaultStrengths, folds = 3, solver = {} }: LinearOptions = {},
): number => {
  if (!Number.isInteger(folds) || folds < 2) {
    throw new RangeError(`Expected \`folds\` to be an integer of at least 2, got \`${folds}\` (${typeof folds})`);
  }
  const ordered = [...strengths].sort((a, b) => b - a);
  if (ordered.length === 0) throw new RangeError('Expected `strengths` to hold at least one number, got none');
  if (ordered.length === 1) return ordered[0] as number;
  const sizes = [...groupSizes(labels).values()];
  if (Math.max(...sizes) === 1) return ordered[1] as number;
  const used = Math.min(folds, Math.max(2, Math.min(...sizes)));
  const parts = splitFolds(train, labels, used);
  let [best, least] = [ordered[0]!, Infinity];
  for (const l2 of ordered) {
    let loss = 0;
    for (const part of parts) {
      // Begun where the stronger penalty ended: the path is short that way.
      part.last = fitLogisticRegression(part.fitting, part.fittingLabels, classes, l2, solver, part.last);
      loss += (lossOf(part.last, part.judging, part.judgingLabels) * part.judging.rows) / train.rows;
    }
    if (loss > pastTheBest * least) break;
    if (loss < least) [best, least] = [l2, loss];
  }
  return best;
};

const splitFolds = (train: FeatureMatrix, labels: ArrayLike<number>, folds: number): Fold[] => {
  const foldOf = stratifiedFolds(labels, folds);
  return Array.from({ length: folds }, (_, fold) => {
    const rowsOf = (held: boolean): number[] => Array.from(foldOf.keys()).filter((i) => (foldOf[i] === fold) === held);
    const [kept, held] = [rowsOf(false), rowsOf(true)];
    const pick = (rows: readonly number[]): number[] => rows.map((i) => labels[i] as number);
    const { fitting, judging } = standardisedSpan(selectRows(train, kept), selectRows(train, held));
    return { fitting, fittingLabels: pick(kept), judging, judgingLabels: pick(held) };
  });
};

/** Both parts standardised by the first, in the span of its rows. */
const standardisedSpan = (
  first: FeatureMatrix,
  second: FeatureMatrix,
): { readonly fitting: FeatureMatrix; readonly judging: FeatureMatrix } => {
  const scaling = fitStandardisation(first);
  const { features, project } = reduceToSpan(standardise(first, scaling));
  return { fitting: features, judging: project(standardise(second, scaling)) };
};

/** What a probe reaches. */
export type LinearResult = {
  /** Percent. */
  readonly top1: number;
  /** Strength that was chosen. */
  readonly l2: number;
  readonly converged: boolean;
  /** Whether each test image is right. */
  readonly images: ImageScores;
};

/**
 * Top-1 accuracy, in percent, of a linear classifier on frozen features: standardised by the training part, strength of the
 * penalty chosen by cross-validation within the training part, then trained on all of it. Wide rows are reduced to their span
 * ({@link reduceToSpan}), where the problem is the same one: of 433 rows with 6912 values, a 16th is left.
 */
export const evaluateLinear = (
  { train, trainLabels, test, testLabels, classes }: LabelledFeatures,
  options: LinearOptions = {},
): LinearResult => {
  const l2 = chooseStrength(train, trainLabels, classes, options);
  const { fitting, judging } = standardisedSpan(train, test);
  const classifier = fitLogisticRegression(fitting, trainLabels, classes, l2, options.solver);
  const named = classify(classifier, judging);
  return {
    top1: accuracy(named, testLabels),
    l2,
    converged: classifier.converged,
    images: rightOrWrong(named, testLabels),
  };
};

const scoresOf = (x: Tensor2D, parameters: Float64Array, dim: number, classes: number): Float64Array => {
  const products = takeValues(() =>
    x.matMul(tf.tensor2d(new Float32Array(parameters.subarray(0, dim * classes)), [dim, classes])),
  );
  const scores = new Float64Array(products);
  for (let i = 0; i < scores.length; i++) scores[i]! += parameters[dim * classes + (i % classes)]!;
  return scores;
};

/** Mean cross-entropy; writes `(softmax - one-hot) / rows` into `residuals`. */
const crossEntropy = (
  scores: Float64Array,
  labels: ArrayLike<number>,
  classes: number,
  residuals: Float32Array,
): number => {
  const rows = labels.length;
  let loss = 0;
  for (let i = 0; i < rows; i++) {
    const at = i * classes;
    let top = -Infinity;
    for (let c = 0; c < classes; c++) top = Math.max(top, scores[at + c]!);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(scores[at + c]! - top);
    const right = labels[i] as number;
    loss += top + Math.log(sum) - scores[at + right]!;
    for (let c = 0; c < classes; c++) {
      residuals[at + c] = (Math.exp(scores[at + c]! - top) / sum - (c === right ? 1 : 0)) / rows;
    }
  }
  return loss / rows;
};
