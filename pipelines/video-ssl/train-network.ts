import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadPairCache } from '../../src/images/pair-cache-file.js';
import type { PairCache } from '../../src/images/pair-cache.js';
import { openPatchSource } from '../../src/images/pair-source.js';
import { reestimateBatchNorm } from '../../src/network/batch-norm-statistics.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import type { Json } from '../../src/pipeline/json.js';
import type { StageOutput, WorkContext } from '../../src/pipeline/stage.js';
import type { RuntimeInfo } from '../../src/runtime/open.js';
import type { Tensor4D } from '../../src/runtime/tensors.js';
import { adamw } from '../../src/training/adamw.js';
import type { Source } from '../../src/training/method.js';
import { cosine, stepwise, warmUp } from '../../src/training/schedule.js';
import { sgd } from '../../src/training/sgd.js';
import { train } from '../../src/training/train.js';
import type { MethodEntry } from './methods.js';
import type { PretrainParams } from './params.js';

/** Images over which batch-norm statistics are taken anew after training, for every network, the untrained one included. */
const statisticsImages = 1024;

const batchesOf = function* <V>(source: Source<V>, batchSize: number, random: RandomStream): Generator<Tensor4D> {
  const count = Math.min(statisticsImages, source.length);
  const order = random.sample(source.length, count);
  for (let from = 0; from + 1 < count; from += batchSize)
    yield source.plain(Int32Array.from(order.slice(from, from + batchSize)));
};

/** The decoded pairs that the stage `pack` left. */
export const openPairs = async (pack: StageOutput): Promise<PairCache> => {
  const packed = pack.artefacts.find(({ name }) => name.endsWith('pairs.json'));
  if (!packed) throw new Error('Expected the stage `pack` to have written the cache of decoded pairs');
  return loadPairCache(path.dirname(packed.path));
};

/** A training run inside a stage's work. */
export type NetworkTraining = {
  readonly entry: MethodEntry;
  readonly seed: number;
  readonly params: PretrainParams;
  readonly cache: PairCache;
  /** Trained in place; one whose method is not trained only gets its batch-norm statistics. */
  readonly trunk: Trunk;
  readonly runtime: RuntimeInfo;
  /** What else decides the outcome, beside the method's own parameters: a resumed run must share it. */
  readonly config?: { readonly [key: string]: Json };
  readonly ctx: Pick<WorkContext<unknown>, 'outputs' | 'scratch' | 'signal' | 'progress' | 'log'>;
};

/** What a run came to, as an item's result wants it. */
export type TrainedNetwork = {
  readonly data: { readonly steps?: number; readonly finalLoss?: number };
  readonly notes: { readonly [key: string]: Json };
  /** Event files carry times. */
  readonly volatile: readonly string[];
};

/** Trains a network on the mined pairs by one method of the table, writes its curve, and takes its batch-norm statistics anew. */
export const trainNetwork = async (training: NetworkTraining): Promise<TrainedNetwork> => {
  const { entry, seed, params, cache, trunk, runtime, config, ctx } = training;
  let notes: { [key: string]: Json } = { runtime: `${runtime.backend} ${runtime.version}`, threads: runtime.threads };
  let data = {};
  if (entry.assemble) {
    const { method, source, batchSize } = entry.assemble(params, cache, trunk, seed);
    const eventsDir = path.join(ctx.outputs, 'events');
    await mkdir(eventsDir, { recursive: true });
    const { steps, learningRate, weightDecay, momentum, warmupSteps } = params;
    const result = await train({
      method,
      source,
      trunk,
      optimizer: params.optimizer === 'adamw' ? adamw({ weightDecay }) : sgd({ momentum, weightDecay }),
      schedule: warmUp(
        warmupSteps,
        params.schedule === 'cosine' ? cosine(learningRate) : stepwise(learningRate, { at: params.stepAt }),
      ),
      length: { steps },
      batchSize,
      seed,
      config: { own: entry.own(params), augmentation: params.augmentation, ...config },
      dir: ctx.scratch,
      checkpointEvery: params.checkpointEvery,
      logEvery: params.logEvery,
      eventsDir,
      onCollapse: entry.role === 'control' ? 'warn' : 'stop',
      runtime,
      signal: ctx.signal,
      onProgress: (progress) => ctx.progress(progress),
      log: (line) => ctx.log(line),
    });
    method.dispose();
    await writeFile(path.join(ctx.outputs, 'history.json'), `${JSON.stringify(result.history)}\n`);
    data = { steps: result.steps, finalLoss: result.finalLoss };
    notes = {
      ...notes,
      imagesPerSecond: result.imagesPerSecond,
      seconds: result.seconds,
      resumedFrom: result.resumedFrom,
    };
  }
  const statistics = openPatchSource(cache, { target: trunk });
  reestimateBatchNorm(trunk, batchesOf(statistics, 128, RandomStream.of(seed, 'statistics')));
  const events = await readdir(path.join(ctx.outputs, 'events')).catch(() => []);
  return { data, notes, volatile: events.map((file) => `events/${file}`) };
};
