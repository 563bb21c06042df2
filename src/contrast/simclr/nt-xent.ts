import { softmaxCrossEntropy } from '../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Tensor1D, type Tensor2D } from '../../runtime/tensors.js';

/** Taken off a row's similarity to itself: its exponential is 0 in float32, and no gradient passes. */
const excluded = 1e9;

/**
 * NT-Xent, the normalised temperature-scaled cross-entropy (Chen et al. 2020, equation 1): row `i` of `2 batch` has one partner `j`, and
 * all other rows of the batch, of both views, are its negatives:
 * `-log(exp(z_i . z_j / tau) / sum_{k != i} exp(z_i . z_k / tau))`.
 *
 * The loss of a batch is the mean of all rows, as in the paper; the released program adds the means of the two views, which is twice as
 * much.
 *
 * @param first unit rows of one view, `[batch, dim]`
 * @param second unit rows of the other, `[batch, dim]`
 * @returns a loss a row, `[2 batch]`: those of the first view, then those of the second
 */
export function ntXent(first: Tensor2D, second: Tensor2D, temperature: number): Tensor1D {
  if (first.shape.join() !== second.shape.join()) {
    throw new Error(
      `Expected two views of one shape, got [${first.shape.join(', ')}] and [${second.shape.join(', ')}]`,
    );
  }
  const batch = first.shape[0];
  const rows = tf.concat2d([first, second], 0);
  const similarities = tf.div(tf.matMul(rows, rows, false, true), temperature);
  const others = tf.sub(similarities, tf.mul(tf.eye(2 * batch), excluded)) as Tensor2D;
  const partners = Int32Array.from({ length: 2 * batch }, (_, i) => (i + batch) % (2 * batch));
  return softmaxCrossEntropy(others, tf.tensor1d(partners, 'int32'));
}
