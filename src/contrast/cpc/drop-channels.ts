import type { RandomStream } from '../../numeric/random.js';
import { tf, type Tensor4D } from '../../runtime/tensors.js';

/**
 * Takes two of the three colour channels from a patch, with a probability, each patch and the channel that stays drawn anew (Hénaff 2020): what
 * colours two patches have in common no longer says that they are of one picture. What is taken becomes 0, the mean colour of a normalised
 * picture. `[patches, side, side, 3]`; the caller disposes.
 */
export const dropChannels = (patches: Tensor4D, probability: number, random: RandomStream): Tensor4D => {
  const count = patches.shape[0];
  const kept = new Float32Array(count * 3).fill(1);
  for (let patch = 0; patch < count; patch++) {
    if (!random.chance(probability)) continue;
    const stays = random.integer(3);
    for (let channel = 0; channel < 3; channel++) if (channel !== stays) kept[3 * patch + channel] = 0;
  }
  return tf.tidy(() => tf.mul(patches, tf.tensor4d(kept, [count, 1, 1, 3])));
};
