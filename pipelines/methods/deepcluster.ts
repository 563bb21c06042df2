import { z } from 'zod';
import { createDeepCluster } from '../../src/contrast/deepcluster/deepcluster.js';
import { augmentationPolicies, type AugmentationPolicy } from '../../src/images/augmentation.js';
import { mlp } from '../../src/network/head.js';
import { checkClusters } from './check-clusters.js';
import { defineMethod } from './image-method.js';

/** Crops and mirror images alone, which is what the release does to edges. */
const released: AugmentationPolicy = { ...augmentationPolicies.paper, cropArea: [0.08, 1], cropRatio: [3 / 4, 4 / 3] };

/** DeepCluster. */
export const deepClusterMethod = defineMethod({
  name: 'deepcluster',
  title: 'DeepCluster',
  paper: 'Caron et al. 2018',
  summary: 'the clusters of its own features are labels, drawn anew before every epoch',
  params: z.strictObject({
    clusters: z.number().int().min(2).default(30).describe('clusters (paper: 10 000 for ImageNet)'),
    components: z
      .number()
      .int()
      .min(1)
      .default(64)
      .describe('principal components that are clustered (paper: 256 of 4096)'),
    iterations: z.number().int().min(1).default(20).describe('rounds of k-means'),
    reassign: z.number().int().min(1).default(1).describe('epochs from one clustering to the next'),
    topRate: z
      .number()
      .positive()
      .default(0.5)
      .describe('learning rate of the top layer, which has no other optimiser'),
    topDecay: z.number().min(0).default(1e-5).describe('weight decay of the top layer'),
    sobel: z
      .boolean()
      .default(false)
      .describe(
        'edges in the place of colours, as in the paper; transfer then reads colours with a trunk made for edges',
      ),
    hidden: z.number().int().min(1).default(512).describe('width of the hidden layer (paper: 4096)'),
    dim: z.number().int().min(1).default(256).describe('length of the rows that are clustered (paper: 4096)'),
  }),
  // Without Sobel filters, colours are varied instead of taken away.
  views: ({ sobel }, { base }) => [{ policy: base ?? (sobel ? released : augmentationPolicies['moco-v2']) }],
  tracks: 'one of both',
  create: ({ hidden, dim, ...own }, { drawView, samples }) => {
    checkClusters(own.clusters, samples);
    return createDeepCluster({ ...own, drawView, projector: mlp({ hidden: [hidden], dim, batchNorm: 'none' }) });
  },
});
