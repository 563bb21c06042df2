import { tf, type Tensor4D } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';

/** Both derivatives in one filter `[3, 3, 1, 2]`: across, then down. */
const filter = [
  [1, 0, -1],
  [2, 0, -2],
  [1, 0, -1],
].map((row, y, rows) => row.map((across, x) => [[across, rows[x]![y]!]]));

/**
 * Pictures as edges: the Sobel derivatives of their grey, across and down, in the place of red and green; blue is 0 (DeepCluster's
 * input, Caron et al. 2018, 3.3, which takes two channels where a trunk for colour pictures has three). Grey is the mean of the
 * normalised channels, beyond the border lies 0, as released. A constant for the gradient tape.
 *
 * @param images `[batch, height, width, 3]`, normalised
 */
export function sobelEdges(images: Tensor4D): Tensor4D {
  return withoutTape(() =>
    tf.tidy(() => {
      const grey = tf.mean(images, 3, true) as Tensor4D;
      const edges = tf.conv2d(grey, tf.tensor4d(filter), 1, 'same');
      return tf.pad(edges, [[0, 0], [0, 0], [0, 0], [0, 1]]) as Tensor4D; // prettier-ignore
    }),
  );
}
