import { tf, type Scalar, type Tensor2D } from '../../runtime/tensors.js';

/**
 * Swapped prediction (Caron et al. 2020, 3.1 and 3.2): the code of each assigned crop is to be predicted from every other crop,
 * `L = mean over i of mean over v != i of mean over samples of -sum_k q_i[k] log softmax(s_v / temperature)[k]`, with `i` over the
 * crops that have codes (the first `codes.length`) and `v` over all.
 *
 * @param scores `s_v` `[samples, prototypes]`, one a crop
 * @param codes `q_i` `[samples, prototypes]`, rows summing to 1, for the first crops; constants
 */
export function swappedPredictionLoss(
  scores: readonly Tensor2D[],
  codes: readonly Tensor2D[],
  temperature: number,
): Scalar {
  const logP = scores.map((s) => tf.logSoftmax(tf.div(s, temperature)) as Tensor2D);
  const terms = codes.flatMap((q, i) => logP.filter((_, v) => v !== i).map((p) => tf.sum(tf.mul(q, p))));
  const samples = scores[0]!.shape[0];
  return tf.neg(tf.div(tf.addN(terms), terms.length * samples)) as Scalar;
}
