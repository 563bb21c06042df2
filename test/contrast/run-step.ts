import { buildTrunk } from '../../src/network/build-trunk.js';
import { cloneTrunk } from '../../src/network/clone-trunk.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { tf, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch, Method, Source } from '../../src/training/method.js';
import { trainStep } from '../../src/training/train-step.js';
import { sgd } from '../../src/training/sgd.js';

/** Plain numbers of a rank-2 tensor. */
export const rowsOf = (tensor: Tensor2D): number[][] => tensor.arraySync();

let drawn: Trunk | undefined;

/** The small trunk with first values from seed 1, which are drawn once. */
export const smallTrunk = (): Trunk => {
  drawn ??= buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
  return cloneTrunk(drawn);
};

/** A source of so many samples, for `init`; nothing can be rendered from it. */
export const sourceOf = <V>(length: number): Source<V> => ({ length, videos: length, digest: 'none' }) as Source<V>;

/** A batch of samples at a step. */
export const batchOf = (indices: readonly number[], step = 0): Batch => ({
  indices: Int32Array.from(indices),
  videos: Int32Array.from(indices),
  step,
  epoch: 0,
  random: RandomStream.of(3, 'step', step),
});

/** Pictures of noise, `[count, side, side, 3]`, the same for the same seed. */
export const noise = (count: number, side = 24, seed = 1): Tensor4D =>
  tf.randomNormal([count, side, side, 3], 0, 1, 'float32', seed);

/** What a step came to: its loss and the signals that are single numbers, and the rows of `embedding`. */
export type StepRead = {
  readonly loss: number;
  readonly signals: Readonly<Record<string, number>>;
  readonly embedding: number[][];
};

/** One step as the training loop runs it, `commit` included; weights move by `learningRate`. The views are disposed. */
export function runStep<V>(
  method: Method<V>,
  trunk: Trunk,
  views: readonly Tensor4D[],
  batch: Batch,
  learningRate = 0,
): StepRead {
  const optimizer = sgd({ momentum: 0, weightDecay: 0 });
  const variables = new Map([...trunk.variables, ...method.variables()]);
  const optimizerState = optimizer.init(variables);
  const { loss, signals } = trainStep({
    method,
    variables,
    optimizer,
    optimizerState,
    rules: new Map(),
    learningRate,
    tensors: views,
    batch,
  });
  const read: Record<string, number> = {};
  let embedding: number[][] = [];
  for (const [name, signal] of Object.entries(signals)) {
    if (typeof signal === 'number') read[name] = signal;
    else if (name === 'embedding') embedding = rowsOf(signal as Tensor2D);
    else read[name] = signal.dataSync()[0]!;
  }
  const value = loss.dataSync()[0]!;
  tf.dispose([loss, ...Object.values(signals).filter((s) => typeof s === 'object'), ...views]);
  for (const slot of optimizerState.slots.values()) slot.dispose();
  return { loss: value, signals: read, embedding };
}
