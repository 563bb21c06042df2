import { identityDraw } from '../../images/augmentation.js';
import { renderPlain, renderViews } from '../../images/render-views.js';
import type { LoadedNormals } from '../../images/rgbd-dataset.js';
import type { SweepSplit } from '../../images/sweep-split.js';
import { reestimateBatchNorm } from '../../network/batch-norm-statistics.js';
import { parametersOf } from '../../network/build-trunk.js';
import { cloneTrunk } from '../../network/clone-trunk.js';
import type { Trunk } from '../../network/trunk.js';
import { RandomStream } from '../../numeric/random.js';
import { takeValues } from '../../runtime/take-values.js';
import { tf, type Scalar, type Tensor, type Tensor2D, type Tensor4D, type Variable } from '../../runtime/tensors.js';
import { adamw } from '../../training/adamw.js';
import { epochOrder } from '../../training/data-order.js';
import { gradientsByName } from '../../training/optimizer.js';
import { cosine, warmUp } from '../../training/schedule.js';
import { cellMaps } from './cell-maps.js';
import { decodeWords, fitCodebook, wordsOfCells, type CellWords, type Codebook } from './codebook.js';
import { framesOf } from './evaluate-codebook.js';
import { gridOf } from './evaluate-normals.js';
import { measureCells, type NormalsOutcome } from './measure-normals.js';
import { mirrorFrames, selectFrames } from './mirror.js';

