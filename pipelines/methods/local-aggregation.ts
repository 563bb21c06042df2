import { z } from 'zod';
import { createLocalAggregation } from '../../src/contrast/local-aggregation/local-aggregation.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { bankParams, rowsParam, rowsProjector } from './bank-params.js';
import { defineMethod } from './image-method.js';

/** Local aggregation. */
export const localAggregationMethod = defineMethod({
  name: 'local-aggregation',
  title: 'Local Aggregation',
  paper: 'Zhuang et al. 2019',
  summary: 'what clusters of the bank hold together is drawn together, away from what lies near',
  params: z.strictObject({
    ...bankParams,
    warmUp: z
      .number()
      .min(0)
      .lt(1)
      .default(0.25)
      .describe('share of the steps with instance discrimination (paper: 10 of 200 epochs)'),
    background: z.int().min(1).default(512).describe('nearest rows of the bank that are told apart (paper: 4096)'),
    clusterings: z.int().min(1).default(3).describe('clusterings that are united (paper: 10)'),
    samplesPerCluster: z.number().min(1).default(10).describe('samples a cluster, in the mean (paper: 43)'),
    iterations: z.int().min(1).default(10).describe('rounds of k-means (released: 20)'),
    refreshEpochs: z.int().min(1).default(1).describe('epochs after which the bank is clustered anew'),
    rows: rowsParam,
  }),
  views: (_params, { base }) => [{ policy: base ?? augmentationPolicies.npid }],
  tracks: 'one of both',
  create: ({ temperature, bankMomentum, rows, ...own }, { drawView, steps }) =>
    createLocalAggregation({
      ...own,
      drawView,
      steps,
      tau: temperature,
      momentum: bankMomentum,
      projector: rowsProjector(rows),
    }),
});
