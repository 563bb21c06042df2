import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { parametersOf } from '../network/build-trunk.js';
import type { Trunk } from '../network/trunk.js';
import { RandomStream } from '../numeric/random.js';
import { mean } from '../numeric/statistics.js';
import { killPoint } from '../pipeline/kill-point.js';
import type { Progress } from '../pipeline/stage.js';
import { nameOfRuntime, type RuntimeInfo } from '../runtime/open.js';
import { tf, type Scalar, type Tensor2D, type Tensor4D, type Variable } from '../runtime/tensors.js';
import { measureUniformity } from './alignment-uniformity.js';
import { betterOf, bestOfState, writeBest, type BestRule, type BestWeights } from './best-weights.js';
import { checkFolder, keptCheckpoints, loadCheckpoint, saveCheckpoint } from './checkpoints.js';
import { batchesPerEpoch, epochOrder, epochOrderByVideo } from './data-order.js';
import { openEventFile } from './event-file.js';
import {
  checkLoss,
  checkRows,
  initialHealth,
  measureSpread,
  TrainingProblem,
  watchLoss,
  watchSpread,
  type HealthState,
} from './health.js';
import type { Batch, EmbedAll, Method, Source } from './method.js';
import type { Optimizer, VariableRule } from './optimizer.js';
import type { Schedule } from './schedule.js';
import { trainStep } from './train-step.js';
import { isWatched, openWatch, type Watch } from './watch.js';
import {
  bytesOfState,
  captureArrays,
  checkConfig,
  numbersOf,
  restoreArrays,
  type HistoryEntry,
  type TrainConfig,
  type TrainState,
} from './train-state.js';

