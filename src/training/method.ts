import type { Scalar, Tensor, Tensor2D, Tensor4D, Variable } from '../runtime/tensors.js';
import type { RandomStream } from '../numeric/random.js';
import type { Trunk } from '../network/trunk.js';
import type { VariableRule } from './optimizer.js';

/** Arrays by name, as they go into a train state: float32 or int32, with their shape. */
export type NamedArrays = {
  readonly [name: string]: { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array };
};

/** What a method may know of a sample: never its pixels. */
export type SampleInfo = {
  readonly index: number;
  /** Index of the video it comes from (of the image itself, for an image set). */
  readonly video: number;
  /** Whether it has a second end (`b`): the other end of a track. */
  readonly paired: boolean;
};

/**
 * Where samples come from. `V` describes a view (which end, which augmentation), drawn by the method and rendered here, so
 * that "two ends of a track as two views" is a choice of the source and the loop knows neither.
 */
export type Source<V> = {
  readonly length: number;
  readonly videos: number;
  /** sha256 over content and order. */
  readonly digest: string;
  info(index: number): SampleInfo;
  /** Whether two samples of one video surely show different things; absent where nothing is known of it. */
  apart?(index: number, other: number): boolean;
  /** Renders `views[i][v]` of sample `indices[i]`; returns one tensor `[batch, height, width, 3]` a view `v`, normalised for the trunk. The caller disposes. */
  render(indices: Int32Array, views: readonly (readonly V[])[]): Tensor4D[];
  /**
   * Told what `render` will most likely be asked for next (the same two arguments), before the step under way is computed, so that a
   * source may begin in threads of its own. Must change no result.
   */
  prepare?(indices: Int32Array, views: readonly (readonly V[])[]): void;
  /**
   * Where not every order costs the same (pictures that stay in a file): the order in which an epoch's samples can be read, each once, a
   * pure function of (seed, epoch); and the reading along it is begun, from `position` of it on. Asked for by the loop where the method has no
   * order of its own (`weights`, `perVideo`). Other samples may be asked for all the same.
   */
  follow?(seed: number, epoch: number, position: number): Promise<Int32Array>;
  /** Called at the end of a training: ends what `prepare` began. The source may be used on. */
  release?(): void;
  /** End `a` of the samples as at test time (no augmentation), `[batch, height, width, 3]`. */
  plain(indices: Int32Array): Tensor4D;
};

/**
 * Rows `[samples, dim]` of end `a` of every sample, as at test time, by `embed` (the trunk's embedding in `eval` mode unless
 * given). The caller disposes.
 */
export type EmbedAll = (embed?: (images: Tensor4D) => Tensor2D) => Tensor2D;

/** What one batch is, beside its views. */
export type Batch = {
  readonly indices: Int32Array;
  readonly videos: Int32Array;
  readonly step: number;
  readonly epoch: number;
  /** Drawn from (seed, step) alone. */
  readonly random: RandomStream;
};

/** What a step gives back inside the gradient tape. */
export type StepResult = {
  readonly loss: Scalar;
  /**
   * Health signals to log, by name; scalars are read by the loop, which disposes them all. From `embedding` `[rows, dim]` it
   * computes spread, effective rank and uniformity.
   */
  readonly signals: Readonly<Record<string, Tensor | number>>;
  /**
   * Runs after the optimiser, outside the tape: bank, queue, prototypes, moving averages. Called exactly once. Tensors of the
   * step that it reads must have been kept (`tf.keep`), and are disposed by it.
   */
  readonly commit?: () => void;
};

/**
 * A self-supervised method: `triplet` and every image-based one. State is explicit: whatever `step` and `commit` change is in
 * `save()`, so that a run can be killed at any step and go on exactly.
 */
export type Method<V> = {
  readonly name: string;
  /** The views of one sample, drawn from `random` and nothing else. Every sample gives the same number. */
  views(sample: SampleInfo, random: RandomStream): V[];
  /** Builds heads, banks, momentum copies. Called once, before `load`. */
  init(trunk: Trunk, source: Source<V>, random: RandomStream): void;
  /** Trainable variables beside the trunk's, by name. */
  variables(): ReadonlyMap<string, Variable>;
  /** Rates and decays of those, by the same names; 1 and 1 where none is named. */
  rules?(): ReadonlyMap<string, VariableRule>;
  /** Clusterings and the like. */
  beforeEpoch?(epoch: number, embedAll: EmbedAll): void;
  /** Sampling weights over samples for the coming epoch; absent = each once. */
  weights?(): Float64Array;
  /** So many samples of one video stand together in the order, and so in a batch; absent = 1. Not beside `weights`. */
  readonly perVideo?: number;
  /** Forward pass and loss of one batch. Runs inside the gradient tape; must be a pure function of views, batch and state. */
  step(views: readonly Tensor4D[], batch: Batch): StepResult;
  /** The loss of a network that has learned nothing, shown beside the loss (margin, ln K). */
  uniformLoss(step: number): number;
  save(): NamedArrays;
  load(state: NamedArrays): void;
  dispose(): void;
};
