import { softmaxCrossEntropy } from '../runtime/ops/softmax-cross-entropy.js';
import { tf, type Tensor1D, type Tensor2D } from '../runtime/tensors.js';

/** Cosines of queries to what they are compared with. */
export type QuerySimilarities = {
  /** To each query's own key, `[batch]`. */
  readonly positive: Tensor1D;
  /** To the negatives that all queries share, `[batch, negatives]`. */
  readonly negative: Tensor2D;
};

/**
 * Cosines of queries to their keys and to a table of negatives, all unit rows.
 *
 * @param queries `[batch, dim]`
 * @param keys `[batch, dim]`, row by row those of the queries
 * @param negatives `[negatives, dim]`
 */
export const compareQueries = (queries: Tensor2D, keys: Tensor2D, negatives: Tensor2D): QuerySimilarities => ({
  positive: tf.sum(tf.mul(queries, keys), 1) as Tensor1D,
  negative: tf.matMul(queries, negatives, false, true),
});

/**
 * InfoNCE (van den Oord et al. 2018; He et al. 2020, equation 1): which of `1 + negatives` keys is the query's own?
 * `-log(exp(q . k+ / tau) / (exp(q . k+ / tau) + sum_k exp(q . k / tau)))`.
 *
 * @returns a loss a query, `[batch]`; `ln(1 + negatives)` where all similarities are alike
 */
export function infoNce({ positive, negative }: QuerySimilarities, temperature: number): Tensor1D {
  const logits = tf.div(tf.concat2d([tf.expandDims(positive, 1) as Tensor2D, negative], 1), temperature) as Tensor2D;
  return softmaxCrossEntropy(logits, tf.zeros([positive.size], 'int32'));
}
