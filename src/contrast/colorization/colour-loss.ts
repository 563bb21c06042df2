import { tf, type Scalar, type Tensor1D, type Tensor2D } from '../../runtime/tensors.js';

/**
 * Cross-entropy of colours against their soft codes, each weighed by how rare it is, the mean over cells (Zhang et al. 2016, eq. 2):
 * `L = -1/cells sum_h v_h sum_q Z_hq log softmax(z_h)_q`. Codes and weights are constants.
 *
 * @param logits `[cells, bins]`
 * @param codes `[cells, bins]`, rows sum to 1
 * @param weights `[cells]`
 */
export const colourLoss = (logits: Tensor2D, codes: Tensor2D, weights: Tensor1D): Scalar =>
  tf.tidy(() => {
    const crossEntropy = tf.neg(tf.sum(tf.mul(codes, tf.logSoftmax(logits)), 1));
    return tf.mean(tf.mul(weights, crossEntropy)) as Scalar;
  });
