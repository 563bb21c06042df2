import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { openPairCache } from '../../src/images/pair-cache-file.js';
import { openImageSource, openPatchSource } from '../../src/images/pair-source.js';
import { openPixelCache } from '../../src/images/pixel-cache-file.js';
import { reestimateBatchNorm } from '../../src/network/batch-norm-statistics.js';
import { foldLuminance, type GreyTrunk } from '../../src/network/grey-input.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { writeDurably } from '../../src/pipeline/durable-files.js';
import type { Json } from '../../src/pipeline/json.js';
import type { StageOutput, WorkContext } from '../../src/pipeline/stage.js';
import { nameOfRuntime, type RuntimeInfo } from '../../src/runtime/open.js';
import type { Tensor4D } from '../../src/runtime/tensors.js';
import { adamw } from '../../src/training/adamw.js';
import type { Source } from '../../src/training/method.js';
import { lars } from '../../src/training/lars.js';
import type { Optimizer } from '../../src/training/optimizer.js';
import { cosine, stepwise, warmUp } from '../../src/training/schedule.js';
import { sgd } from '../../src/training/sgd.js';
import { watchPeakMemory } from '../../src/training/peak-memory.js';
import { train } from '../../src/training/train.js';
import type { Row, TrainingSet } from '../rows/row.js';
import { saveBest } from './best-network.js';
import type { PretrainParams } from './params.js';
import { pictureMemory, setFile } from './training-memory.js';
import { watchFile } from './watch-folder.js';
import { openWatch, writeCurves } from './watch-training.js';

/** Images over which batch-norm statistics are taken anew after training, for every network, the untrained one included. */
const statisticsImages = 1024;
/** The same for a look in the middle of training, which must cost little beside the steps between two of them. */
const watchStatisticsImages = 128;

const batchesOf = function* <V>(source: Source<V>, most: number, random: RandomStream): Generator<Tensor4D> {
  const count = Math.min(most, source.length);
  const order = random.sample(source.length, count);
  const batchSize = 128;
  for (let from = 0; from + 1 < count; from += batchSize)
    yield source.plain(Int32Array.from(order.slice(from, from + batchSize)));
};

/** The decoded pairs or pictures that the stage `pack` or `images` left, in memory where they may be. */
export const openTrainingSet = async (
  output: StageOutput,
  kind: TrainingSet['kind'],
  params: PretrainParams,
): Promise<TrainingSet> => {
  const folder = path.dirname(setFile(output, kind, 'json').path);
  const memory = pictureMemory(params);
  return kind === 'pairs'
    ? { kind, cache: await openPairCache(folder, memory) }
    : { kind, cache: await openPixelCache(folder, memory) };
};

const optimizerOf = ({ optimizer, weightDecay, momentum }: PretrainParams): Optimizer => {
  switch (optimizer) {
    case 'adamw':
      return adamw({ weightDecay });
    case 'sgd':
      return sgd({ momentum, weightDecay });
    case 'lars':
      return lars({ momentum, weightDecay });
  }
};

/** How long a run has trained, in all the processes that worked on it: what an interruption threw away is not counted. */
const openClock = async (scratch: string) => {
  const file = path.join(scratch, 'seconds.json');
  const before = Number(await readFile(file, 'utf8').catch(() => '0'));
  const began = performance.now();
  const seconds = (): number => before + (performance.now() - began) / 1000;
  return { seconds, keep: () => writeDurably(file, String(seconds())) };
};

/** A training run inside a stage's work. */
export type NetworkTraining = {
  readonly row: Row;
  readonly seed: number;
  readonly params: PretrainParams;
  readonly set: TrainingSet;
  /** A folder of classes to watch it by. @default none */
  readonly watch?: string;
  /**
   * Trained in place; one whose method is not trained only gets its batch-norm statistics. One of grey input ends as a network that reads
   * colour pictures by their luminance.
   */
  readonly trunk: Trunk | GreyTrunk;
  readonly runtime: RuntimeInfo;
  /** What else decides the outcome, beside the method's own parameters: a resumed run must share it. */
  readonly config?: { readonly [key: string]: Json };
  readonly ctx: Pick<WorkContext<unknown>, 'outputs' | 'scratch' | 'signal' | 'progress' | 'log'>;
};

