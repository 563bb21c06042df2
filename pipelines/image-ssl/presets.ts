import type { ParamsTree } from '../../src/pipeline/pipeline.js';

/** What differs from the schemas' defaults, by preset. */
export const presets: Readonly<Record<string, ParamsTree>> = {
  // The embedded demo: a minute or two a method on two cores, to see the whole job run.
  demo: {
    pretrain: { steps: 60, batchPairs: 32, checkpointEvery: 20, logEvery: 5 },
    targets: { detectionPx: 160, maxProposals: 100 },
    transfer: {
      knnK: 10,
      probes: ['knn', 'linear', 'svm'],
      supervised: { steps: 60, batch: 32 },
      detection: { protocols: ['fast-rcnn'], steps: 120 },
      normals: { protocols: ['ridge', 'codebook'] },
    },
  },
  // Some thousand pictures: at the speed of the reduced comparison some ten minutes a method on two cores.
  small: {
    pretrain: { steps: 2000, batchPairs: 64, checkpointEvery: 100, logEvery: 20 },
    transfer: { layers: ['conv3', 'conv5'], detection: { rcnnProposals: 100 } },
  },
};
