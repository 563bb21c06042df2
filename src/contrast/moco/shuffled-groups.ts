import type { RandomStream } from '../../numeric/random.js';
import { tf, type Tensor1D, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';

/**
 * Batch-norm shuffling on one device (He et al. 2020, 3.3). Batch norm lets rows of a batch tell each other what batch they are in:
 * were the statistics of a key those of its query, a network could find the key by them. The paper spreads the keys over other
 * devices than the queries; here they pass in `groups` drawn anew at every step, each with statistics of its own, while the queries
 * pass together.
 *
 * @param images `[batch, side, side, 3]`
 * @param forward gives `[rows, dim]`
 * @returns `[batch, dim]`, in the order of the images
 */
export function inShuffledGroups(
  images: Tensor4D,
  groups: number,
  random: RandomStream,
  forward: (images: Tensor4D) => Tensor2D,
): Tensor2D {
  const batch = images.shape[0];
  if (groups < 2) return forward(images);
  if (groups > batch) {
    throw new RangeError(`Expected at most as many groups of keys as the batch has rows, ${batch}, got \`${groups}\``);
  }
  return tf.tidy(() => {
    const order = random.shuffle(Int32Array.from({ length: batch }, (_, i) => i));
    const passes = Array.from({ length: groups }, (_, g) => {
      const members = order.slice(Math.floor((g * batch) / groups), Math.floor(((g + 1) * batch) / groups));
      return forward(tf.gather(images, tf.tensor1d(members, 'int32')));
    });
    const places = new Int32Array(batch);
    order.forEach((row, place) => (places[row] = place));
    return tf.gather(tf.concat2d(passes, 0), tf.tensor1d(places, 'int32') as Tensor1D);
  });
}