/** How a network is fine-tuned on normals. */
export type FineTuneNormalsOptions = {
  /** Draws codebook, new weights, order and mirrors. */
  readonly seed: number;
  /**
   * Spatial layers that the head reads, side by side.
   * @default ['conv3', 'conv5']
   */
  readonly layers?: readonly string[];
  /** @default 40 */
  readonly words?: number;
  /** Optimiser steps. @default 250 */
  readonly steps?: number;
  /** Frames a step, at most those there are. @default 8 */
  readonly batch?: number;
  /** Of the head, at its height; half a cosine wave follows a warm-up of a tenth of the steps. @default 3e-3 */
  readonly learningRate?: number;
  /** What the trunk's rate is multiplied with. @default 0.3 */
  readonly trunkRate?: number;
  /** AdamW's. @default 0.05 */
  readonly weightDecay?: number;
  /** Ends the training between two steps by throwing its reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
};

/** The outcome, and the loss of each step. */
export type FineTuneNormalsOutcome = NormalsOutcome & {
  readonly codebook: Codebook;
  readonly losses: readonly number[];
};

/**
 * Surface normals by the protocol of Wang & Gupta 2015, fine-tuned: a copy of the trunk with a new linear layer on its maps
 * classifies cells into the words of the codebook; all of it is trained on the valid pixels of the training frames, each frame
 * mirrored (its normals' x too) half of the time. The given trunk keeps its weights.
 *
 * Batch norm uses the statistics of the batch while training, as in pre-training; those for the test frames are taken from all
 * training frames at the end (`reestimateBatchNorm`).
 */
export const fineTuneNormals = async (
  trunk: Trunk,
  data: LoadedNormals,
  split: SweepSplit,
  options: FineTuneNormalsOptions,
): Promise<FineTuneNormalsOutcome> => {
  const { seed, layers = ['conv3', 'conv5'], words = 40, batch = 8 } = options;
  const [rows, columns] = gridOf(trunk, layers);
  const straight = selectFrames(data, split.train);
  const codebook = fitCodebook(straight, framesOf(straight), { words, seed });
  const labels = [straight, mirrorFrames(straight)].map((part) =>
    wordsOfCells(part, framesOf(part), rows, columns, codebook),
  ) as [CellWords, CellWords];
  const network = cloneTrunk(trunk);
  const head = new CellHead(network, layers, rows, columns, codebook.words, RandomStream.of(seed, 'normals head'));
  try {
    const losses = await trainCells(network, head, straight.colour, labels, options);
    const size = Math.min(batch, straight.colour.count);
    reestimateBatchNorm(
      network,
      batchesOf(straight.colour.count, size).map((frames) => renderPlain(straight.colour, frames, network)),
    );
    const test = selectFrames(data, split.test);
    const probabilities = batchesOf(test.colour.count, 32).flatMap((frames) =>
      Array.from(
        takeValues(() => {
          const images = renderPlain(test.colour, frames, network);
          return tf.softmax(head.scores(images, 'eval'));
        }),
      ),
    );
    return { ...measureCells(decodeWords(probabilities, codebook), data, split, rows, columns), codebook, losses };
  } finally {
    head.dispose();
    network.dispose();
  }
};

/** Numbers of frames in full batches of `size`, what is left over in a last one. */
const batchesOf = (count: number, size: number): number[][] =>
  Array.from({ length: Math.ceil(count / size) }, (_, b) =>
    Array.from({ length: Math.min(size, count - b * size) }, (_, i) => b * size + i),
  );

/** A linear layer from maps on a grid to scores of words, with offsets of each cell's own. */
class CellHead {
  readonly variables: ReadonlyMap<string, Variable>;
  readonly #network: Trunk;
  readonly #layers: readonly string[];
  readonly #grid: readonly [rows: number, columns: number];
  readonly #words: number;

  constructor(
    network: Trunk,
    layers: readonly string[],
    rows: number,
    columns: number,
    words: number,
    random: RandomStream,
  ) {
    this.#network = network;
    this.#layers = layers;
    this.#grid = [rows, columns];
    this.#words = words;
    const dim = layers.reduce((sum, name) => sum + network.layers.find((layer) => layer.name === name)!.channels, 0);
    const weight = Float32Array.from({ length: dim * words }, () => random.normal(0, 0.01));
    this.variables = new Map<string, Variable>([
      ['head/weight', tf.tidy(() => tf.variable(tf.tensor2d(weight, [dim, words])))],
      ['head/offsets', tf.tidy(() => tf.variable(tf.zeros([rows * columns, words])))],
    ]);
  }

  /** Scores of the words, `[images * rows * columns, words]`. */
  scores(images: Tensor4D, mode: 'train' | 'eval'): Tensor2D {
    const [rows, columns] = this.#grid;
    const maps = this.#network.features(images, this.#layers, mode);
    const cells = tf.concat(
      this.#layers.map((layer) => cellMaps(maps[layer] as Tensor4D, rows, columns)),
      3,
    );
    const weight = this.variables.get('head/weight') as unknown as Tensor2D;
    const products = tf.matMul(cells.reshape<Tensor2D>([-1, cells.shape[3]!]), weight);
    const byImage = products.reshape([images.shape[0], rows * columns, this.#words]);
    return tf.add(byImage, this.variables.get('head/offsets')!).reshape<Tensor2D>([-1, this.#words]);
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }
}

const trainCells = async (
  network: Trunk,
  head: CellHead,
  pictures: Parameters<typeof renderViews>[0],
  labels: readonly [CellWords, CellWords],
  options: FineTuneNormalsOptions,
): Promise<number[]> => {
  const { seed, steps = 250, batch = 8, learningRate = 3e-3, trunkRate = 0.3, weightDecay = 0.05 } = options;
  const size = Math.min(batch, pictures.count);
  const perEpoch = Math.floor(pictures.count / size);
  const variables = new Map([...network.variables, ...head.variables]);
  const rules = new Map([
    ...parametersOf(network.architecture).map(
      ({ name, rate, decay }) => [name, { rate: rate * trunkRate, decay }] as const,
    ),
    ['head/offsets', { rate: 1, decay: 0 }] as const,
  ]);
  const optimizer = adamw({ weightDecay });
  const schedule = warmUp(Math.round(steps / 10), cosine(learningRate));
  const state = optimizer.init(variables);
  const losses: number[] = [];
  try {
    for (let step = 0; step < steps; step++) {
      options.signal?.throwIfAborted();
      const order = epochOrder(pictures.count, seed, Math.floor(step / perEpoch));
      const frames = order.slice((step % perEpoch) * size, ((step % perEpoch) + 1) * size);
      const random = RandomStream.of(seed, 'normals mirrors', step);
      const flips = Array.from(frames, () => random.chance(0.5));
      const loss = tf.tidy(() => {
        const { shares, weight } = labelsOf(labels, pictures.count, frames, flips);
        const images = renderViews(
          pictures,
          frames,
          flips.map((flip) => ({ ...identityDraw, flip })),
          network,
        );
        const { value, grads } = tf.variableGrads(
          () => wordsLoss(head.scores(images, 'train'), shares, weight),
          [...variables.values()],
        );
        optimizer.update(state, variables, gradientsByName(variables, grads), schedule.rate(step, steps), rules);
        return value.dataSync()[0]!;
      });
      if (!Number.isFinite(loss)) {
        throw new Error(`The loss of step ${step} is no number: lower \`learningRate\`, got \`${learningRate}\``);
      }
      losses.push(loss);
      options.onProgress?.(step + 1, steps);
      if (step % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    for (const slot of state.slots.values()) slot.dispose();
  }
  return losses;
};

/** Labels of some frames of `count`, each as it is or in the mirror: shares `[cells, words]`, weights `[cells]`. */
const labelsOf = (
  labels: readonly [CellWords, CellWords],
  count: number,
  frames: Int32Array,
  flips: readonly boolean[],
): { shares: Tensor2D; weight: Tensor } => {
  const cells = labels[0].weight.length / count;
  const words = labels[0].shares.length / labels[0].weight.length;
  const shares = new Float32Array(frames.length * cells * words);
  const weight = new Float32Array(frames.length * cells);
  frames.forEach((frame, i) => {
    const source = labels[flips[i] ? 1 : 0];
    const [from, to] = [frame * cells, (frame + 1) * cells];
    shares.set(source.shares.subarray(from * words, to * words), i * cells * words);
    weight.set(source.weight.subarray(from, to), i * cells);
  });
  return { shares: tf.tensor2d(shares, [frames.length * cells, words]), weight: tf.tensor1d(weight) };
};

/**
 * `sum_i w_i sum_k -q_ik log softmax(z_i)_k / sum w`: cross-entropy over the valid pixels of cells.
 *
 * @param scores `[cells, words]`
 * @param shares `[cells, words]`, weight `[cells]`, as of `CellWords`
 */
export const wordsLoss = (scores: Tensor2D, shares: Tensor2D, weight: Tensor): Scalar =>
  tf.div(
    tf.neg(tf.sum(tf.mul(tf.sum(tf.mul(tf.logSoftmax(scores), shares), 1), weight))),
    tf.maximum(tf.sum(weight), 1e-6),
  );
