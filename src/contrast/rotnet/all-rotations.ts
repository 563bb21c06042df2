import { tf, type Tensor4D } from '../../runtime/tensors.js';
import { rotate } from '../rotate.js';

/** All four rotations of every picture in one batch, `[4 batch, side, side, channels]`: all by 0 degrees, then all by 90, and so on. */
export const allRotations = (images: Tensor4D): Tensor4D =>
  tf.tidy(() => tf.concat([0, 1, 2, 3].map((quarters) => rotate(images, quarters))));

/** Which rotation each row of {@link allRotations} is: `[4 batch]`. */
export const rotationLabels = (batch: number): Int32Array =>
  Int32Array.from({ length: 4 * batch }, (_, row) => Math.floor(row / batch));
