import { tf, type Tensor4D } from '../tensors.js';

/**
 * Largest value of each `size x size` window, windows inside the map only. Output side: `floor((side - size) / stride) + 1`. Where a
 * window has several largest values the gradient goes to the first, as in PyTorch.
 *
 * @param x `[batch, height, width, channels]`
 */
export function maxPool(
  x: Tensor4D,
  { size, stride = size }: { readonly size: number; readonly stride?: number },
): Tensor4D {
  return tf.maxPool(x, size, stride, 'valid');
}
