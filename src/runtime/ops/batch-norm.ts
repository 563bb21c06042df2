import { tf, type Tensor, type Tensor1D, type Tensor4D } from '../tensors.js';
import { defineOp } from './define-op.js';
import { isNative, nativeOp } from './native-op.js';

type Attributes = { readonly epsilon: number; readonly share: number };

/**
 * Outputs: y, the moved mean and variance, and two that the gradient reads. The fused op keeps what it needs in a form of its own
 * (`reserve_space`), the composed one the mean and the biased variance.
 */
const run = defineOp<'x' | 'weight' | 'bias' | 'runningMean' | 'runningVariance', Attributes>({
  native: ({ x, weight, bias, runningMean, runningVariance }, { epsilon, share }) =>
    nativeOp('FusedBatchNormV3', fusedAttributes(epsilon, share), [x, weight, bias, runningMean, runningVariance], 6),
  composed: ({ x, weight, bias, runningMean, runningVariance }, { epsilon, share }) => {
    const move = (running: Tensor, batch: Tensor): Tensor =>
      share === 1 ? batch : tf.add(tf.mul(running, 1 - share), tf.mul(batch, share));
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    const y = tf.batchNorm(x, mean as Tensor1D, variance as Tensor1D, bias as Tensor1D, weight as Tensor1D, epsilon);
    const count = x.size / weight.size;
    const unbiased = tf.mul(variance, count / Math.max(1, count - 1));
    return [y, move(runningMean, mean), move(runningVariance, unbiased), mean.clone(), variance];
  },
  outputs: 3,
  saveInputs: ['x', 'weight'],
  saveOutputs: [false, false, false, true, true, true],
  gradient: ([dy], [x, weight, reserve1, reserve2, reserve3], { epsilon }) => {
    const [dx, dWeight, dBias] = isNative()
      ? nativeOp('FusedBatchNormGradV3', fusedAttributes(epsilon, 1), [dy, x, weight, reserve1, reserve2, reserve3], 5)
      : composedGradient(dy, x, weight, reserve1, reserve2, epsilon);
    return { x: () => dx, weight: () => dWeight, bias: () => dBias };
  },
});

const fusedAttributes = (epsilon: number, share: number): Parameters<typeof nativeOp>[1] => ({
  T: { type: 'float32' },
  U: { type: 'float32' },
  epsilon: { float: epsilon },
  exponential_avg_factor: { float: share },
  data_format: { string: 'NHWC' },
  is_training: { bool: true },
});

/** `dx = weight / s * (dy - mean(dy) - xhat * mean(dy * xhat))`, `s = sqrt(variance + epsilon)` (Ioffe & Szegedy 2015, 3). */
function composedGradient(
  dy: Tensor,
  x: Tensor,
  weight: Tensor,
  mean: Tensor,
  variance: Tensor,
  epsilon: number,
): Tensor[] {
  const rows = (t: Tensor): Tensor => tf.reshape(t, [-1, weight.size]);
  const inverse = tf.rsqrt(tf.add(variance, epsilon));
  const normalised = tf.mul(tf.sub(rows(x), mean), inverse);
  const count = x.size / weight.size;
  const dBias = tf.sum(rows(dy), 0);
  const dWeight = tf.sum(tf.mul(rows(dy), normalised), 0);
  const centred = tf.sub(tf.sub(rows(dy), tf.div(dBias, count)), tf.mul(normalised, tf.div(dWeight, count)));
  return [tf.reshape(tf.mul(centred, tf.mul(weight, inverse)), x.shape), dWeight, dBias];
}

/** What batch norm gives in training: the output, and the batch's statistics, or the running ones moved by those. */
export type BatchNormResult<T extends Tensor> = {
  readonly y: T;
  /** `[channels]` */
  readonly mean: Tensor1D;
  /** `[channels]`, the unbiased variance (divided by count - 1), as PyTorch keeps it in `running_var`. */
  readonly variance: Tensor1D;
};

/** Running statistics `[channels]`, and the share that a new batch takes in them: `running <- (1 - share) running + share batch`. */
export type RunningStatistics = { readonly mean: Tensor; readonly variance: Tensor; readonly share: number };

const nothingRunning = (): RunningStatistics => ({ mean: tf.tensor1d([]), variance: tf.tensor1d([]), share: 1 });

/**
 * Batch norm with the batch's own statistics (Ioffe & Szegedy 2015): `y = (x - mean) / sqrt(var + epsilon) * weight + bias`, per
 * channel, `var` biased as in the paper. Differentiable in `x`, `weight` and `bias` through `y` alone; `mean` and `variance` are
 * constants to the tape. On native TensorFlow one fused op each way.
 *
 * @param x `[batch, height, width, channels]` or `[batch, channels]`
 * @param weight `[channels]`
 * @param bias `[channels]`
 * @param running what `mean` and `variance` of the result are moved from; without it they are the batch's own
 */
export function batchNorm<T extends Tensor>(
  x: T,
  weight: Tensor,
  bias: Tensor,
  epsilon = 1e-5,
  running?: RunningStatistics,
): BatchNormResult<T> {
  const channels = x.shape.at(-1)!;
  if (x.rank !== 2 && x.rank !== 4)
    throw new Error(
      `Expected \`x\` to be [batch, height, width, channels] or [batch, channels], got [${x.shape.join(', ')}]`,
    );
  const map = x.rank === 4 ? x : tf.reshape(x, [x.shape[0], 1, 1, channels]);
  const { mean: runningMean, variance: runningVariance, share } = running ?? nothingRunning();
  const [y, mean, variance] = run({ x: map, weight, bias, runningMean, runningVariance }, { epsilon, share });
  return {
    y: (x.rank === 4 ? y : tf.reshape(y, x.shape)) as T,
    mean: mean as Tensor1D,
    variance: variance as Tensor1D,
  };
}

/**
 * Batch norm with given statistics, as at test time: `y = (x - mean) / sqrt(variance + epsilon) * weight + bias`. One multiply and
 * one add a value, differentiable in all.
 *
 * @param x `[..., channels]`
 */
export function batchNormEval<T extends Tensor>(
  x: T,
  mean: Tensor,
  variance: Tensor,
  weight: Tensor,
  bias: Tensor,
  epsilon = 1e-5,
): T {
  const scale = tf.mul(weight, tf.rsqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(x as unknown as Tensor4D, scale), tf.sub(bias, tf.mul(mean, scale))) as unknown as T;
}
