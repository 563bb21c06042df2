import { closeSync, openSync, writeSync } from 'node:fs';
import { drawAugmentation, type AugmentationPolicy, type ViewSpec } from '../src/images/augmentation.js';
import type { PixelCache } from '../src/images/pixel-cache.js';
import { sampleSource } from '../src/images/sample-source.js';
import { reestimateBatchNorm } from '../src/network/batch-norm-statistics.js';
import { buildTrunk, parametersOf } from '../src/network/build-trunk.js';
import type { StoredTensor } from '../src/network/safetensors.js';
import type { Trunk } from '../src/network/trunk.js';
import { RandomStream } from '../src/numeric/random.js';
import { tf, type Tensor2D, type Tensor4D, type Variable } from '../src/runtime/tensors.js';
import { adamw } from '../src/training/adamw.js';
import type { EmbedAll, Method, Source } from '../src/training/method.js';
import { cosine } from '../src/training/schedule.js';
import { trainStep } from '../src/training/train-step.js';
import { train } from '../src/training/train.js';
import { peerMethods } from './peers-methods.js';
import type { StepTimes } from './peers-python.js';

/** How both sides train. */
export type Recipe = {
  readonly epochs: number;
  /** Samples a step. */
  readonly batchSize: number;
  /** Of AdamW, falling to 0 by half a cosine. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Of the two large crops. */
  readonly policy: AugmentationPolicy;
  /** Small crops where the method takes any; 0 for none. */
  readonly localCrops: number;
  readonly localSize: number;
  readonly localPolicy: AugmentationPolicy;
};

/** What a training came to: the loss step by step, and the time a step, rendering and clustering included. */
export type Training = { readonly losses: readonly number[]; readonly secondsAStep: number };

/** Steps of a run: full batches alone. */
export const stepsOf = ({ epochs, batchSize }: Recipe, samples: number): number =>
  Math.floor(samples / batchSize) * epochs;

const openSource = (cache: PixelCache, target: Trunk): Source<ViewSpec> => {
  const all = Int32Array.from({ length: cache.count }, (_, i) => i);
  return sampleSource({ cache, a: all, video: all, videos: cache.count, digest: cache.digest, target });
};

const openMethod = (name: string, recipe: Recipe, samples: number): Method<ViewSpec> => {
  const { policy, localCrops, localSize: size, localPolicy } = recipe;
  return peerMethods[name]!.create({
    steps: stepsOf(recipe, samples),
    localCrops,
    drawView: (_sample, view, random) =>
      view < 2
        ? { end: 'a', augmentation: drawAugmentation(policy, random) }
        : { end: 'a', augmentation: drawAugmentation(localPolicy, random), size },
  });
};

/** What {@link trainOurs} trains, and on what. */
export type OursTask = {
  readonly trunk: Trunk;
  readonly pictures: PixelCache;
  readonly recipe: Recipe;
  readonly seed: number;
  /** Where the samples and views of the training go; nowhere if it is left out. */
  readonly record?: ViewFiles;
};

/** The two files that a training's samples and views are written to. */
export type ViewFiles = { readonly indices: string; readonly values: string };

/** A source that also writes all it renders, in order: what the peer is then trained on. */
const recorded = (source: Source<ViewSpec>, { indices, values }: ViewFiles): Source<ViewSpec> & { close(): void } => {
  const [numbers, views] = [openSync(indices, 'w'), openSync(values, 'w')];
  return {
    ...source,
    render: (samples, specs) => {
      const tensors = source.render(samples, specs);
      writeSync(numbers, samples);
      for (const tensor of tensors) writeSync(views, tensor.dataSync<'float32'>());
      return tensors;
    },
    close: () => [numbers, views].forEach((file) => closeSync(file)),
  };
};

/**
 * Trains a trunk in place by one of our methods, as the pipelines do, and takes its batch-norm statistics anew over the pictures
 * that `statistics` numbers, `statisticsBatch` at a time.
 */
export const trainOurs = async (
  name: string,
  { trunk, pictures, recipe, seed, record }: OursTask,
  { statistics, statisticsBatch }: { statistics: Int32Array; statisticsBatch: number },
): Promise<Training> => {
  const { learningRate, weightDecay, epochs, batchSize } = recipe;
  const source = openSource(pictures, trunk);
  const method = openMethod(name, recipe, source.length);
  const recorder = record && recorded(source, record);
  const { history, seconds, steps } = await train({
    method,
    source: recorder ?? source,
    trunk,
    optimizer: adamw({ weightDecay }),
    schedule: cosine(learningRate),
    length: { epochs },
    batchSize,
    seed,
    logEvery: 1,
    onCollapse: 'warn',
    log: (line) => console.log(line),
  });
  recorder?.close();
  method.dispose();
  const batches = function* (): Generator<Tensor4D> {
    for (let from = 0; from < statistics.length; from += statisticsBatch)
      yield source.plain(statistics.slice(from, from + statisticsBatch));
  };
  reestimateBatchNorm(trunk, batches());
  return { losses: history.map(({ loss }) => loss), secondsAStep: seconds / steps };
};