/** What a run came to, as an item's result wants it. */
export type TrainedNetwork = {
  readonly data: { readonly steps?: number; readonly finalLoss?: number };
  readonly notes: { readonly [key: string]: Json };
  /** Event files carry times; what a training was watched by is no part of what it is. */
  readonly volatile: readonly string[];
};

/** Trains a network by one row of the table, writes its curve, and takes its batch-norm statistics anew. */
export const trainNetwork = async (training: NetworkTraining): Promise<TrainedNetwork> => {
  const { row, seed, params, set, trunk, runtime, config, ctx } = training;
  const statistics =
    set.kind === 'pairs'
      ? openPatchSource(set.cache, { target: trunk })
      : openImageSource(set.cache, { target: trunk });
  let notes: { [key: string]: Json } = { runtime: nameOfRuntime(runtime), threads: runtime.threads };
  let data = {};
  let best: readonly string[] = [];
  const finish = (): void => {
    reestimateBatchNorm(trunk, batchesOf(statistics, statisticsImages, RandomStream.of(seed, 'statistics')));
    if ('grey' in trunk) foldLuminance(trunk);
  };
  if (row.training) {
    const { method, source, batchSize } = row.training.assemble({ params, set, target: trunk, seed });
    const memory = watchPeakMemory();
    const clock = await openClock(ctx.scratch);
    const eventsDir = path.join(ctx.outputs, 'events');
    await mkdir(eventsDir, { recursive: true });
    const { steps, learningRate, warmupSteps } = params;
    const watched =
      training.watch === undefined
        ? undefined
        : await openWatch(training.watch, params, trunk, () =>
            batchesOf(statistics, watchStatisticsImages, RandomStream.of(seed, 'statistics')),
          );
    const result = await train({
      method,
      source,
      trunk,
      optimizer: optimizerOf(params),
      schedule: warmUp(
        warmupSteps,
        params.schedule === 'cosine' ? cosine(learningRate) : stepwise(learningRate, { at: params.stepAt }),
      ),
      length: { steps },
      batchSize,
      seed,
      config: { own: row.own(params), augmentation: params.augmentation, ...config },
      dir: ctx.scratch,
      checkpointEvery: params.checkpointEvery,
      logEvery: params.logEvery,
      eventsDir,
      onCollapse: row.role === 'control' ? 'warn' : 'stop',
      ...(watched ? { watch: watched.watch, best: { signal: 'knn', higher: true } } : {}),
      runtime,
      signal: ctx.signal,
      onProgress: (progress) => {
        memory.look();
        if (progress.done % params.checkpointEvery === 0) clock.keep();
        ctx.progress(progress);
      },
      log: (line) => ctx.log(line),
    }).finally(() => method.dispose());
    await writeCurves(ctx.outputs, result.history, watched);
    data = { steps: result.steps, finalLoss: result.finalLoss };
    notes = {
      ...notes,
      imagesPerSecond: result.imagesPerSecond,
      samplesAStep: batchSize,
      memoryMb: Math.round(memory.most() / 1e6),
      seconds: clock.seconds(),
      ...(watched ? { watchSeconds: result.watchSeconds } : {}),
      resumedFrom: result.resumedFrom,
    };
    if (result.best) best = await saveBest(ctx.outputs, trunk, result.best, finish);
  }
  finish();
  statistics.release();
  const events = await readdir(path.join(ctx.outputs, 'events')).catch(() => []);
  const seen = existsSync(path.join(ctx.outputs, watchFile)) ? [watchFile] : [];
  return { data, notes, volatile: [...events.map((file) => `events/${file}`), ...seen, ...best] };
};