/** What a run is made of. */
export type TrainOptions<V> = {
  readonly method: Method<V>;
  readonly source: Source<V>;
  readonly trunk: Trunk;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  /** How long: in steps, or in epochs of full batches. */
  readonly length: { readonly steps: number } | { readonly epochs: number };
  /** Samples a step; every sample gives as many images as the method has views. */
  readonly batchSize: number;
  /** All randomness of the run follows from it. */
  readonly seed: number;
  /** Rates and decays by variable (`features.0.weight`; heads as `head/NAME`). @default those of the architecture */
  readonly rules?: ReadonlyMap<string, VariableRule>;
  /** Settings of the method and of anything else that decides the outcome: a resumed run must share them. @default {} */
  readonly config?: TrainConfig;
  /** Folder of checkpoints; without one the run cannot go on after an interruption. */
  readonly dir?: string;
  /** Steps between checkpoints. @default 100 */
  readonly checkpointEvery?: number;
  /** So many checkpoints stay, the newest. With one, a damaged file costs the whole run. @default 2 */
  readonly keepLast?: number;
  /** Also keeps the weights at the best point of the curve: in the result, and as `best.safetensors` in `dir`. @default none */
  readonly best?: BestRule;
  /** Steps between points of the curve; only there tensors are read. @default 10 */
  readonly logEvery?: number;
  /** Folder of TensorBoard event files (native runtime only). @default none */
  readonly eventsDir?: string;
  /** On collapse or divergence stop with advice, or say it and go on (a control that is meant to fail must still give its number). @default 'stop' */
  readonly onCollapse?: 'stop' | 'warn';
  /** Reads k-NN accuracy now and then: `knn` in the history, `knnBefore` (of the first weights) beside its first value. @default none */
  readonly watch?: Watch;
  /** What the process computes with (`openRuntime`): recorded, and compared on resume. */
  readonly runtime?: RuntimeInfo;
  /** Ends the run after the step under way: writes a checkpoint and throws `signal.reason`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly log?: (line: string) => void;
};

/** What a run came to; the trained weights are in the trunk. */
export type TrainResult = {
  readonly steps: number;
  /** Mean loss of the last point of the curve; NaN for a run of no steps. */
  readonly finalLoss: number;
  readonly history: readonly HistoryEntry[];
  /** Weights at the best point of the curve, where `best` asked for them and a point had the signal. */
  readonly best?: BestWeights;
  /** The step this process began at: above 0 after an interruption. */
  readonly resumedFrom: number;
  /** Images (samples times views) through forward, backward and update a second, in this process, data included, the watch not. */
  readonly imagesPerSecond: number;
  readonly seconds: number;
  /** What the watch took of them. */
  readonly watchSeconds: number;
};

/** The one training loop: every method, on any source, resumable at any step with the same bytes as a run in one go. */
export async function train<V>(options: TrainOptions<V>): Promise<TrainResult> {
  const { method, source, trunk, optimizer, schedule, batchSize, seed } = options;
  const { dir, eventsDir, signal, runtime, config = {}, onCollapse = 'stop' } = options;
  const { checkpointEvery = 100, logEvery = 10, log = () => {}, onProgress = () => {}, watch } = options;
  const { keepLast = keptCheckpoints } = options;
  for (const [name, value] of Object.entries({
    checkpointEvery,
    keepLast,
    logEvery,
    'watch.every': watch?.every ?? 1,
  })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`Expected \`${name}\` to be a whole number above 0, got \`${value}\` (${typeof value})`);
    }
  }
  const perEpoch = batchesPerEpoch(source.length, batchSize);
  const steps = 'steps' in options.length ? options.length.steps : options.length.epochs * perEpoch;
  if (!Number.isInteger(steps) || steps < 0) {
    throw new RangeError(
      `Expected \`length\` to be a whole number of steps or epochs, got ${JSON.stringify(options.length)}`,
    );
  }
  const fullConfig: TrainConfig = {
    ...config,
    method: method.name,
    architecture: trunk.architecture,
    optimizer: { name: optimizer.name, ...optimizer.settings },
    schedule: schedule.settings,
    source: source.digest,
    steps,
    batchSize,
    seed,
    logEvery,
  };

  method.init(trunk, source, RandomStream.of(seed, 'method'));
  const variables = new Map<string, Variable>([
    ...trunk.variables,
    ...[...method.variables()].map(([name, variable]) => [`head/${name}`, variable] as const),
  ]);
  const rules = new Map([
    ...(options.rules ?? rulesOf(trunk)),
    ...[...(method.rules?.() ?? [])].map(([name, rule]) => [`head/${name}`, rule] as const),
  ]);
  const optimizerState = optimizer.init(variables);
  const parts = { trunk, method, optimizerState };

  let step = 0;
  let weights: Float64Array | undefined;
  let history: HistoryEntry[] = [];
  let pending: number[] = [];
  let health: HealthState = initialHealth;
  let best: BestWeights | undefined;
  const saved = dir === undefined ? undefined : await loadCheckpoint(dir, log);
  const began = performance.now();
  const watched = watch && openWatch(watch, trunk);
  // A run that goes on finds its first weights here too: a checkpoint is put over them below.
  let knnBefore = saved?.progress.history.some(({ knn }) => knn !== undefined) ? undefined : watched?.read();
  if (saved) {
    const { progress } = saved;
    checkConfig(progress.config, fullConfig, dir!);
    warnOfOtherRuntime(saved, runtime, log);
    restoreArrays(parts, saved);
    if (options.best) best = bestOfState(options.best, saved, log);
    ({ step, health } = progress);
    history = numbersOf(progress.history);
    pending = [...progress.pendingLosses];
    if (progress.weights) weights = Float64Array.from(progress.weights);
    log(`Going on from step ${step} of ${steps}`);
  }
  const resumedFrom = step;
  if (dir !== undefined && step < steps) await checkFolder(dir, bytesOfState(parts));

  const losses: Scalar[] = [];
  const readLosses = (): void => {
    for (const loss of losses.splice(0)) {
      const value = loss.dataSync()[0]!;
      loss.dispose();
      checkLoss(value, step, schedule.rate(step - 1, steps));
      pending.push(value);
    }
  };
  const save = async (): Promise<void> => {
    if (dir === undefined) return;
    readLosses();
    await saveCheckpoint(
      dir,
      {
        arrays: captureArrays(parts, best),
        progress: {
          config: fullConfig,
          step,
          optimizerStep: optimizerState.step,
          optimizerMissed: Object.fromEntries(optimizerState.missed),
          weights: weights ? [...weights] : null,
          pendingLosses: pending,
          history,
          health,
          runtime: runtime ? nameOfRuntime(runtime) : 'unnamed',
          threads: runtime?.threads ?? 0,
          ...(best ? { best: best.point } : {}),
        },
      },
      { keepLast, log },
    );
    if (best) await writeBest(dir, best, step);
  };

  const events = eventsDir === undefined ? undefined : openEventFile(eventsDir, log);
  const embedAll: EmbedAll = (embed = (images) => trunk.embed(images, 'eval')) =>
    checkRows(embedSource(embed, source, batchSize), step);
  let order: Int32Array | undefined;
  /** Samples and views of a step of the epoch under way. */
  const drawStep = (epochOrder: Int32Array, at: number): DrawnStep<V> => {
    const position = at % perEpoch;
    const indices = epochOrder.slice(position * batchSize, (position + 1) * batchSize);
    const views = Array.from(indices, (index, row) =>
      method.views(source.info(index), RandomStream.of(seed, 'views', at, row)),
    );
    return { indices, views };
  };
  let announced: DrawnStep<V> | undefined;
  let images = 0;
  let savedAt = resumedFrom;
  try {
    while (step < steps) {
      const epoch = Math.floor(step / perEpoch);
      const position = step % perEpoch;
      if (position === 0) {
        // Before a method draws conclusions from what may no longer be numbers.
        readLosses();
        method.beforeEpoch?.(epoch, embedAll);
        weights = method.weights?.();
        order = undefined;
      }
      order ??= await orderOf(method, source, seed, { epoch, position: position * batchSize, weights });
      const { indices, views } = announced ?? drawStep(order, step);
      announced = undefined;
      const batch = batchOf(source, indices, step, epoch, seed);
      const learningRate = schedule.rate(step, steps);
      const tensors = source.render(indices, views);
      // What comes after this epoch may depend on what the method makes of it.
      if (source.prepare && position + 1 < perEpoch && step + 1 < steps) {
        announced = drawStep(order, step + 1);
        source.prepare(announced.indices, announced.views);
      }
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
      losses.push(loss);
      images += tensors.length * batchSize;
      for (const tensor of tensors) tensor.dispose();
      step++;
      killPoint('training:step');

      if (step % logEvery === 0 || step === steps) {
        readLosses();
        const entry: Record<string, number> = {
          step,
          loss: mean(pending),
          uniform: method.uniformLoss(step - 1),
          learningRate,
        };
        pending = [];
        for (const [name, signal] of Object.entries(signals)) {
          if (typeof signal === 'number') entry[name] = signal;
          else if (signal.rank === 0) entry[name] = signal.dataSync()[0]!;
        }
        const { embedding } = signals;
        if (typeof embedding === 'object' && embedding.rank === 2) {
          const spread = measureSpread(embedding as Tensor2D);
          Object.assign(entry, spread, { uniformity: measureUniformity(embedding as Tensor2D) });
          const { state, advice } = watchSpread(health, spread, step);
          health = state;
          if (advice && onCollapse === 'stop') throw new TrainingProblem(advice);
          if (advice) log(advice);
        }
        if (watched && isWatched(watch!, step, history.at(-1)?.step ?? 0, steps)) {
          entry['knn'] = watched.read();
          if (knnBefore !== undefined) entry['knnBefore'] = knnBefore;
          knnBefore = undefined;
        }
        history.push(entry as HistoryEntry);
        if (options.best) best = betterOf(best, options.best, entry as HistoryEntry, trunk);
        events?.write(step, entry);
        const diverged = watchLoss(history, Math.min(perEpoch, steps));
        if (diverged && onCollapse === 'stop') throw new TrainingProblem(diverged);
        if (diverged) log(diverged);
      }
      for (const signal of Object.values(signals)) if (typeof signal === 'object') signal.dispose();
      onProgress({
        done: step,
        total: steps,
        unit: 'steps',
        ...(history.length > 0 ? { text: describe(history) } : {}),
      });
      const isLast = step === steps;
      if (step % checkpointEvery === 0 || isLast || signal?.aborted) {
        await save();
        savedAt = step;
      }
      if (!isLast && signal?.aborted) throw signal.reason;
      await yieldToEvents();
    }
    if (savedAt !== step) await save();
  } catch (error) {
    // A run that came to nothing comes to it again: what was best before would never be written.
    if (error instanceof TrainingProblem && best && dir !== undefined) await writeBest(dir, best, savedAt);
    throw error;
  } finally {
    for (const loss of losses) loss.dispose();
    for (const slot of optimizerState.slots.values()) slot.dispose();
    events?.close();
    source.release?.();
  }
  const seconds = (performance.now() - began) / 1000;
  const watchSeconds = watched?.seconds() ?? 0;
  return {
    steps,
    finalLoss: history.at(-1)?.loss ?? NaN,
    history,
    ...(best ? { best } : {}),
    resumedFrom,
    imagesPerSecond: images === 0 ? 0 : images / (seconds - watchSeconds),
    seconds,
    watchSeconds,
  };
}

