import { softmaxCrossEntropy } from '../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Scalar, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import { accuracy } from '../accuracy.js';

/** The loss of predicting some rows ahead, and how often the right patch came first. */
export type PredictionLoss = { readonly loss: Scalar; readonly accuracy: Scalar };

/** For each prediction, which target is right: same picture, same column, `ahead` rows further down. */
export const targetOf = (batch: number, side: number, ahead: number): Int32Array => {
  const predicted = (side - ahead) * side;
  return Int32Array.from({ length: batch * predicted }, (_, at) => {
    const [picture, cell] = [Math.floor(at / predicted), at % predicted];
    return picture * side * side + ahead * side + cell;
  });
};

/**
 * InfoNCE of predicting a patch from the context `ahead` rows above it (van den Oord et al. 2018, Hénaff 2020): with `p` the prediction
 * and `t` the targets of all patches of all pictures of the batch, `L = -log(exp(scale p t_right) / sum_j exp(scale p t_j))`, the mean over all
 * contexts that have a row so far below them. Negatives are the other places of the picture and all of the others.
 * Both sides learn.
 *
 * @param predictions `[batch, side, side, dim]`, one a context
 * @param targets `[batch, side, side, dim]`
 */
export function predictionLoss(predictions: Tensor4D, targets: Tensor4D, ahead: number, scale: number): PredictionLoss {
  const [batch, side, , dim] = targets.shape;
  if (!(ahead >= 1 && ahead < side)) {
    throw new RangeError(`Expected \`ahead\` to be from 1 to ${side - 1}, got \`${ahead}\` (${typeof ahead})`);
  }
  const labels = tf.tensor1d(targetOf(batch, side, ahead), 'int32');
  const made = tf.reshape(tf.slice(predictions, 0, [batch, side - ahead, side, dim]), [-1, dim]) as Tensor2D;
  const all = tf.reshape(targets, [-1, dim]) as Tensor2D;
  const logits = tf.mul(tf.matMul(made, all, false, true), scale) as Tensor2D;
  return { loss: tf.mean(softmaxCrossEntropy(logits, labels)), accuracy: accuracy(logits, labels) };
}
