import type { ParamsTree } from '../../src/pipeline/pipeline.js';
import { presets as imagePresets } from '../image-ssl/presets.js';

/** What differs from the schemas' defaults, by preset. */
export const presets: Readonly<Record<string, ParamsTree>> = {
  // The embedded demo, to see the whole job run.
  demo: { ...imagePresets['demo'], pretrain: { ...imagePresets['demo']!['pretrain'], batchPairs: 16 } },
  // Five thousand small pictures: one or two minutes a point on two cores.
  small: {
    images: { maxImages: 5000 },
    targets: { trainPerClass: 500, testPerClass: 200 },
    pretrain: { steps: 300, batchPairs: 64, checkpointEvery: 100, logEvery: 10 },
    transfer: { probes: ['knn', 'linear'], supervised: { steps: 0 } },
  },
};
