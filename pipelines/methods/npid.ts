import { z } from 'zod';
import { createNpid } from '../../src/contrast/npid/npid.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { bankParams, rowsParam, rowsProjector } from './bank-params.js';
import { defineMethod } from './image-method.js';

/** Instance discrimination. */
export const npidMethod = defineMethod({
  name: 'npid',
  title: 'NPID',
  paper: 'Wu et al. 2018',
  summary: 'every sample is a class of its own, held in a memory bank',
  params: z.strictObject({
    ...bankParams,
    proximal: z.number().min(0).default(0).describe('weight of the proximal term; the released code has none'),
    rows: rowsParam,
  }),
  views: (_params, { base }) => [{ policy: base ?? augmentationPolicies.npid }],
  tracks: 'one of both',
  create: ({ temperature, bankMomentum, rows, ...own }, { drawView }) =>
    createNpid({
      ...own,
      drawView,
      tau: temperature,
      momentum: bankMomentum,
      projector: rowsProjector(rows),
    }),
});
