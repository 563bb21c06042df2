import { tf, type Tensor4D } from '../tensors.js';

/**
 * Local response norm across `size` neighbouring channels: `y = x / (k + alpha / size * sum x^2)^beta` (Krizhevsky et al. 2012, 3.3,
 * in Caffe's and PyTorch's reading, where alpha is divided by the size). TensorFlow's own op takes the quotient.
 *
 * @param x `[batch, height, width, channels]`
 * @param options.size channels in the sum, odd. @default 5
 */
export function localResponseNorm(
  x: Tensor4D,
  { size = 5, alpha = 1e-4, beta = 0.75, k = 1 }: { size?: number; alpha?: number; beta?: number; k?: number } = {},
): Tensor4D {
  if (size % 2 !== 1) throw new Error(`Expected \`size\` to be odd, got \`${size}\` (${typeof size})`);
  return tf.localResponseNormalization(x, (size - 1) / 2, k, alpha / size, beta);
}
