import { z } from 'zod';
import { createPcl } from '../../src/contrast/pcl/pcl.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { mlp } from '../../src/network/head.js';
import { defineMethod } from './image-method.js';

const count = z.number().int().min(1);
const quantile = z.number().min(0).max(1);

/** What v1 and v2 share; they differ in temperature, projector and augmentation. */
const params = (temperature: number) => ({
  temperature: z
    .number()
    .positive()
    .default(temperature)
    .describe('temperature of keys, and mean of those of prototypes'),
  momentum: z.number().min(0).lt(1).default(0.99).describe('share that the key encoder keeps a step (paper: 0.999)'),
  queue: count.default(1024).describe('keys in the queue, at most one a sample (paper: 16384)'),
  keyGroups: count.default(2).describe('groups of keys with batch statistics of their own'),
  samplesPerPrototype: z
    .array(z.number().positive())
    .min(1)
    .default([50, 25, 13])
    .describe('samples a prototype, one number a granularity (paper: 25 000, 50 000 and 100 000 prototypes of 1.28 M)'),
  negativePrototypes: count.default(1024).describe('prototypes drawn as negatives, a step (paper: 16384)'),
  warmUp: z.number().min(0).lt(1).default(0.1).describe('share of the run without prototypes'),
  iterations: count.default(20).describe('updates of k-means'),
  runs: count.default(5).describe('runs of k-means, of which the best is kept'),
  smoothing: z.number().positive().default(10).describe('alpha of the concentration'),
  clip: z.tuple([quantile, quantile]).default([0.1, 0.9]).describe('quantiles that concentrations are clipped to'),
  dim: count.default(128).describe('length of the projected rows'),
});

const summary = 'momentum contrast, and the prototypes that k-means finds among the features as every epoch begins';

/** PCL as first published: linear projector, temperature 0.1, mild augmentation. */
export const pclV1Method = defineMethod({
  name: 'pcl-v1',
  title: 'PCL v1',
  paper: 'Li et al. 2021',
  summary,
  params: z.strictObject(params(0.1)),
  views: (_, { base }) => {
    const view = { policy: base ?? augmentationPolicies.npid };
    return [view, view];
  },
  tracks: 'two views',
  create: ({ dim, ...rest }, { drawView, steps, batchSize }) => {
    const projector = mlp({ hidden: [], dim, batchNorm: 'none' });
    return createPcl({ name: 'pcl-v1', drawView, steps, batchSize, ...rest, projector });
  },
});

/** PCL with what MoCo v2 brought: a hidden layer, temperature 0.2, its augmentation. */
export const pclV2Method = defineMethod({
  name: 'pcl-v2',
  title: 'PCL v2',
  paper: 'Li et al. 2021',
  summary,
  params: z.strictObject({
    ...params(0.2),
    hidden: count.default(512).describe('width of the hidden layer of the projector (paper: 2048)'),
    batchNorm: z
      .enum(['none', 'hidden'])
      .default('none')
      .describe('batch norm in the projector: none as in the paper, hidden as in MoCo v3'),
  }),
  views: (_, { base }) => {
    const view = { policy: base ?? augmentationPolicies['moco-v2'] };
    return [view, view];
  },
  tracks: 'two views',
  create: ({ dim, hidden, batchNorm, ...rest }, { drawView, steps, batchSize }) => {
    const projector = mlp({ hidden: [hidden], dim, batchNorm });
    return createPcl({ name: 'pcl-v2', drawView, steps, batchSize, ...rest, projector });
  },
});
