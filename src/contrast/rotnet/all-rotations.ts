import { tf, type Tensor4D } from '../../runtime/tensors.js';

/**
 * Turns square pictures by `quarters` x 90 degrees counterclockwise. Pixels are moved, never mixed: a transpose and a mirror image
 * (Gidaris et al. 2018, 2.1), so that no trace of interpolation tells the rotations apart. `[batch, side, side, channels]`; the caller
 * disposes.
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

/** All four rotations of every picture in one batch, `[4 batch, side, side, channels]`: all by 0 degrees, then all by 90, and so on. */
export const allRotations = (images: Tensor4D): Tensor4D =>
  tf.tidy(() => tf.concat([0, 1, 2, 3].map((quarters) => rotate(images, quarters))));

/** Which rotation each row of {@link allRotations} is: `[4 batch]`. */
export const rotationLabels = (batch: number): Int32Array =>
  Int32Array.from({ length: 4 * batch }, (_, row) => Math.floor(row / batch));
