import { z } from 'zod';
import { createSimclr } from '../../src/contrast/simclr/simclr.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { mlp } from '../../src/network/head.js';
import { defineMethod } from './image-method.js';

/** SimCLR: two views, the rest of the batch as negatives. */
export const simclrMethod = defineMethod({
  name: 'simclr',
  title: 'SimCLR',
  paper: 'Chen et al. 2020',
  summary: 'two augmented views of a picture must find each other among all other views of the batch',
  params: z.strictObject({
    temperature: z
      .number()
      .positive()
      .default(0.5)
      .describe('temperature of the softmax (paper: 0.1 ImageNet, 0.5 CIFAR-10)'),
    hidden: z.number().int().min(1).default(512).describe('width of the hidden layer of the projector (paper: 2048)'),
    dim: z.number().int().min(1).default(128).describe('length of the projected rows'),
  }),
  views: (_, { base }) => {
    const view = { policy: base ?? augmentationPolicies.simclr };
    return [view, view];
  },
  tracks: 'two views',
  create: ({ temperature, hidden, dim }, { drawView }) =>
    createSimclr({ drawView, temperature, projector: mlp({ hidden: [hidden], dim, batchNorm: 'all' }) }),
});
