import { tf, type Scalar, type Tensor1D, type Tensor2D } from '../../runtime/tensors.js';

/** Keeps the quotients of the estimator away from 0 / 0, as released. */
const epsilon = 1e-7;

/**
 * The normaliser of `P(i | v) = exp(s_i / tau) / Z` as estimated from the similarities of one batch `[batch, 1 + K]`:
 * `Z = rows * mean(exp(s / tau))` (Wu et al. 2018, 3.2). Estimated once, then constant.
 */
export const estimateNormaliser = (similarities: Tensor2D, tau: number, rows: number): number =>
  tf.tidy(() => tf.mean(tf.exp(tf.div(similarities, tau))).dataSync()[0]! * rows);

/** Similarities that noise-contrastive estimation compares. */
export type NoiseContrast = {
  /** `[batch]`: each embedding against the bank row of its own sample. */
  readonly positive: Tensor1D;
  /** `[batch, rows]`: each embedding against every bank row. */
  readonly all: Tensor2D;
  /** `[batch, rows]`: how often each row was drawn as noise for each embedding; sums to K along rows. */
  readonly drawn: Tensor2D;
};

/**
 * Noise-contrastive estimation over instances (Wu et al. 2018, 3.2): with `P = exp(s / tau) / Z` and noise `1 / rows`,
 * `h = P / (P + K / rows)`, `L = -mean(log h(positive) + sum over noise of log(1 - h))`.
 *
 * Rows drawn as noise enter as counts, so that one product with the bank serves all draws and no gathered copy of it is made.
 */
export function noiseContrastiveLoss(
  { positive, all, drawn }: NoiseContrast,
  { tau, normaliser, noise }: { readonly tau: number; readonly normaliser: number; readonly noise: number },
): Scalar {
  const rows = all.shape[1];
  const floor = noise / rows;
  const probability = <T extends Tensor1D | Tensor2D>(s: T): T => tf.div(tf.exp(tf.div(s, tau)), normaliser) as T;
  const own = probability(positive);
  const logOwn = tf.log(tf.div(own, tf.add(own, floor + epsilon)));
  const logOthers = tf.log(tf.div(floor, tf.add(probability(all), floor + epsilon)));
  const total = tf.add(tf.sum(logOwn), tf.sum(tf.mul(drawn, logOthers)));
  return tf.neg(tf.div(total, positive.shape[0])) as Scalar;
}
