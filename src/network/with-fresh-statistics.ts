import { tf, type Tensor4D } from '../runtime/tensors.js';
import { reestimateBatchNorm } from './batch-norm-statistics.js';
import type { Trunk } from './trunk.js';

/**
 * Reads a network in the middle of its training as it would be read after it: with batch-norm statistics taken anew over `batches` (as
 * {@link reestimateBatchNorm}; they are disposed), then put back bit by bit. The running ones will not do: those of a network as drawn
 * are of no data at all, and in training they follow augmented views by a few steps.
 *
 * @param read what is asked of the network; must not change it
 */
export function withFreshStatistics<T>(trunk: Trunk, batches: Iterable<Tensor4D>, read: () => T): T {
  // Copies: a backend may hand out its own memory.
  const before = [...trunk.buffers.values()].map((buffer) => ({ buffer, values: buffer.dataSync().slice() }));
  try {
    reestimateBatchNorm(trunk, batches);
    return read();
  } finally {
    for (const { buffer, values } of before) tf.tidy(() => buffer.assign(tf.tensor(values, buffer.shape)));
  }
}
