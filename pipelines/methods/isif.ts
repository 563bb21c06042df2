import { z } from 'zod';
import { createIsif } from '../../src/contrast/isif/isif.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { rowsParam, rowsProjector } from './bank-params.js';
import { defineMethod } from './image-method.js';

/** Invariant and spreading instance feature. */
export const isifMethod = defineMethod({
  name: 'isif',
  title: 'ISIF',
  paper: 'Ye et al. 2019',
  summary: 'two views of a sample are alike, the samples of a batch apart',
  params: z.strictObject({
    temperature: z.number().positive().default(0.1).describe('paper: 0.1'),
    negativeWeight: z.number().min(1).default(1).describe('weight of the spreading part (released: `negM`)'),
    rows: rowsParam,
  }),
  views: (_params, { base }) => [
    { policy: base ?? augmentationPolicies.npid },
    { policy: base ?? augmentationPolicies.npid },
  ],
  tracks: 'two views',
  create: ({ temperature, negativeWeight, rows }, { drawView, batchSize }) =>
    createIsif({ drawView, batchSize, tau: temperature, negativeWeight, projector: rowsProjector(rows) }),
});
