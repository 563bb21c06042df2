import type { ParamsTree } from '../../src/pipeline/pipeline.js';

/** Mining as in the paper: the global rule on moving points, windows of one size, every track that holds. */
const asInThePaper = {
  motion: 'paper',
  window: 'fixed',
  minPeakToSidelobe: 0,
  minSharpness: 0,
  minTravelShare: 0,
  minScaleChange: 1,
  minAppearanceChange: 0,
  maxLikeness: 1,
  maxPairs: 0,
};

/** What differs from the schemas' defaults, by preset. */
export const presets: Readonly<Record<string, ParamsTree>> = {
  // The embedded demo: minutes on two cores, to see the whole job run. Too small to show what tracking is worth on real video.
  demo: {
    mine: { stepFrames: 5, maxWindows: 2, patchPx: 128 }, // few videos: look often, so that there are enough pairs
    pretrain: {
      steps: 60,
      batchPairs: 32,
      checkpointEvery: 20,
      logEvery: 5,
      npid: { rows: 'embedding', bankStart: 'random' },
    },
    pack: { sheetPairs: 24 },
    targets: { detectionPx: 160, maxProposals: 100 },
    transfer: {
      knnK: 10,
      probes: ['knn', 'linear', 'svm'],
      supervised: { steps: 60, batch: 32 },
      detection: { protocols: ['fast-rcnn'], steps: 120 },
      normals: { protocols: ['ridge', 'codebook'] },
    },
  },
  // A folder of some hundred clips, some hours on two cores: enough to see whether tracks teach anything.
  small: {
    mine: { stepFrames: 3, patchPx: 160 }, // denser than the paper, whose hundred thousand videos made up for it
    pretrain: {
      steps: 760,
      batchPairs: 64,
      checkpointEvery: 50,
      // The recipe of docs/recipes.md: hard negatives from early on, and half of the positives one patch, augmented twice.
      triplet: { randomShare: 0.1, hardRatio: 1 },
      views: { swapEnd: 0.5 },
      // NPID reads the same layer as the ranking loss, with which it is compared, and begins as released.
      npid: { rows: 'embedding', bankStart: 'random' },
    },
    transfer: { layers: ['conv3', 'conv5'], detection: { rcnnProposals: 100 } },
  },
  // The network, loss and schedule as released with the paper (methods: Wang & Gupta 2015); days on a GPU. Two things are not as
  // released: the augmentation `paper` crops every image (the release mirrors, but takes the patch as it is), and hard mining
  // begins by itself after `randomShare` of the steps (the release leaves that to two runs; the paper names its
  // first ten epochs, which do not fit its number of iterations, so the share stays a guess).
  paper: {
    mine: { ...asInThePaper, stepFrames: 15, maxWindows: 1, patchPx: 227 },
    pack: { cachePx: 227 },
    pretrain: {
      architecture: 'caffenet',
      steps: 400_000, // the released solver; 50 pairs a step
      batchPairs: 50,
      optimizer: 'sgd',
      learningRate: 1e-3,
      weightDecay: 5e-4,
      schedule: 'step',
      augmentation: 'paper',
      checkpointEvery: 1000,
      logEvery: 20,
      triplet: { margin: 1, negatives: 4, hardRatio: 0.5, randomShare: 0.25 }, // margin as in the released code; the paper writes 0.5
      npid: { temperature: 0.07, estimator: 'nce', noise: 4096, rows: 'embedding', bankStart: 'random' },
    },
    targets: { imagePx: 227, detectionPx: 500, proposals: 'quality', maxProposals: 2000 },
    transfer: { detection: { protocols: ['rcnn'], rcnnLayer: 'fc', rcnnProposals: 2000, rcnnSteps: 70_000 } },
  },
};
