import { tf, type Tensor, type Tensor2D, type Tensor4D, type Variable } from '../runtime/tensors.js';
import { batchNormEval, batchNorm as normaliseBatch } from '../runtime/ops/batch-norm.js';
import { biasAdd } from '../runtime/ops/bias-add.js';
import { conv2d } from '../runtime/ops/conv2d.js';
import { l2Normalize } from '../runtime/ops/l2-normalize.js';
import { localResponseNorm } from '../runtime/ops/lrn.js';
import { maxPool as poolMaxima } from '../runtime/ops/max-pool.js';
import { relu as rectify } from '../runtime/ops/relu.js';
import { batchNormApart } from './batch-norm-apart.js';
import type { Operation } from './operation.js';
import type { Init, Layout, ParameterSpec } from './parameters.js';
import type { ForwardMode } from './trunk.js';

/** Of one example: `[height, width, channels]` before flattening, `[channels]` after. */
export type Shape = readonly [number, number, number] | readonly [number];

/** What a layer sees of the network while it runs: its own arrays by their short name (`weight`), and how the pass runs. */
export type LayerContext = { readonly mode: ForwardMode; value(name: string): Variable };

/** A layer that knows its input shape. Parameter names are short here (`weight`); the trunk prefixes them (`features.0.`). */
export type Module = {
  readonly output: Shape;
  readonly parameters: readonly ParameterSpec[];
  /** What it computes, for whoever writes the network down for another library. */
  readonly operation: Operation;
  /** What one output cell sees of the input map, where that is more than the same cell. */
  readonly window?: Window;
  apply(x: Tensor, context: LayerContext): Tensor;
};

/** A window that moves over a map: its side, its step and the zeros around the map, in cells. */
export type Window = { readonly size: number; readonly stride: number; readonly pad: number };

/** A layer in a table. `torch` tells whether it takes a number in PyTorch's `Sequential`, where names come from, unless it has a name. */
export type BuildableRow = {
  readonly torch: boolean;
  /** PyTorch's name in the whole network (`layer1.0`), for layers that stand in no `Sequential`. */
  readonly name?: string;
  build(input: Shape): Module;
};

/** A row of an architecture's table: a layer, or the name of the place behind the row before. */
export type LayerRow = { readonly tap: string } | BuildableRow;

/** A network as a table, from which its parameters, names and forward pass follow. */
export type Architecture = {
  readonly name: string;
  /** Height and width of its images, in pixels. */
  readonly inputSize: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly features: readonly LayerRow[];
  readonly fc: readonly LayerRow[];
};

/** Share of the new batch in a running statistic, as in PyTorch. */
export const runningMomentum = 0.1;

const normEpsilon = 1e-5;
const l2Epsilon = 1e-6; // as Caffe's norm_layer.cpp

const mapShape = (input: Shape, layer: string): readonly [number, number, number] => {
  if (input.length !== 3)
    throw new Error(`Expected a map [height, width, channels] before ${layer}, got [${input.join(', ')}]`);
  return input;
};

const weightOf = (shape: number[], layout: Layout, init: Init): ParameterSpec => ({
  name: 'weight',
  shape,
  layout,
  init,
  trainable: true,
  rate: 1,
  decay: 1,
});

/** First value of all biases of a layer, and what their learning rate is multiplied with (1). */
export type BiasInit = { readonly constant: number; readonly rate?: number };

/** Biases do not decay. */
const biasOf = (channels: number, { constant, rate = 1 }: BiasInit): ParameterSpec => ({
  name: 'bias',
  shape: [channels],
  layout: { kind: 'vector' },
  init: { constant },
  trainable: true,
  rate,
  decay: 0,
});

const layer = (
  operation: Operation,
  output: (input: Shape) => Shape,
  apply: (x: Tensor) => Tensor,
  torch = true,
): BuildableRow => ({
  torch,
  build: (input) => ({ output: output(input), parameters: [], operation, apply }),
});

/** Names the place behind the row before. */
export const tap = (name: string): LayerRow => ({ tap: name });

/** A layer by PyTorch's name in the whole network instead of its number in a `Sequential`. */
export const named = (name: string, row: BuildableRow): BuildableRow => ({ ...row, name });

