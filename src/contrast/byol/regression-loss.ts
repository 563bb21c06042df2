import { l2Normalize } from '../../runtime/ops/l2-normalize.js';
import { tf, type Tensor1D, type Tensor2D } from '../../runtime/tensors.js';

/**
 * Squared distance of a prediction and its target as unit rows, `|q / |q| - z / |z||^2 = 2 - 2 cos(q, z)` (Grill et al. 2020,
 * equation 2). From 0 to 4; 2 where they have nothing to do with each other.
 *
 * @param predictions `[batch, dim]`, of any length
 * @param targets `[batch, dim]`, of any length
 * @returns a loss a row, `[batch]`
 */
export const regressionLoss = (predictions: Tensor2D, targets: Tensor2D): Tensor1D =>
  tf.sub(2, tf.mul(tf.sum(tf.mul(l2Normalize(predictions), l2Normalize(targets)), 1), 2)) as Tensor1D;
