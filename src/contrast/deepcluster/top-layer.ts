import type { RandomStream } from '../../numeric/random.js';
import { tf, type Tensor1D, type Tensor2D, type Variable } from '../../runtime/tensors.js';
import { withoutTape } from '../../runtime/without-tape.js';
import type { NamedArrays } from '../../training/method.js';
import { assignNamedArrays, namedArraysOf } from '../../training/named-arrays.js';

/** How the layer learns. */
export type TopLayerRates = { readonly rate: number; readonly decay: number };

/**
 * The classifier of pseudo-labels, which is thrown away with them: `logits = h W + b`. It is state of the method and learns by plain
 * gradient descent of its own, as released, so that no optimiser carries momentum from one set of labels to the next; the
 * run's optimiser does not know it.
 */
export class TopLayer {
  readonly #inputs: number;
  readonly #classes: number;
  readonly #weight: Variable;
  readonly #bias: Variable;

  constructor(inputs: number, classes: number) {
    this.#inputs = inputs;
    this.#classes = classes;
    this.#weight = tf.tidy(() => tf.variable(tf.zeros([inputs, classes]), false));
    this.#bias = tf.tidy(() => tf.variable(tf.zeros([classes]), false));
  }

  /** New weights `N(0, 0.01)` (standard deviation), biases 0, as released. */
  redraw(random: RandomStream): void {
    const values = Float32Array.from({ length: this.#inputs * this.#classes }, () => random.normal(0, 0.01));
    tf.tidy(() => {
      this.#weight.assign(tf.tensor2d(values, [this.#inputs, this.#classes]));
      this.#bias.assign(tf.zeros([this.#classes]));
    });
  }

  /** `[batch, inputs]` to `[batch, classes]`. The gradient reaches `h`; the layer itself is a constant to the tape. */
  logits(h: Tensor2D): Tensor2D {
    const [weight, bias] = withoutTape(() => [tf.clone(this.#weight), tf.clone(this.#bias)]);
    return tf.add(tf.matMul(h, weight as Tensor2D), bias!);
  }

  /**
   * One step down the gradient of the mean cross-entropy: with `G = (softmax(logits) - onehot(labels)) / batch`,
   * `W <- W - rate (h^T G + decay W)`, `b <- b - rate (sum of G over the batch + decay b)`. `logits` must be those of `h` before
   * the step.
   */
  learn(h: Tensor2D, logits: Tensor2D, labels: Tensor1D, { rate, decay }: TopLayerRates): void {
    tf.tidy(() => {
      const target = tf.cast(tf.oneHot(labels, this.#classes), 'float32');
      const slope = tf.div(tf.sub(tf.softmax(logits), target), labels.size) as Tensor2D;
      const kept = 1 - rate * decay;
      this.#weight.assign(tf.sub(tf.mul(this.#weight, kept), tf.mul(tf.matMul(h, slope, true), rate)));
      this.#bias.assign(tf.sub(tf.mul(this.#bias, kept), tf.mul(tf.sum(slope, 0), rate)));
    });
  }

  /** Weights and biases for the train state. */
  save(): NamedArrays {
    return namedArraysOf(this.#variables(), 'top/');
  }

  /** Takes them out of a train state. */
  load(state: NamedArrays): void {
    assignNamedArrays(this.#variables(), state, 'top/');
  }

  /** Frees them. */
  dispose(): void {
    for (const variable of this.#variables().values()) variable.dispose();
  }

  #variables(): Map<string, Variable> {
    return new Map([
      ['weight', this.#weight],
      ['bias', this.#bias],
    ]);
  }
}
