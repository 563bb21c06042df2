import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { augmentationPolicies, drawAugmentation, type ViewSpec } from '../../src/images/augmentation.js';
import { loadPairCache, openPairCache } from '../../src/images/pair-cache-file.js';
import type { PairCache } from '../../src/images/pair-cache.js';
import { openPairSource } from '../../src/images/pair-source.js';
import type { PictureMemory } from '../../src/images/stored-pictures.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Scalar, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Trunk } from '../../src/network/trunk.js';
import type { Method, Source } from '../../src/training/method.js';
import { constant } from '../../src/training/schedule.js';
import { sgd } from '../../src/training/sgd.js';
import { train } from '../../src/training/train.js';
import { toyTrunk } from '../training/toy-run.js';
import { pictureBytes, writeNoisePairs } from './noise-pairs.js';

/** Pulls the ends of tracks together. */
const pull = (perVideo?: number): Method<ViewSpec> => {
  let trunk: Trunk;
  return {
    name: 'pull',
    ...(perVideo === undefined ? {} : { perVideo }),
    views: (_, random) =>
      (['a', 'b'] as const).map((end) => ({ end, augmentation: drawAugmentation(augmentationPolicies.full, random) })),
    init: (network) => void (trunk = network),
    variables: () => new Map(),
    step: ([first, second]) => {
      const embed = (images: Tensor4D) => trunk.embed(images, 'train');
      return { loss: tf.mean(tf.squaredDifference(embed(first!), embed(second!))) as Scalar, signals: {} };
    },
    uniformLoss: () => 1,
    save: () => ({}),
    load: () => undefined,
    dispose: () => undefined,
  };
};

const steps = 30;

describe('Training on pictures in a file', () => {
  let folder: string;
  before(async () => {
    await openRuntime({ threads: 1 });
    folder = await mkdtemp(path.join(tmpdir(), 'streamed-training-'));
    await writeNoisePairs(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const open = (memory: PictureMemory): Promise<PairCache> => openPairCache(folder, memory);

  /** Trains on a cache, two epochs and a half; stopped after each of some steps and begun anew. The weights. */
  const weightsOn = async (cache: PairCache, stops: readonly number[] = [], perVideo?: number): Promise<number[]> => {
    const dir = await mkdtemp(path.join(tmpdir(), 'streamed-checkpoints-'));
    try {
      for (const stop of [...stops, steps]) {
        const trunk = toyTrunk(1);
        const source: Source<ViewSpec> = openPairSource(cache, 'tracks', { seed: 1, target: trunk });
        const interruption = new AbortController();
        const run = train({
          ...{ method: pull(perVideo), source, trunk, optimizer: sgd({ momentum: 0.9, weightDecay: 0 }) },
          ...{ schedule: constant(0.1), length: { steps }, batchSize: 10, seed: 4, dir, rules: new Map() },
          signal: interruption.signal,
          onProgress: ({ done }) => done === stop && stop < steps && interruption.abort(new Error('stopped')),
        });
        if (stop < steps) await assert.rejects(run, /stopped/);
        else await run;
        const weights = [...trunk.variables.get('w')!.dataSync()];
        trunk.dispose();
        if (stop === steps) return weights;
      }
      return [];
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  };

  it('goes on from any step to the weights of a run in one go', async () => {
    const cache = await open({ memoryBytes: 60 * 2 * pictureBytes, shuffle: 'buffer' });
    const inOneGo = await weightsOn(cache);
    assert.deepEqual(await weightsOn(cache, [7, 12, 23]), inOneGo);
    assert.notDeepEqual(inOneGo, await weightsOn(await loadPairCache(folder)), 'another order, other weights');
  });

  it('gives the weights of a set in memory where the buffer holds it, and where it reads at random', async () => {
    const inMemory = await weightsOn(await loadPairCache(folder));
    const large = await open({ memoryBytes: 140 * 2 * pictureBytes, shuffle: 'buffer' });
    assert.ok('path' in large.pixels);
    assert.deepEqual(await weightsOn(large), inMemory);
    assert.deepEqual(await weightsOn(await open({ memoryBytes: 1000, shuffle: 'uniform' })), inMemory);
  });

  it('follows the order of a method that has one of its own', async () => {
    const buffered = await open({ memoryBytes: 60 * 2 * pictureBytes, shuffle: 'buffer' });
    assert.deepEqual(await weightsOn(buffered, [], 2), await weightsOn(await loadPairCache(folder), [], 2));
  });
});
