import { tf, type Scalar, type Tensor, type Tensor1D, type Tensor2D } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';

/** Keeps the logarithm of what is left of a probability away from that of 0: in float32 the rest of a row can vanish. */
const epsilon = 1e-7;

/** Taken off the similarity of a row with itself, which is no candidate. */
const hidden = 1e9;

/** What the loss consists of. */
export type BatchInstanceLoss = {
  readonly loss: Scalar;
  /** `[2 m]`: `-log P_i`, each row recognised as the other view of its sample. */
  readonly invariance: Tensor1D;
  /** `[2 m]`: `-sum over negatives of log(1 - P(j | i))`. */
  readonly spreading: Tensor1D;
};

/**
 * Softmax over the instances of a batch (Ye et al. 2019, 3.2). Rows `i` and `i + m` are two views of a sample. With
 * `e_ij = exp(f_i . f_j / tau)` and `D_i` the sum of `e_ij` over all `j` but `i`,
 * `P_i = e_i,other / D_i`, `P(j | i) = e_ij / D_i`, and
 * `L = -1 / (2 m) sum over i of (log P_i + lambda sum over negatives j of log(1 - P(j | i)))`.
 *
 * As released, where the paper leaves it open: the second factor of every product is constant, so that a row is moved as query
 * alone, never as what others are compared with; and the sums run over all `2 m - 1` other rows, of both views.
 *
 * @param rows `[2 m, dim]`, unit rows; first views, then second views in the same order
 * @param negativeWeight lambda, `negM` in the released code, where it also multiplies the negatives' share of `D_i`; 1 in the paper.
 *   Not below 1: `P(j | i)` could be more than 1
 */
export function batchInstanceLoss(
  rows: Tensor2D,
  { tau, negativeWeight = 1 }: { readonly tau: number; readonly negativeWeight?: number },
): BatchInstanceLoss {
  const count = rows.shape[0];
  if (count % 2 !== 0 || count < 4) {
    throw new RangeError(`Expected two views of at least 2 samples, rows i and i + m, got ${count} rows`);
  }
  const constants = withoutTape(() => tf.mul(rows, 1)) as Tensor2D;
  const others = withoutTape(() => tf.concat([tf.slice(constants, count / 2), tf.slice(constants, 0, count / 2)]));
  const own = tf.div(tf.sum(tf.mul(rows, others), 1, true), tf.scalar(tau));
  const all = tf.sub(tf.div(tf.matMul(rows, constants, false, true), tau), tf.mul(tf.eye(count), hidden));
  // The largest of each row is taken off, so that no exponential overflows and no sum vanishes; it cancels in every quotient.
  const largest = withoutTape(() => tf.max(all, 1, true));
  const positive = tf.exp(tf.sub(own, largest));
  const exponentials = tf.exp(tf.sub(all, largest));
  const negatives = tf.sub(tf.sum(exponentials, 1, true), positive);
  const divisor = tf.add(tf.mul(negatives, negativeWeight), positive);
  const logRest = (p: Tensor): Tensor => tf.log(tf.add(tf.sub(1, p), epsilon));
  const probability = tf.div(positive, divisor);
  const invariance = tf.sub(tf.log(divisor), tf.sub(own, largest));
  const rest = tf.sum(logRest(tf.div(exponentials, divisor)), 1, true);
  const spreading = tf.sub(logRest(probability), rest);
  return {
    loss: tf.mean(tf.add(invariance, tf.mul(spreading, negativeWeight))) as Scalar,
    invariance: tf.squeeze(invariance, [1]) as Tensor1D,
    spreading: tf.squeeze(spreading, [1]) as Tensor1D,
  };
}

/** The loss where all rows are alike: `D_i = 1 + lambda (2 m - 2)` in units of `e_ij`. */
export const uniformBatchInstanceLoss = (samples: number, negativeWeight: number): number => {
  const negatives = 2 * samples - 2;
  const divisor = 1 + negativeWeight * negatives;
  return Math.log(divisor) - negativeWeight * negatives * Math.log(1 - 1 / divisor);
};
