import type { RandomStream } from '../../../numeric/random.js';
import { biasAdd } from '../../../runtime/ops/bias-add.js';
import { relu } from '../../../runtime/ops/relu.js';
import { takeAllValues } from '../../../runtime/take-values.js';
import { tf, type Tensor, type Tensor2D, type Variable } from '../../../runtime/tensors.js';

/** Mean and spread of region features a channel, by which the head's input is standardised: constants, not trained. */
export type FeatureScale = { readonly mean: Float32Array; readonly std: Float32Array };

/** The layers behind the region features. */
export type DetectionHead = {
  readonly variables: ReadonlyMap<string, Variable>;
  /**
   * From features `[rows, dim]`: class logits `[rows, classes + 1]`, background last, and deltas `[rows, classes * 4]` where boxes
   * are regressed.
   */
  apply(features: Tensor2D): { readonly logits: Tensor2D; readonly deltas?: Tensor2D };
  dispose(): void;
};

/** What a head is made of. */
export type HeadOptions = {
  readonly dim: number;
  readonly classes: number;
  /** Values of the hidden layer. */
  readonly hidden: number;
  readonly boxRegression: boolean;
  readonly scale: FeatureScale;
  readonly random: RandomStream;
};

/** Mean squared length of the head's input, whatever its dimension, so that one learning rate serves all layers and cells. */
const squaredLength = 1024;

/**
 * A head of one hidden layer: `relu(x W + b)` with features standardised a channel and scaled to a mean squared length of 1024,
 * from which classes and deltas are read linearly. First values: hidden `N(0, 2 / 1024)`, classes `N(0, 0.01^2)`, deltas `N(0, 0.001^2)` (Girshick 2015, section 2.3), biases 0.
 */
export function createHead({ dim, classes, hidden, boxRegression, scale, random }: HeadOptions): DetectionHead {
  const drawn = (rows: number, columns: number, std: number): Variable =>
    tf.tidy(() => {
      const values = Float32Array.from({ length: rows * columns }, () => random.normal(0, std));
      return tf.variable(tf.tensor2d(values, [rows, columns]));
    });
  const zeros = (length: number): Variable => tf.tidy(() => tf.variable(tf.zeros([length])));
  const variables = new Map<string, Variable>([
    ['hidden.weight', drawn(dim, hidden, Math.sqrt(2 / squaredLength))],
    ['hidden.bias', zeros(hidden)],
    ['classes.weight', drawn(hidden, classes + 1, 0.01)],
    ['classes.bias', zeros(classes + 1)],
  ]);
  if (boxRegression) {
    variables.set('deltas.weight', drawn(hidden, classes * 4, 0.001));
    variables.set('deltas.bias', zeros(classes * 4));
  }
  const times = dim / scale.mean.length;
  const shift = tf.tidy(() => tf.tile(tf.tensor1d(scale.mean), [times]));
  const length = Math.sqrt(squaredLength / dim);
  const factor = tf.tidy(() => tf.tile(tf.tensor1d(scale.std.map((std) => length / std)), [times]));
  const dense = (x: Tensor, name: string): Tensor2D =>
    biasAdd(
      tf.matMul(x as Tensor2D, variables.get(`${name}.weight`) as unknown as Tensor2D),
      variables.get(`${name}.bias`)!,
    );
  return {
    variables,
    apply: (features) => {
      const x = relu(dense(tf.mul(tf.sub(features, shift), factor), 'hidden'));
      const logits = dense(x, 'classes');
      return boxRegression ? { logits, deltas: dense(x, 'deltas') } : { logits };
    },
    dispose: () => {
      tf.dispose([...variables.values(), shift, factor]);
    },
  };
}

/** Mean and spread a channel of features `[rows, bins * bins * channels]`; a channel that never changes gets the spread 1. */
export function measureScale(features: Tensor2D, channels: number): FeatureScale {
  const [mean, std] = takeAllValues(() => {
    const { mean, variance } = tf.moments(features.reshape([-1, channels]), 0);
    return [mean, variance.sqrt()];
  });
  return { mean, std: std.map((value) => (value > 1e-6 ? value : 1)) };
}
