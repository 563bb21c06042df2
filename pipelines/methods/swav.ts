import { z } from 'zod';
import { mlp } from '../../src/network/head.js';
import { createSwav } from '../../src/contrast/swav/swav.js';
import { defineMethod } from './image-method.js';
import { multiCropParams, multiCropViews } from './multi-crop.js';

const share = z.number().min(0).lt(1);

/** SwAV, with multi-crop. */
export const swavMethod = defineMethod({
  name: 'swav',
  title: 'SwAV',
  paper: 'Caron et al. 2020',
  summary: 'the prototypes that one crop is assigned to, with all used alike, are predicted from the other crops',
  params: z.strictObject({
    ...multiCropParams,
    prototypes: z.number().int().min(2).default(30).describe('prototypes (paper: 3000 for ImageNet)'),
    temperature: z.number().positive().default(0.1).describe('temperature of the predictions'),
    epsilon: z
      .number()
      .positive()
      .default(0.03)
      .describe('smoothness of the codes (paper: 0.05; 0.03 against collapse)'),
    iterations: z.number().int().min(1).default(3).describe("rounds of Sinkhorn's normalisation"),
    freezeShare: share.default(0.01).describe('share of the run in which the prototypes are held'),
    queueRows: z
      .number()
      .int()
      .min(0)
      .default(0)
      .describe('rows of earlier batches that take part in the codes; 0 for none'),
    queueAfter: share.default(0.1).describe('share of the run before the queue begins to fill'),
    hidden: z.number().int().min(1).default(512).describe('width of the hidden layer of the projector (paper: 2048)'),
    dim: z.number().int().min(1).default(128).describe('length of the projected rows'),
  }),
  views: multiCropViews,
  tracks: 'two views',
  create: (
    { hidden, dim, localCrops, prototypes, temperature, epsilon, iterations, freezeShare, queueRows, queueAfter },
    context,
  ) =>
    createSwav({
      drawView: context.drawView,
      steps: context.steps,
      localCrops,
      prototypes,
      temperature,
      epsilon,
      iterations,
      freezeShare,
      queueRows,
      queueAfter,
      projector: mlp({ hidden: [hidden], dim, batchNorm: 'hidden' }),
    }),
});