/**
 * Convolution with symmetric zero padding of `pad` pixels. Output side: `floor((side + 2 pad - size) / stride) + 1`.
 * Weights are drawn from `N(0, 2 / fan-in)` (He et al. 2015) unless `init` says otherwise; `bias: false` where batch norm follows.
 */
export const conv = (
  channels: number,
  {
    size,
    stride = 1,
    pad = 0,
    groups = 1,
    init,
    bias = { constant: 0 },
  }: { size: number; stride?: number; pad?: number; groups?: number; init?: Init; bias?: BiasInit | false },
): BuildableRow => ({
  torch: true,
  build: (input) => {
    const [height, width, inputs] = mapShape(input, 'a convolution');
    const side = (length: number): number => Math.floor((length + 2 * pad - size) / stride) + 1;
    const fanIn = (size * size * inputs) / groups;
    const weight = weightOf(
      [size, size, inputs / groups, channels],
      { kind: 'conv' },
      init ?? { std: Math.sqrt(2 / fanIn) },
    );
    return {
      output: [side(height), side(width), channels],
      parameters: bias ? [weight, biasOf(channels, bias)] : [weight],
      operation: { kind: 'conv', window: { size, stride, pad }, groups, bias: bias !== false },
      window: { size, stride, pad },
      apply: (x, { value }) => {
        const y = conv2d(x as Tensor4D, value('weight') as unknown as Tensor4D, { stride, pad, groups });
        return bias ? biasAdd(y, value('bias')) : y;
      },
    };
  },
});

/**
 * Batch norm (Ioffe & Szegedy 2015): `(x - mean) / sqrt(variance + 1e-5) * weight + bias` over all but the channels; by the
 * batch's own statistics in `train` (those of each of its parts in `trainApart`), which also moves the running ones, by the running
 * ones in `eval`.
 */
export const batchNorm = (): BuildableRow => ({
  torch: true,
  build: (input) => {
    const channels = input.at(-1)!;
    const vector = (name: string, constant: number, trainable: boolean): ParameterSpec => ({
      ...biasOf(channels, { constant }),
      name,
      trainable,
    });
    return {
      output: input,
      parameters: [
        vector('weight', 1, true),
        vector('bias', 0, true),
        vector('running_mean', 0, false),
        vector('running_var', 1, false),
      ],
      operation: { kind: 'batchNorm', epsilon: normEpsilon },
      apply: (x, { mode, value }) => {
        const [weight, bias] = [value('weight'), value('bias')];
        const [runningMean, runningVariance] = [value('running_mean'), value('running_var')];
        if (mode === 'eval') {
          return batchNormEval(x, runningMean, runningVariance, weight, bias, normEpsilon);
        }
        if (mode !== 'train') {
          const parts = mode.trainApart;
          const { y, mean, variance } = batchNormApart(x, weight, bias, { parts, epsilon: normEpsilon });
          moveThrough(runningMean, mean);
          moveThrough(runningVariance, variance);
          return y;
        }
        const running = { mean: runningMean, variance: runningVariance, share: runningMomentum };
        const { y, mean, variance } = normaliseBatch(x, weight, bias, normEpsilon, running);
        runningMean.assign(mean);
        runningVariance.assign(variance);
        return y;
      },
    };
  },
});

/** `running <- (1 - momentum) running + momentum batch` by each of the rows `[parts, channels]`, the first one first. */
const moveThrough = (running: Variable, batches: Tensor2D): void => {
  const parts = batches.shape[0];
  const share = (part: number): number => runningMomentum * (1 - runningMomentum) ** (parts - 1 - part);
  const shares = tf.tensor2d(Array.from({ length: parts }, (_, part) => [share(part)]));
  const kept = tf.mul(running, (1 - runningMomentum) ** parts);
  running.assign(tf.add(kept, tf.sum(tf.mul(batches, shares), 0)));
};

/** `max(x, 0)`. */
export const relu = (): BuildableRow =>
  layer(
    { kind: 'relu' },
    (input) => input,
    (x) => rectify(x),
  );

