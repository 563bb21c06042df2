import { tf, type Tensor4D } from '../runtime/tensors.js';
import { runningMomentum } from './layers.js';
import type { Trunk } from './trunk.js';

/**
 * Sets a network's running statistics to the plain average of the batch statistics over `batches` (each
 * `[batch, height, width, 3]`, disposed here). Networks are compared only after this: the statistics of a random network are
 * otherwise those of no data at all, and those of a trained one lag behind its weights. Does nothing to a network without
 * batch norm, nor without batches. Returns the number of batches.
 */
export function reestimateBatchNorm(trunk: Trunk, batches: Iterable<Tensor4D>): number {
  const { buffers } = trunk;
  if (buffers.size === 0) return 0;
  const sums = new Map([...buffers.keys()].map((name) => [name, new Float64Array(buffers.get(name)!.size)]));
  let count = 0;
  for (const images of batches) {
    tf.tidy(() => {
      // From zero, one training pass leaves `momentum * batch statistic`.
      for (const buffer of buffers.values()) buffer.assign(tf.zerosLike(buffer));
      trunk.embed(images, 'train');
    });
    images.dispose();
    for (const [name, buffer] of buffers) {
      const values = buffer.dataSync();
      const sum = sums.get(name)!;
      for (let i = 0; i < sum.length; i++) sum[i]! += values[i]! / runningMomentum;
    }
    count++;
  }
  if (count === 0) return 0;
  for (const [name, buffer] of buffers) {
    const average = Float32Array.from(sums.get(name)!, (sum) => sum / count);
    tf.tidy(() => buffer.assign(tf.tensor(average, buffer.shape)));
  }
  return count;
}
