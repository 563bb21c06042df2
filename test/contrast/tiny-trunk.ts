import { tf, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Trunk } from '../../src/network/trunk.js';

/** A trunk that learns nothing and is built at once: its last map is the picture's bright and dark parts, in cells of 8 px. */
export const tinyTrunk = (): Trunk => ({
  architecture: 'tiny',
  inputSize: 48,
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
  layers: [{ name: 'conv5', channels: 6 }],
  variables: new Map(),
  buffers: new Map(),
  features: (images) =>
    tf.tidy(() => {
      const cells = tf.avgPool(images, 8, 8, 'valid');
      return { conv5: tf.concat([tf.relu(cells), tf.relu(tf.neg(cells))], 3) as Tensor4D };
    }),
  embed: () => {
    throw new Error('Expected no embedding of a tiny trunk to be asked for');
  },
  dispose: () => {},
});
