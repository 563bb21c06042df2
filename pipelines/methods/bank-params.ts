import { z } from 'zod';
import type { Projector } from '../../src/contrast/encoder.js';
import { mlp } from '../../src/network/head.js';

/** Parameters that the methods with a memory bank share: how a sample is told from all others. */
export const bankParams = {
  temperature: z.number().positive().default(0.1).describe('papers: 0.07 on ImageNet, 0.1 on CIFAR'),
  bankMomentum: z.number().min(0).lt(1).default(0.5).describe('share of the old row in an update of the bank'),
  estimator: z
    .enum(['softmax', 'nce'])
    .default('softmax')
    .describe(
      'cross-entropy over the whole bank, or noise-contrastive estimation (papers), for banks too large for it',
    ),
  bankStart: z
    .enum(['features', 'random'])
    .default('features')
    .describe(
      'rows before the first step: of the untrained network, or random ones (papers), which mislead for an epoch',
    ),
  noise: z.int().min(1).default(1024).describe('noise draws a sample, for `nce` (paper: 4096)'),
};

/** The parameter that says how rows are made to be compared. */
export const rowsParam = z
  .enum(['linear', 'embedding'])
  .default('linear')
  .describe('a linear layer to 128 values on the mean of `conv5`, or the dense layers of the trunk');

/** The projector of {@link rowsParam}. */
export const rowsProjector = (rows: 'linear' | 'embedding'): Projector =>
  rows === 'linear' ? mlp({ hidden: [], dim: 128, batchNorm: 'none' }) : rows;
