import { tf, type Tensor } from '../../runtime/tensors.js';

const epsilon = 1e-5;

/**
 * Layer norm without gain and bias (Ba et al. 2016): `(x - mean) / sqrt(variance + 1e-5)` over the last axis, each row by itself. Unlike
 * batch norm it tells a patch nothing of the others.
 *
 * @param x `[..., channels]`
 */
export const layerNorm = <T extends Tensor>(x: T): T =>
  tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon))) as T;
  });