/** What a step is shown: sample numbers, and the views of each. */
type DrawnStep<V> = { readonly indices: Int32Array; readonly views: readonly (readonly V[])[] };

const rulesOf = (trunk: Trunk): ReadonlyMap<string, VariableRule> =>
  new Map(parametersOf(trunk.architecture).map(({ name, rate, decay }) => [name, { rate, decay }]));

/** The order of an epoch, as the method wants it; where it wants none, as the source can be read. */
const orderOf = async <V>(
  method: Method<V>,
  source: Source<V>,
  seed: number,
  at: { readonly epoch: number; readonly position: number; readonly weights: Float64Array | undefined },
): Promise<Int32Array> => {
  const { perVideo = 1 } = method;
  const { epoch, position, weights } = at;
  if (perVideo > 1) {
    const videos = Int32Array.from({ length: source.length }, (_, index) => source.info(index).video);
    return epochOrderByVideo(videos, perVideo, seed, epoch);
  }
  if (source.follow && !weights) return source.follow(seed, epoch, position);
  return epochOrder(source.length, seed, epoch, weights);
};

const batchOf = <V>(source: Source<V>, indices: Int32Array, step: number, epoch: number, seed: number): Batch => ({
  indices,
  videos: indices.map((index) => source.info(index).video),
  step,
  epoch,
  random: RandomStream.of(seed, 'step', step),
});

