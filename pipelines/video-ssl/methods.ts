import { createNpid } from '../../src/contrast/npid/npid.js';
import { augmentationPolicies, drawAugmentation } from '../../src/images/augmentation.js';
import type { ViewSpec } from '../../src/images/augmentation.js';
import type { PairCache } from '../../src/images/pair-cache.js';
import { openPairSource, openPatchSource } from '../../src/images/pair-source.js';
import type { PairKind } from '../../src/images/pair-source.js';
import type { ImageTarget } from '../../src/images/render-views.js';
import type { RandomStream } from '../../src/numeric/random.js';
import type { Json } from '../../src/pipeline/json.js';
import type { Method, Source } from '../../src/training/method.js';
import { createTriplet } from '../../src/triplet/triplet.js';
import type { methodNames } from './method-names.js';
import type { PretrainParams } from './params.js';

/** A method with the samples it learns from. */
export type Assembled = {
  readonly method: Method<ViewSpec>;
  readonly source: Source<ViewSpec>;
  readonly batchSize: number;
};

/** A row of the table: how it is named, what it is, how it is put together. */
export type MethodEntry = {
  readonly name: (typeof methodNames)[number];
  /** For the report: a method, or a control that it is measured against. */
  readonly role: 'method' | 'control';
  readonly summary: string;
  /** Its own parameters: counted in its items' identity only. */
  readonly own: (params: PretrainParams) => Json;
  /** Absent for a network that is not trained. */
  readonly assemble?: (params: PretrainParams, cache: PairCache, target: ImageTarget, seed: number) => Assembled;
};

const drawViewOf =
  (params: PretrainParams) =>
  (end: 'a' | 'b', random: RandomStream): ViewSpec => ({
    end,
    augmentation: drawAugmentation(augmentationPolicies[params.augmentation], random),
  });

const ranking = (
  name: MethodEntry['name'],
  kind: PairKind,
  role: MethodEntry['role'],
  summary: string,
): MethodEntry => ({
  name,
  role,
  summary,
  own: (params) => ({ ...params.triplet, ...(kind === 'self' ? { patches: 'both ends' } : {}) }),
  assemble: (params, cache, target, seed) => {
    const { margin, negatives, hardRatio, randomShare } = params.triplet;
    return {
      method: createTriplet({
        drawView: drawViewOf(params),
        margin,
        negatives,
        hardRatio,
        randomRatio: 1 - hardRatio,
        randomShare,
        steps: params.steps,
      }),
      source: openPairSource(cache, kind, { seed, target }),
      batchSize: params.batchPairs,
    };
  },
});

/** All methods and controls of `video-ssl`, in the order of the report's table. Same trunk, same data, same number of image draws. */
export const methodEntries: readonly MethodEntry[] = [
  {
    name: 'random',
    role: 'control',
    summary: 'weights as drawn, batch-norm statistics from the patches',
    own: () => null,
  },
  ranking('shuffled', 'shuffled', 'control', 'ranking loss, positive from any other video'),
  ranking('self', 'self', 'control', 'ranking loss, positive = the same patch, augmented anew'),
  ranking('same-video', 'same-video', 'control', 'ranking loss, positive = another pair of the same video'),
  ranking('untracked', 'untracked', 'control', 'ranking loss, positive = the same place 30 frames later'),
  ranking('triplet', 'tracks', 'method', 'ranking loss on the two ends of a track (Wang & Gupta 2015)'),
  {
    name: 'npid',
    role: 'method',
    summary: 'instance discrimination on the patches of the same tracks (Wu et al. 2018)',
    own: (params) => ({ ...params.npid }),
    assemble: (params, cache, target, _seed) => {
      const { temperature, negatives, bankMomentum, softmax } = params.npid;
      return {
        method: createNpid({
          drawView: (_sample, _view, random) => drawViewOf(params)('a', random),
          estimator: softmax ? 'softmax' : 'nce',
          noise: negatives,
          tau: temperature,
          momentum: bankMomentum,
        }),
        source: openPatchSource(cache, { target }),
        // One view a sample: as many images a step as the two-view methods draw.
        batchSize: params.batchPairs * 2,
      };
    },
  },
];

/** Those in the table by default. */
export const defaultMethods = ['random', 'shuffled', 'self', 'triplet', 'npid'] as const;

/** The entry of that name. */
export const methodNamed = (name: string): MethodEntry => {
  const entry = methodEntries.find((candidate) => candidate.name === name);
  if (!entry) throw new Error(`Expected a method of video-ssl, got \`${name}\``);
  return entry;
};
