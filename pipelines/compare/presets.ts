import type { ParamsTree } from '../../src/pipeline/pipeline.js';
import { presets as imagePresets } from '../image-ssl/presets.js';
import { presets as videoPresets } from '../video-ssl/presets.js';

const { demo: videoDemo, small: videoSmall } = videoPresets;

/** What differs from the schemas' defaults, by preset. */
export const presets: Readonly<Record<string, ParamsTree>> = {
  // The embedded demo, every method: to see that all of it runs.
  demo: { ...imagePresets['demo'], mine: videoDemo!['mine']!, pack: videoDemo!['pack']! },
  // Five thousand small pictures (a subset of CIFAR-10) and some hundred clips, one seed: under an hour on two cores.
  reduced: {
    mine: videoSmall!['mine']!,
    pack: videoSmall!['pack']!,
    images: { maxImages: 5000 },
    targets: { trainPerClass: 500, testPerClass: 200 },
    pretrain: { steps: 300, batchPairs: 64, checkpointEvery: 100, logEvery: 10 },
    transfer: { probes: ['knn', 'linear'], supervised: { steps: 300, batch: 128 } },
  },
  // The same pictures and mined patches, all probes; with `--seeds 3 --methods all`, detection and normals, about a night on
  // two cores by the times of `reduced`; not yet run to its end.
  full: {
    mine: videoSmall!['mine']!,
    pack: videoSmall!['pack']!,
    images: { maxImages: 5000 },
    targets: { trainPerClass: 500, testPerClass: 200 },
    pretrain: { steps: 400, batchPairs: 64, checkpointEvery: 100, logEvery: 10 },
    transfer: {
      supervised: { steps: 400, batch: 128 },
      detection: {
        methods: ['random', 'simclr', 'npid', 'triplet', 'simclr-patches', 'simclr-tracks'],
        rcnnProposals: 100,
      },
      normals: { methods: ['random', 'simclr', 'npid', 'triplet', 'simclr-patches', 'simclr-tracks'] },
    },
  },
};
