import { drawAugmentation } from '../../src/images/augmentation.js';
import type { ViewSpec } from '../../src/images/augmentation.js';
import { openPairSource } from '../../src/images/pair-source.js';
import type { PairKind } from '../../src/images/pair-source.js';
import type { RandomStream } from '../../src/numeric/random.js';
import { createTriplet } from '../../src/triplet/triplet.js';
import type { PretrainParams } from '../benchmark/params.js';
import { basePolicy } from './base-policy.js';
import { drawnEnd } from './drawn-end.js';
import { pairsOf, type Row } from './row.js';

const drawViewOf = ({ augmentation, views: asked }: PretrainParams, kind: PairKind) => {
  // The others differ from `tracks` in what the other end is, alone; this one must see wrong pairs, and no right ones.
  const views = kind === 'shuffled' ? { ...asked, swapEnd: 0 } : asked;
  // The paper's own is to crop and mirror.
  const policy = basePolicy(augmentation === 'own' ? 'paper' : augmentation, views);
  return (own: 'a' | 'b', random: RandomStream): ViewSpec => ({
    end: drawnEnd(own, views, random),
    augmentation: drawAugmentation(policy, random),
  });
};

const ranking = (name: string, kind: PairKind, role: Row['role'], summary: string): Row => ({
  name,
  role,
  summary,
  learnsFrom: 'pairs',
  own: (params) => ({ ...params.triplet, ...(kind === 'self' ? { patches: 'both ends' } : {}) }),
  training: {
    batchSize: ({ batchPairs }) => batchPairs,
    samples: (pairs) => pairs,
    check: ({ batchPairs, triplet: { negatives, perVideo, queue } }) => {
      const candidates = 2 * (batchPairs - perVideo) + queue;
      if (negatives <= candidates) return;
      throw new RangeError(
        `expected \`negatives\` to be at most ${Math.max(0, candidates)}, the patches of other videos in a batch of ${batchPairs} pairs with ${perVideo} of a video, got \`${negatives}\``,
      );
    },
    assemble: ({ params, set, target, seed }) => {
      const { hardRatio, ...rest } = params.triplet;
      return {
        method: createTriplet({
          drawView: drawViewOf(params, kind),
          ...rest,
          hardRatio,
          randomRatio: 1 - hardRatio,
          steps: params.steps,
        }),
        source: openPairSource(pairsOf(set), kind, { seed, target }),
        batchSize: params.batchPairs,
      };
    },
  },
});

/** The ranking network on tracks, and the controls that its pairs are measured against, in the order of the tables. */
export const rankingRows: readonly Row[] = [
  ranking('shuffled', 'shuffled', 'control', 'ranking loss, positive from any other video'),
  ranking('self', 'self', 'control', 'ranking loss, positive = the same patch, augmented anew'),
  ranking('same-video', 'same-video', 'control', 'ranking loss, positive = another pair of the same video'),
  ranking('untracked', 'untracked', 'control', 'ranking loss, positive = the same place 30 frames later'),
  ranking('triplet', 'tracks', 'method', 'ranking loss on the two ends of a track (Wang & Gupta 2015)'),
];

/** The network as it is drawn, with the batch-norm statistics of what the others learn from. */
export const randomRow = (learnsFrom: Row['learnsFrom']): Row => ({
  name: 'random',
  role: 'control',
  summary: `weights as drawn, batch-norm statistics from the ${learnsFrom === 'pairs' ? 'patches' : 'pictures'}`,
  learnsFrom,
  own: () => null,
});
