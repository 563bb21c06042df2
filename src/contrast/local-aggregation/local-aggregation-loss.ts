import { tf, type Scalar, type Tensor1D, type Tensor2D } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';

/** Keeps the logarithm finite where no close neighbour is among the background, as released. */
const epsilon = 1e-7;

/** A batch against the bank. */
export type Neighborhoods = {
  /** `[batch, rows]`: similarity of each embedding to every bank row. */
  readonly all: Tensor2D;
  /** `[batch, rows]`, 1 for the background neighbours B of each embedding, else 0. */
  readonly background: Tensor2D;
  /** `[batch, rows]`, 1 for its close neighbours C, else 0. */
  readonly close: Tensor2D;
};

/** What the loss consists of. */
export type LocalAggregationLoss = {
  readonly loss: Scalar;
  /** `[batch]`: `P(B and C) / P(B)`, the share of the background's probability that the close neighbours have. */
  readonly share: Tensor1D;
};

/**
 * Local aggregation (Zhuang et al. 2019, 3.1): `L = -mean log(P(B and C) / P(B) + eps)`, `P(A)` the sum over `A` of
 * `exp(s / tau) / Z`. Of the background, that is of what lies near in the embedding, the close neighbours are drawn nearer and the
 * others pushed away. Z cancels, so that none is needed; the released code divides by a constant one all the same.
 */
export function localAggregationLoss({ all, background, close }: Neighborhoods, tau: number): LocalAggregationLoss {
  // Relative to the nearest row, so that no exponential overflows; it cancels in the quotient.
  const nearest = withoutTape(() => tf.max(all, 1, true));
  const weights = tf.mul(tf.exp(tf.div(tf.sub(all, nearest), tau)), background);
  const share = tf.div(tf.sum(tf.mul(weights, close), 1), tf.sum(weights, 1)) as Tensor1D;
  return { loss: tf.neg(tf.mean(tf.log(tf.add(share, epsilon)))) as Scalar, share };
}