/**
 * {@link EmbedAll}, in batches of about equal size whose samples are drawn by chance: sources come sorted by class or by video, and
 * where `embed` takes a batch's own statistics, they must be those of all samples.
 */
function embedSource<V>(embed: (images: Tensor4D) => Tensor2D, source: Source<V>, batchSize: number): Tensor2D {
  const { length } = source;
  const order = RandomStream.of(0, 'embed order').shuffle(Int32Array.from({ length }, (_, index) => index));
  const batches = Math.ceil(length / batchSize);
  const place = new Int32Array(length);
  order.forEach((index, at) => (place[index] = at));
  return tf.tidy(() => {
    const rows = Array.from({ length: batches }, (_, batch) => {
      const [from, to] = [batch, batch + 1].map((k) => Math.round((k * length) / batches));
      return tf.tidy(() => embed(source.plain(order.slice(from, to))));
    });
    return tf.gather(tf.concat2d(rows, 0), tf.tensor1d(place, 'int32')) as Tensor2D;
  });
}

function warnOfOtherRuntime(
  { progress }: TrainState,
  runtime: TrainOptions<unknown>['runtime'],
  log: (line: string) => void,
): void {
  if (!runtime) return;
  const name = nameOfRuntime(runtime);
  if (progress.threads !== runtime.threads) {
    log(
      `The checkpoint was made with ${progress.threads} threads, this run has ${runtime.threads}: it goes on, but its weights ` +
        'will differ in the last bits from those of a run in one go',
    );
  }
  if (progress.runtime !== name) {
    log(
      `The checkpoint was made with ${progress.runtime}, this run has ${name}: it goes on, but not to the same bytes`,
    );
  }
}

const describe = (history: readonly HistoryEntry[]): string => {
  const { loss, uniform } = history.at(-1)!;
  const knn = history.findLast((entry) => entry['knn'] !== undefined)?.['knn'];
  const seen = knn === undefined ? '' : `, k-NN ${knn.toFixed(1)} %`;
  return `loss ${loss.toFixed(4)} (uniform ${uniform!.toFixed(4)})${seen}`;
};
