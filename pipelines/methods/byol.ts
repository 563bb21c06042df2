import { z } from 'zod';
import { createByol } from '../../src/contrast/byol/byol.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { mlp } from '../../src/network/head.js';
import { defineMethod } from './image-method.js';

/** BYOL: a view predicts the other as a slow copy of the network sees it; no negatives. */
export const byolMethod = defineMethod({
  name: 'byol',
  title: 'BYOL',
  paper: 'Grill et al. 2020',
  summary: 'from one view the network predicts what a slow copy of itself makes of the other; there are no negatives',
  params: z.strictObject({
    startMomentum: z
      .number()
      .min(0)
      .lt(1)
      .nullable()
      .default(null)
      .describe('share that the target keeps at the first step; null chooses by the length of the run'),
    asymmetric: z
      .boolean()
      .default(true)
      .describe('the first view always blurred, the second rarely, and solarized with probability 0.2'),
    hidden: z.number().int().min(1).default(512).describe('width of the hidden layers (paper: 4096)'),
    dim: z.number().int().min(1).default(128).describe('length of projections and predictions (paper: 256)'),
  }),
  views: ({ asymmetric }, { base }) => {
    const [first, second] = [augmentationPolicies['byol-first'], augmentationPolicies['byol-second']];
    if (base && !asymmetric) return [{ policy: base }, { policy: base }];
    if (!base) return asymmetric ? [{ policy: first }, { policy: second }] : [{ policy: first }, { policy: first }];
    return [first, second].map(({ blur, solarize }) => ({ policy: { ...base, blur, solarize } }));
  },
  tracks: 'two views',
  create: ({ startMomentum, hidden, dim }, { drawView, steps }) => {
    const layers = mlp({ hidden: [hidden], dim, batchNorm: 'hidden' });
    const start = startMomentum === null ? {} : { startMomentum };
    return createByol({ drawView, steps, ...start, projector: layers, predictor: layers });
  },
});
