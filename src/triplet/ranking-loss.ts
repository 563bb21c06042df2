import { relu } from '../runtime/ops/relu.js';
import { tf, type Scalar, type Tensor, type Tensor2D } from '../runtime/tensors.js';

/** The similarities a ranking loss is made of: cosines of both members of each pair to all rows, and to each other. */
export type PairSimilarities = {
  /** `[pairs, 2 pairs + queue]`: first members against all rows (first members, second members, then those of earlier batches). */
  readonly first: Tensor2D;
  /** `[pairs, 2 pairs + queue]`: second members against all rows. */
  readonly second: Tensor2D;
  /** `[pairs, 1]`: first members against their second members. */
  readonly positive: Tensor2D;
};

/** Cosines between L2-normalised first and second members, each `[pairs, dim]`, and rows of earlier batches `[queue, dim]`, constants to the tape. */
export function pairSimilarities(first: Tensor2D, second: Tensor2D, queue?: Tensor2D): PairSimilarities {
  const rows = tf.concat2d([first, second, ...(queue ? [queue] : [])], 0);
  return {
    first: tf.matMul(first, rows, false, true),
    second: tf.matMul(second, rows, false, true),
    positive: tf.sum(tf.mul(first, second), 1, true) as Tensor2D,
  };
}

/** What a ranking loss came to. */
export type RankingLoss = {
  readonly loss: Scalar;
  /** Share of the selected hinge terms that are above 0. */
  readonly active: Scalar;
};

/**
 * The ranking loss of Wang & Gupta 2015 as released: both members are anchors of the negatives that the first one selected,
 *
 * `L = 1 / (2 K pairs) * sum_t sum_{n in N(t)} ([s(a, n) - s(a, p) + margin]+ + [s(p, n) - s(a, p) + margin]+)`.
 *
 * The divisor counts K negatives an anchor even where fewer were selected. Gradients reach anchor, positive and negatives.
 *
 * @param selected `[pairs, 2 pairs + queue]`, 1 where the row is a negative of the pair and 0 elsewhere
 * @param options.count K
 */
export function rankingLoss(
  { first, second, positive }: PairSimilarities,
  selected: Tensor2D,
  { margin, count }: { readonly margin: number; readonly count: number },
): RankingLoss {
  const [pairs] = selected.shape;
  const offset = tf.sub(margin, positive);
  const hinge = (similarities: Tensor2D): Tensor2D => tf.mul(relu(tf.add(similarities, offset)), selected);
  const terms = [hinge(first), hinge(second)] as const;
  const loss = tf.div(tf.add(tf.sum(terms[0]), tf.sum(terms[1])), 2 * count * pairs) as Scalar;
  const countAbove = (values: Tensor): Tensor => tf.sum(tf.cast(tf.greater(values, 0), 'float32'));
  const above = tf.add(countAbove(terms[0]), countAbove(terms[1]));
  const active = tf.div(above, tf.maximum(tf.mul(tf.sum(selected), 2), 1)) as Scalar;
  return { loss, active };
}

/** Rows chosen for each pair → the 0/1 matrix `[pairs, rows]` that `rankingLoss` takes. */
export function selectionMatrix(negatives: readonly Int32Array[], rows: number): Tensor2D {
  const values = new Float32Array(negatives.length * rows);
  negatives.forEach((chosen, pair) => {
    for (const row of chosen) values[pair * rows + row] = 1;
  });
  return tf.tensor2d(values, [negatives.length, rows]);
}
