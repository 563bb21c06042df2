import { checkMatrix, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { RandomStream } from '../../numeric/random.js';
import { takeValues } from '../../runtime/take-values.js';
import { tf, type Tensor2D } from '../../runtime/tensors.js';
import { argmaxRows, type LabelledFeatures } from '../knn/weighted-knn.js';
import { accuracy } from '../metric.js';
import { rightOrWrong } from '../statistics/right-or-wrong.js';
import { fitStandardisation, standardise } from '../standardise.js';
import type { ImageScores } from '../statistics/image-scores.js';
import { reduceToSpan } from './span-reduction.js';

/** How the classifier of a layer is trained by SGD. */
export type ProbeSchedule = {
  /** At the beginning, for 256 rows a step; scaled with the batch where that differs. */
  readonly learningRate: number;
  /** Rows a step, at most. */
  readonly batch: number;
  readonly momentum: number;
  /** On weights and biases. */
  readonly weightDecay: number;
  readonly epochs: number;
  /** Epochs before which the rate is divided by 10. */
  readonly drops: readonly number[];
};

/**
 * The linear probe of Goyal et al. 2019 as VISSL configures it for ImageNet: Nesterov SGD, 0.01 for 256 rows, 28 epochs. On a set of
 * some hundred rows that is under a hundred steps.
 */
export const goyalProbe: ProbeSchedule = {
  learningRate: 0.01,
  batch: 256,
  momentum: 0.9,
  weightDecay: 5e-4,
  epochs: 28,
  drops: [8, 16, 24],
};

/** Weights `[dim, classes]` and biases of a linear classifier. */
export type ProbeWeights = { readonly weights: Float32Array; readonly bias: Float32Array };

/**
 * Trains `softmax(x W + b)` from zero by SGD with Nesterov's momentum as PyTorch has it (`v = m v + g`, step `rate (g + m v)`), on
 * mean cross-entropy. Rows are shuffled each epoch; an epoch's last step takes what is left. Each step sees the rows of that step
 * alone.
 */
export const trainProbe = (
  features: FeatureMatrix,
  labels: ArrayLike<number>,
  classes: number,
  { learningRate, batch, momentum, weightDecay, epochs, drops }: ProbeSchedule,
  random: RandomStream,
): ProbeWeights => {
  checkMatrix('features', features);
  const { rows, dim } = features;
  if (labels.length !== rows) throw new RangeError(`Expected one label a row, got ${labels.length} for ${rows} rows`);
  const x = tf.tensor2d(features.data, [rows, dim]);
  const oneHot = tf.tidy(() => tf.oneHot(tf.tensor1d(Int32Array.from(labels), 'int32'), classes).toFloat() as Tensor2D);
  // The bias is the last row: its feature is always 1.
  let weights = tf.zeros([dim + 1, classes]) as Tensor2D;
  let velocity = tf.zeros([dim + 1, classes]) as Tensor2D;
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = ((learningRate * batch) / 256) * 0.1 ** drops.filter((drop) => drop <= epoch).length;
    random.shuffle(order);
    for (let start = 0; start < rows; start += batch) {
      const [nextWeights, nextVelocity] = tf.tidy((): [Tensor2D, Tensor2D] => {
        const chosen = tf.tensor1d(order.slice(start, start + batch), 'int32');
        const seen = withConstant(tf.gather(x, chosen));
        const residual = tf.sub(tf.softmax(seen.matMul<Tensor2D>(weights)), tf.gather(oneHot, chosen));
        const slope = tf.matMul(seen, residual, true, false).div<Tensor2D>(chosen.size);
        const gradient = slope.add<Tensor2D>(weights.mul(weightDecay));
        const moved = velocity.mul<Tensor2D>(momentum).add<Tensor2D>(gradient);
        return [weights.sub(gradient.add(moved.mul(momentum)).mul(rate)), moved];
      });
      tf.dispose([weights, velocity]);
      [weights, velocity] = [nextWeights, nextVelocity];
    }
  }
  const values = weights.dataSync<'float32'>();
  tf.dispose([x, oneHot, weights, velocity]);
  return { weights: values.slice(0, dim * classes), bias: values.slice(dim * classes) };
};

const withConstant = (rows: Tensor2D): Tensor2D => tf.concat([rows, tf.ones([rows.shape[0], 1])], 1) as Tensor2D;

/**
 * Top-1 accuracy of the linear probe of Goyal et al. 2019 on one layer's rows, maps averaged to about 9000 values beforehand
 * (`probeReading`). Batch norm without scale and shift stands before the classifier there; here its statistics are those of all
 * training rows, to which running averages tend, instead of each step's. With that, and weights that begin at zero, training never
 * leaves the span of the rows: it is done there ({@link reduceToSpan}) and gives the same classifier in a fraction of the time.
 */
export const evaluateMultiLayer = (
  { train, trainLabels, test, testLabels, classes }: LabelledFeatures,
  { schedule = goyalProbe, seed = 1 }: { readonly schedule?: ProbeSchedule; readonly seed?: number } = {},
): { readonly top1: number; readonly images: ImageScores } => {
  const scaling = fitStandardisation(train);
  const { features, project } = reduceToSpan(standardise(train, scaling));
  const trained = trainProbe(features, trainLabels, classes, schedule, RandomStream.of(seed, 'probe'));
  const judged = project(standardise(test, scaling));
  const named = argmaxRows(probeScores(trained, judged, classes), classes);
  return { top1: accuracy(named, testLabels), images: rightOrWrong(named, testLabels) };
};

const probeScores = (
  { weights, bias }: ProbeWeights,
  { rows, dim, data }: FeatureMatrix,
  classes: number,
): Float32Array =>
  takeValues(() => {
    const products = tf.matMul(tf.tensor2d(data, [rows, dim]), tf.tensor2d(weights, [dim, classes]));
    return products.add(tf.tensor1d(bias));
  });