/** Steps of a network of its own on one batch of noise: the computation alone, without the rendering. */
export type Stepper = {
  readonly trunk: Trunk;
  /** The views of the batch, `[batch, side, side, 3]` each. */
  readonly noise: readonly { readonly side: number; readonly values: Float32Array }[];
  /** What the method has beside the trunk, by name, in PyTorch's order of axes. */
  parts(): ReadonlyMap<string, StoredTensor>;
  steps(count: number): StepTimes;
  close(): void;
};

/** Rows and columns exchanged. */
const transposed = (data: Float32Array, [rows, columns]: readonly number[]): StoredTensor => ({
  shape: [columns!, rows!],
  data: Float32Array.from(data, (_, i) => data[(i % rows!) * columns! + Math.floor(i / rows!)]!),
});

/** What a method has beside the trunk, by name, in PyTorch's order of axes. */
const partsOf = (method: Method<ViewSpec>): ReadonlyMap<string, StoredTensor> => {
  const saved = Object.entries(method.save()).map(
    ([own, { shape, data }]) => [own, { shape, data: Float32Array.from(data) }] as const,
  );
  // Dense layers are `[in, out]` here, `[out, in]` there.
  const trained = [...method.variables()].map(([own, variable]) => {
    const data = variable.dataSync().slice() as Float32Array;
    const isDense = variable.rank === 2 && own.endsWith('.weight');
    return [own, isDense ? transposed(data, variable.shape) : { shape: variable.shape, data }] as const;
  });
  return new Map<string, StoredTensor>([...saved, ...trained]);
};

/** What a method begins {@link trainOurs} with beside the trunk, by name, in PyTorch's order of axes. */
export const firstParts = (
  name: string,
  { trunk, pictures, recipe, seed }: OursTask,
): ReadonlyMap<string, StoredTensor> => {
  const source = openSource(pictures, trunk);
  const method = openMethod(name, recipe, source.length);
  // As the training loop does.
  method.init(trunk, source, RandomStream.of(seed, 'method'));
  const parts = partsOf(method);
  method.dispose();
  return parts;
};

/** Draws a network, its method and its batch. */
export const openStepper = (name: string, pictures: PixelCache, recipe: Recipe): Stepper => {
  const { batchSize, weightDecay, learningRate } = recipe;
  const random = RandomStream.of(1, 'peers', 'steps');
  const trunk = buildTrunk('small', { random });
  const source = openSource(pictures, trunk);
  const method = openMethod(name, recipe, source.length);
  method.init(trunk, source, random);
  const heads = <T>(values: ReadonlyMap<string, T>): [string, T][] =>
    [...values].map(([own, value]) => [`head/${own}`, value]);
  const variables = new Map<string, Variable>([...trunk.variables, ...heads(method.variables())]);
  const rules = new Map([
    ...parametersOf(trunk.architecture).map(({ name: own, rate, decay }) => [own, { rate, decay }] as const),
    ...heads(method.rules?.() ?? new Map()),
  ]);
  const optimizer = adamw({ weightDecay });
  const optimizerState = optimizer.init(variables);
  const indices = Int32Array.from({ length: batchSize }, (_, i) => i);
  const noise = method.views(source.info(0), random).map(({ size: side = trunk.inputSize }) => {
    return { side, values: Float32Array.from({ length: batchSize * side * side * 3 }, () => random.normal()) };
  });
  const tensors = noise.map(({ side, values }) => tf.tensor4d(values, [batchSize, side, side, 3]));
  const embedAll: EmbedAll = (embed = (images) => trunk.embed(images, 'eval')) =>
    tf.tidy(() => {
      const rows: Tensor2D[] = [];
      for (let from = 0; from < source.length; from += batchSize) {
        const count = Math.min(batchSize, source.length - from);
        rows.push(tf.tidy(() => embed(source.plain(Int32Array.from({ length: count }, (_, i) => from + i)))));
      }
      return tf.concat2d(rows, 0);
    });
  method.beforeEpoch?.(0, embedAll);
  let done = 0;
  const step = (): number => {
    const batch = { indices, videos: indices, step: done, epoch: 0, random: RandomStream.of(1, 'step', done) };
    const { loss, signals } = trainStep({
      method,
      variables,
      optimizer,
      optimizerState,
      rules,
      learningRate,
      tensors,
      batch,
    });
    const value = loss.dataSync()[0]!;
    loss.dispose();
    for (const signal of Object.values(signals)) if (typeof signal === 'object') signal.dispose();
    done++;
    return value;
  };
  return {
    trunk,
    noise,
    parts: () => partsOf(method),
    steps: (count) => {
      const losses: number[] = [];
      const seconds: number[] = [];
      const cpuSeconds: number[] = [];
      for (let i = 0; i < count; i++) {
        const began = performance.now();
        const used = process.cpuUsage();
        losses.push(step());
        seconds.push((performance.now() - began) / 1000);
        const { user, system } = process.cpuUsage(used);
        cpuSeconds.push((user + system) / 1e6);
      }
      return { losses, seconds, cpuSeconds };
    },
    close: () => {
      method.dispose();
      trunk.dispose();
      for (const tensor of tensors) tensor.dispose();
      for (const slot of optimizerState.slots.values()) slot.dispose();
    },
  };
};
