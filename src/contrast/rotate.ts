import { tf, type Tensor4D } from '../runtime/tensors.js';

/**
 * Turns square pictures or maps by `quarters` x 90 degrees counterclockwise. Values are moved, never mixed: a transpose and a mirror image
 * (Gidaris et al. 2018, 2.1), so that no trace of interpolation tells the rotations apart. `[batch, side, side, channels]`; differentiable;
 * the caller disposes.
 */
export function rotate(images: Tensor4D, quarters: number): Tensor4D {
  const [, height, width] = images.shape;
  if (height !== width) throw new RangeError(`Expected square pictures, got ${height} x ${width} px`);
  return tf.tidy(() => {
    const turned = quarters % 2 === 0 ? images : (tf.transpose(images, [0, 2, 1, 3]) as Tensor4D);
    // Counterclockwise: the transpose upside down. Clockwise: the transpose from right to left.
    if (quarters === 0) return images.clone();
    if (quarters === 1) return tf.reverse(turned, 1);
    if (quarters === 2) return tf.reverse(turned, [1, 2]);
    if (quarters === 3) return tf.reverse(turned, 2);
    throw new RangeError(`Expected \`quarters\` to be 0, 1, 2 or 3, got \`${quarters}\` (${typeof quarters})`);
  });
}
