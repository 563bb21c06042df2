import { tf, type Tensor4D } from '../tensors.js';

/**
 * Largest value of each `size x size` window over the map with `pad` empty cells around, which are never the largest. Output side:
 * `floor((side + 2 pad - size) / stride) + 1`. Where a window has several largest values the gradient goes to the first, as in PyTorch.
 *
 * @param x `[batch, height, width, channels]`
 */
export function maxPool(
  x: Tensor4D,
  { size, stride = size, pad = 0 }: { readonly size: number; readonly stride?: number; readonly pad?: number },
): Tensor4D {
  const sides: [number, number] = [pad, pad];
  const padded = pad === 0 ? x : tf.pad(x, [[0, 0], sides, sides, [0, 0]], -Infinity);
  return tf.maxPool(padded, size, stride, 'valid');
}
