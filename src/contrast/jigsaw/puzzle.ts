import { tf, type Tensor4D } from '../../runtime/tensors.js';

/** Keeps a patch of one colour finite. */
const epsilon = 1e-5;

/**
 * Each patch with mean 0 and standard deviation 1 in each channel, over its own pixels (Noroozi & Favaro 2016, 4.2): neighbouring patches
 * otherwise betray themselves by how bright they are. `[patches, side, side, channels]`; the caller disposes.
 */
export const normalisePatches = (patches: Tensor4D): Tensor4D =>
  tf.tidy(() => {
    const { mean, variance } = tf.moments(patches, [1, 2], true);
    return tf.div(tf.sub(patches, mean), tf.sqrt(tf.add(variance, epsilon)));
  });

/**
 * Puts the patches of each picture in another order: place `i` of picture `n` gets its patch `orders[n][i]`. `[batch pieces, side, side,
 * channels]`, picture by picture, as it came; the caller disposes.
 */
export const shufflePatches = (patches: Tensor4D, orders: readonly Uint8Array[]): Tensor4D => {
  const pieces = orders[0]!.length;
  const rows = Int32Array.from({ length: orders.length * pieces }, (_, at) => {
    const picture = Math.floor(at / pieces);
    return picture * pieces + orders[picture]![at % pieces]!;
  });
  return tf.tidy(() => tf.gather(patches, tf.tensor1d(rows, 'int32')));
};
