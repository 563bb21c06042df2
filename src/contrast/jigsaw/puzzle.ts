import { tf, type Tensor4D } from '../../runtime/tensors.js';

/** Keeps a patch of one colour finite. */
const epsilon = 1e-5;

/**
 * Each patch with mean 0 and standard deviation 1 in each channel, over its own pixels (Noroozi & Favaro 2016, 4.2): neighbouring patches
 * otherwise betray themselves by how bright they are. `[patches, side, side, channels]`; the caller disposes.
 */
export const normalisePatches = (patches: Tensor4D): Tensor4D => {
  const [count, height, width, channels] = patches.shape;
  const pixels = height * width;
  const values = patches.dataSync<'float32'>().slice();
  // In plain loops, which are quicker than reductions over the middle axes.
  for (let patch = 0; patch < count; patch++) {
    const end = (patch + 1) * pixels * channels;
    for (let channel = 0; channel < channels; channel++) {
      const start = patch * pixels * channels + channel;
      let [sum, squares] = [0, 0];
      for (let at = start; at < end; at += channels) sum += values[at]!;
      const mean = sum / pixels;
      for (let at = start; at < end; at += channels) squares += (values[at]! - mean) ** 2;
      const scale = 1 / Math.sqrt(squares / pixels + epsilon);
      for (let at = start; at < end; at += channels) values[at] = (values[at]! - mean) * scale;
    }
  }
  return tf.tensor4d(values, patches.shape);
};

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
