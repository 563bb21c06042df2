import type { Window } from './layers.js';

/**
 * What a layer computes, as data: enough to write the same network down for another library. The arrays it uses are those of its
 * prefix (`weight`, `bias`, `running_mean`, `running_var`).
 */
export type Operation =
  /** Zero-padded convolution; `bias` tells whether one is added. */
  | { readonly kind: 'conv'; readonly window: Window; readonly groups: number; readonly bias: boolean }
  /** `(x - running_mean) / sqrt(running_var + epsilon) * weight + bias` */
  | { readonly kind: 'batchNorm'; readonly epsilon: number }
  | { readonly kind: 'relu' }
  | { readonly kind: 'maxPool'; readonly window: Window }
  /** The mean over the map: a map of one cell. */
  | { readonly kind: 'globalAveragePool' }
  /** `x / (k + alpha / size * sum over size channels of x^2)^beta` */
  | {
      readonly kind: 'lrn';
      readonly size: number;
      readonly alpha: number;
      readonly beta: number;
      readonly k: number;
    }
  | { readonly kind: 'reverseChannels' }
  /** A map to a row; in PyTorch's order of axes the channels come first. */
  | { readonly kind: 'flatten' }
  /** `x weight^T + bias`, the weight as it lies on disk. */
  | { readonly kind: 'linear' }
  /** `x / sqrt(sum x^2 + epsilon)` */
  | { readonly kind: 'l2'; readonly epsilon: number }
  /** `relu(inner(x) + shortcut(x))`; no shortcut is x itself. */
  | {
      readonly kind: 'residual';
      readonly inner: readonly NamedOperation[];
      readonly shortcut?: readonly NamedOperation[];
    };

/** An operation with the prefix of its arrays: `features.0`, in a block `conv1`. */
export type NamedOperation = { readonly prefix: string; readonly operation: Operation };
