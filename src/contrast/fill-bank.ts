import { tf } from '../runtime/tensors.js';
import type { EmbedAll } from '../training/method.js';
import type { Encoder } from './encoder.js';
import type { MemoryBank } from './memory-bank.js';
import { projectUnit } from './unit-projection.js';

/**
 * What a bank holds before the first step. `random`: rows in all directions, as released; until every sample was met, which takes
 * an epoch, they say nothing of the samples. `features`: the untrained network's rows of all samples, by one pass without
 * augmentation; for runs of few epochs.
 */
export type BankStart = 'random' | 'features';

/**
 * Fills a bank with the rows of all samples. Batch norm takes the statistics of each batch, as in training: the running ones of a network that
 * has seen nothing are those of nothing.
 */
export function fillBank(
  { encoder, bank }: { readonly encoder: Encoder; readonly bank: MemoryBank },
  embedAll: EmbedAll,
): void {
  tf.tidy(() => bank.fill(embedAll((images) => projectUnit(encoder, images, 'train'))));
}
