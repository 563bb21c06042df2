import type { Tensor, Tensor2D, Tensor4D, Variable } from '../runtime/tensors.js';

/** A place where features can be read: `conv5` gives `[batch, height, width, channels]`, `fc` and `embedding` give `[batch, channels]`. */
export type Layer = {
  readonly name: string;
  readonly height?: number;
  readonly width?: number;
  readonly channels: number;
  /** Of a spatial layer: input pixels from one cell to the next, in both directions. */
  readonly stride?: number;
  /** Of a spatial layer: where the middle of its first cell lies in the picture, in continuous pixels (0 is the picture's edge). */
  readonly offset?: number;
};

/**
 * How a forward pass runs. `train` uses the batch's own statistics in batch norm and updates the running ones. `trainApart` is `train` of
 * so many batches of one size, which stand one after another in the images: none knows of the others.
 */
export type ForwardMode = 'train' | 'eval' | { readonly trainApart: number };

/**
 * A network up to its embedding. Images are `[batch, inputSize, inputSize, 3]`, RGB (CaffeNet as released: BGR is its own
 * affair), normalised as `(pixel / 255 - mean) / std`.
 */
export type Trunk = {
  /** `small`, `caffenet`. */
  readonly architecture: string;
  readonly inputSize: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly layers: readonly Layer[];
  /** Trainable variables by PyTorch name (`features.0.weight`), held in TensorFlow's layout. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Batch-norm running statistics by PyTorch name; saved with the weights, not trained. */
  readonly buffers: ReadonlyMap<string, Variable>;
  /**
   * Features at the named layers, in one pass. Spatial layers also take pictures of other sizes, `[batch, height, width, 3]`, and
   * give maps of other sizes. The caller disposes.
   */
  features(images: Tensor4D, layers: readonly string[], mode: ForwardMode): Record<string, Tensor>;
  /** The embedding `[batch, dim]`, L2-normalised, as the pretext loss reads it. */
  embed(images: Tensor4D, mode: ForwardMode): Tensor2D;
  dispose(): void;
};
