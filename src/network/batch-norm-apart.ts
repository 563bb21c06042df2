import { batchNorm } from '../runtime/ops/batch-norm.js';
import { tf, type Tensor, type Tensor2D } from '../runtime/tensors.js';

/** What batch norm in parts gives: the output, and the statistics of each part. */
export type BatchNormApartResult<T extends Tensor> = {
  readonly y: T;
  /** `[parts, channels]` */
  readonly mean: Tensor2D;
  /** `[parts, channels]`, unbiased. */
  readonly variance: Tensor2D;
};

/**
 * Batch norm of a batch that is `parts` batches of one size, one after another: each by its own statistics, as if it had come alone, in
 * one op for all. The parts of a channel stand beside each other as channels of their own.
 *
 * @param x `[parts batch, ..., channels]`
 * @throws Error where the batch is no multiple of `parts`
 */
export function batchNormApart<T extends Tensor>(
  x: T,
  weight: Tensor,
  bias: Tensor,
  { parts, epsilon }: { readonly parts: number; readonly epsilon: number },
): BatchNormApartResult<T> {
  if (x.shape[0]! % parts !== 0) {
    throw new Error(`Expected a batch of ${parts} equal parts, got one of ${x.shape[0]}`);
  }
  const channels = x.shape.at(-1)!;
  const beside = tf.transpose(tf.reshape(x, [parts, -1, channels]), [1, 0, 2]);
  const rows = beside.shape[0]!;
  const repeat = (values: Tensor): Tensor => tf.reshape(tf.mul(tf.ones([parts, 1]), values), [-1]);
  const { y, mean, variance } = batchNorm(
    tf.reshape(beside, [rows, parts * channels]),
    repeat(weight),
    repeat(bias),
    epsilon,
  );
  return {
    y: tf.reshape(tf.transpose(tf.reshape(y, [rows, parts, channels]), [1, 0, 2]), x.shape) as T,
    mean: tf.reshape(mean, [parts, channels]),
    variance: tf.reshape(variance, [parts, channels]),
  };
}
