import { tf, type Scalar, type Tensor1D, type Tensor2D } from '../runtime/tensors.js';
import { withoutTape } from '../runtime/without-tape.js';

/** Share of rows whose largest logit is that of their label: how well a pretext task is solved. Not on the gradient tape. */
export const accuracy = (logits: Tensor2D, labels: Tensor1D): Scalar =>
  withoutTape(() => tf.tidy(() => tf.mean(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32'))));
