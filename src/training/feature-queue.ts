import type { RandomStream } from '../numeric/random.js';
import { tf, type Tensor2D } from '../runtime/tensors.js';
import type { NamedArrays } from './method.js';

/**
 * The last rows that passed by, oldest overwritten first (He et al. 2020, 3.2): negatives of earlier batches. Constant for the
 * gradient tape. Begins with random unit rows, as released.
 */
export class FeatureQueue {
  readonly rows: number;
  readonly dim: number;
  readonly #values: Float32Array;
  #next = 0;
  #tensor: Tensor2D | undefined;

  constructor(rows: number, dim: number, random: RandomStream) {
    if (!Number.isInteger(rows) || rows < 1) {
      throw new RangeError(`Expected \`rows\` to be a whole number above 0, got \`${rows}\` (${typeof rows})`);
    }
    this.rows = rows;
    this.dim = dim;
    this.#values = Float32Array.from({ length: rows * dim }, () => random.normal());
    for (let row = 0; row < rows; row++) {
      const values = this.#values.subarray(row * dim, (row + 1) * dim);
      const length = Math.hypot(...values);
      for (let i = 0; i < dim; i++) values[i]! /= length;
    }
  }

  /** All rows `[rows, dim]`; owned by the queue and valid until the next change. */
  tensor(): Tensor2D {
    this.#tensor ??= tf.keep(tf.tensor2d(this.#values.slice(), [this.rows, this.dim]));
    return this.#tensor;
  }

  /** Puts `vectors` `[count, dim]`, row-major, in the place of the oldest rows; of more than `rows` the last stay. */
  push(vectors: Float32Array): void {
    for (let from = 0; from < vectors.length; from += this.dim) {
      this.#values.set(vectors.subarray(from, from + this.dim), this.#next * this.dim);
      this.#next = (this.#next + 1) % this.rows;
    }
    this.#forget();
  }

  /** Rows and the place of the oldest, for the train state. */
  save(): NamedArrays {
    return {
      queue: { shape: [this.rows, this.dim], data: this.#values.slice() },
      'queue/next': { shape: [1], data: Int32Array.of(this.#next) },
    };
  }

  /** Takes rows and place out of a train state. */
  load(state: NamedArrays): void {
    const { queue, 'queue/next': next } = state;
    if (queue?.shape.join() !== [this.rows, this.dim].join() || !next) {
      throw new Error(
        `Expected a queue of shape [${this.rows}, ${this.dim}] in the state, got [${queue?.shape.join()}]`,
      );
    }
    this.#values.set(queue.data);
    this.#next = next.data[0]!;
    this.#forget();
  }

  /** Frees the tensor. */
  dispose(): void {
    this.#forget();
  }

  #forget(): void {
    this.#tensor?.dispose();
    this.#tensor = undefined;
  }
}
