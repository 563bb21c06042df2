import { takeValues } from '../runtime/take-values.js';
import { tf, type Tensor1D, type Tensor2D } from '../runtime/tensors.js';

/**
 * How near the two members of a pair are (Wang & Isola 2020, equation 6, alpha 2): `mean |x - y|^2 = 2 - 2 mean cos(x, y)`, from 0,
 * where they are one, to 4.
 *
 * @param cosines of each pair, `[pairs]` or `[pairs, 1]`
 */
export const alignmentOf = (cosines: Tensor1D | Tensor2D): Tensor1D =>
  tf.tidy(() => tf.sub(2, tf.mul(2, tf.mean(cosines)))) as Tensor1D;

/**
 * How evenly embeddings lie on the sphere (Wang & Isola 2020, equation 7, t = 2):
 * `log mean over i != j of exp(-2 |x_i - x_j|^2)` of rows brought to length 1. 0 when all are alike; the lower the more even, down to
 * about -4 in many dimensions (`-2 * 2`, where all are at right angles). NaN for fewer than two rows.
 *
 * @param embeddings `[rows, dim]`
 */
export function measureUniformity(embeddings: Tensor2D): number {
  const [rows] = embeddings.shape;
  if (rows < 2) return NaN;
  const [sum] = takeValues(() => {
    const unit = tf.div(embeddings, tf.maximum(tf.norm(embeddings, 2, 1, true), 1e-12)) as Tensor2D;
    const squared = tf.sub(2, tf.mul(2, tf.matMul(unit, unit, false, true)));
    return tf.sum(tf.exp(tf.mul(-2, tf.maximum(squared, 0))));
  });
  // Each row with itself gives exp(0).
  return Math.log((sum! - rows) / (rows * (rows - 1)));
}
