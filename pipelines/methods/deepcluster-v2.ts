import { z } from 'zod';
import { createDeepClusterV2 } from '../../src/contrast/deepcluster-v2/deepcluster-v2.js';
import { mlp } from '../../src/network/head.js';
import { checkClusters } from './check-clusters.js';
import { defineMethod } from './image-method.js';
import { multiCropParams, multiCropViews } from './multi-crop.js';

/** DeepCluster v2, with multi-crop. */
export const deepClusterV2Method = defineMethod({
  name: 'deepcluster-v2',
  title: 'DeepCluster v2',
  paper: 'Caron et al. 2020',
  summary:
    'the clusters that samples fell into in the last epoch are predicted from crops; centroids are the classifiers',
  params: z.strictObject({
    ...multiCropParams,
    clusters: z.number().int().min(2).default(30).describe('clusters a head (paper: 3000 for ImageNet)'),
    heads: z.number().int().min(1).default(3).describe('clusterings beside each other'),
    iterations: z.number().int().min(1).default(10).describe('rounds of spherical k-means'),
    temperature: z.number().positive().default(0.1).describe('temperature of the predictions'),
    hidden: z.number().int().min(1).default(512).describe('width of the hidden layer of the projector (paper: 2048)'),
    dim: z.number().int().min(1).default(128).describe('length of the projected rows'),
  }),
  views: multiCropViews,
  tracks: 'two views',
  create: ({ hidden, dim, localCrops, clusters, heads, iterations, temperature }, { drawView, samples }) => {
    checkClusters(clusters, samples);
    return createDeepClusterV2({
      drawView,
      localCrops,
      clusters,
      heads,
      iterations,
      temperature,
      projector: mlp({ hidden: [hidden], dim, batchNorm: 'hidden' }),
    });
  },
});
