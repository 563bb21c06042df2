import { softmaxCrossEntropy } from '../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Scalar, type Tensor2D } from '../../runtime/tensors.js';
import { rotationLabels } from './all-rotations.js';

/**
 * Cross-entropy of telling four rotations apart, the mean over pictures and their rotations (Gidaris et al. 2018, eq. 3):
 * `L = -1/(4 N) sum_i sum_q log softmax(z_iq)[q]`.
 *
 * @param logits `[4 batch, 4]`, in the order of `allRotations`
 */
export const rotationLoss = (logits: Tensor2D): Scalar =>
  tf.tidy(() => tf.mean(softmaxCrossEntropy(logits, tf.tensor1d(rotationLabels(logits.shape[0] / 4), 'int32'))));