/** Largest value of each `size x size` window over a map with `pad` empty cells around. Output side: `floor((side + 2 pad - size) / stride) + 1`. */
export const maxPool = (size: number, stride: number, pad = 0): BuildableRow => ({
  torch: true,
  build: (input) => {
    const [height, width, channels] = mapShape(input, 'pooling');
    const side = (length: number): number => Math.floor((length + 2 * pad - size) / stride) + 1;
    return {
      output: [side(height), side(width), channels],
      parameters: [],
      operation: { kind: 'maxPool', window: { size, stride, pad } },
      window: { size, stride, pad },
      apply: (x) => poolMaxima(x as Tensor4D, { size, stride, pad }),
    };
  },
});

/** Mean of each channel over the whole map, of whatever size: a map of one cell. */
export const globalAveragePool = (): BuildableRow => ({
  torch: false,
  build: (input) => {
    const [height, , channels] = mapShape(input, 'pooling');
    return {
      output: [1, 1, channels],
      parameters: [],
      operation: { kind: 'globalAveragePool' },
      window: { size: height, stride: height, pad: 0 },
      apply: (x) => tf.mean(x, [1, 2], true),
    };
  },
});

const lrnConstants = { size: 5, alpha: 1e-4, beta: 0.75, k: 1 };

/** Local response norm across 5 channels: `x / (1 + alpha / 5 * sum x^2)^beta`, alpha 1e-4, beta 0.75 (Krizhevsky et al. 2012, as in Caffe). */
export const lrn = (): BuildableRow =>
  layer(
    { kind: 'lrn', ...lrnConstants },
    (input) => input,
    (x) => localResponseNorm(x as Tensor4D, lrnConstants),
  );

/** RGB to BGR, or back. */
export const reverseChannels = (): BuildableRow =>
  layer(
    { kind: 'reverseChannels' },
    (input) => input,
    (x) => tf.reverse(x, 3),
    false,
  );

/** A map to a row of `height * width * channels` values (channel last; weights on disk are turned to PyTorch's order). */
export const flatten = (): BuildableRow => ({
  torch: false,
  build: (input) => {
    const [height, width, channels] = mapShape(input, 'flattening');
    const count = height * width * channels;
    return {
      output: input,
      parameters: [],
      operation: { kind: 'flatten' },
      apply: (x) => {
        if (x.shape.slice(1).join() !== input.join()) {
          throw new Error(
            `Expected a map of [${input.join(', ')}] before a dense layer, got [${x.shape.slice(1).join(', ')}]: only spatial layers take pictures of any size`,
          );
        }
        return tf.reshape(x, [-1, count]);
      },
    };
  },
});

/** The only cell of a map as a row of its channels. */
export const onlyCell = (): BuildableRow =>
  layer(
    { kind: 'flatten' },
    (input) => [mapShape(input, 'its only cell')[2]],
    (x) => tf.reshape(x, [-1, x.shape.at(-1)!]),
    false,
  );

/** Dense layer `x weight + bias`, from a flattened map or a row; weights `N(0, 2 / fan-in)` unless `init` says otherwise. */
export const linear = (
  channels: number,
  { init, bias = { constant: 0 } }: { init?: Init; bias?: BiasInit } = {},
): BuildableRow => ({
  torch: true,
  build: (input) => {
    const inputs = input.reduce((a, b) => a * b, 1);
    const layout: Layout = input.length === 3 ? { kind: 'flattened', map: input } : { kind: 'linear' };
    return {
      output: [channels],
      parameters: [
        weightOf([inputs, channels], layout, init ?? { std: Math.sqrt(2 / inputs) }),
        biasOf(channels, bias),
      ],
      operation: { kind: 'linear' },
      apply: (x, { value }) => biasAdd(tf.matMul(x as Tensor2D, value('weight') as unknown as Tensor2D), value('bias')),
    };
  },
});

/** Rows of length 1: `x / sqrt(|x|^2 + 1e-6)`. */
export const l2 = (): BuildableRow =>
  layer(
    { kind: 'l2', epsilon: l2Epsilon },
    (input) => input,
    (x) => l2Normalize(x as Tensor2D, l2Epsilon),
    false,
  );
