import { z } from 'zod';
import { createMoco } from '../../src/contrast/moco/moco.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { mlp } from '../../src/network/head.js';
import { defineMethod } from './image-method.js';

/** MoCo v2: a queue of keys from a slow copy of the encoder. */
export const mocoV2Method = defineMethod({
  name: 'moco-v2',
  title: 'MoCo v2',
  paper: 'Chen et al. 2020',
  summary:
    'a view must find the other view of its picture among a queue of earlier pictures, as a slow copy of the network sees them',
  params: z.strictObject({
    temperature: z.number().positive().default(0.2).describe('temperature of the softmax'),
    momentum: z.number().min(0).lt(1).default(0.99).describe('share that the key encoder keeps a step (paper: 0.999)'),
    queue: z.number().int().min(1).default(1024).describe('keys in the queue, at most one a sample (paper: 65536)'),
    keyGroups: z
      .number()
      .int()
      .min(1)
      .default(2)
      .describe('groups of keys with batch statistics of their own (paper: 8 devices)'),
    hidden: z.number().int().min(1).default(512).describe('width of the hidden layer of the projector (paper: 2048)'),
    batchNorm: z
      .enum(['none', 'hidden'])
      .default('none')
      .describe('batch norm in the projector: none as in the paper, hidden as in MoCo v3'),
    dim: z.number().int().min(1).default(128).describe('length of the projected rows'),
  }),
  views: (_, { base }) => {
    const view = { policy: base ?? augmentationPolicies['moco-v2'] };
    return [view, view];
  },
  tracks: 'two views',
  create: ({ hidden, dim, batchNorm, ...params }, { drawView }) =>
    createMoco({ drawView, ...params, projector: mlp({ hidden: [hidden], dim, batchNorm }) }),
});
