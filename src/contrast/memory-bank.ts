import type { RandomStream } from '../numeric/random.js';
import { tf, type Tensor2D } from '../runtime/tensors.js';

/**
 * One unit vector a sample, remembered between the steps that meet it (Wu et al. 2018). Constant for the gradient tape. The rows
 * live in ordinary memory, where a step changes few of them; the tensor is a copy, made when it is asked for after a change.
 */
export class MemoryBank {
  readonly rows: number;
  readonly dim: number;
  readonly #values: Float32Array;
  #tensor: Tensor2D | undefined;

  /** Rows drawn uniformly from `[-1 / sqrt(dim / 3), 1 / sqrt(dim / 3))`, as released: of length near 1, not exactly. */
  constructor(rows: number, dim: number, random: RandomStream) {
    this.rows = rows;
    this.dim = dim;
    const bound = 1 / Math.sqrt(dim / 3);
    this.#values = Float32Array.from({ length: rows * dim }, () => random.uniform(-bound, bound));
  }

  /** All rows `[rows, dim]`; owned by the bank and valid until the next change. */
  tensor(): Tensor2D {
    this.#tensor ??= tf.keep(tf.tensor2d(this.#values.slice(), [this.rows, this.dim]));
    return this.#tensor;
  }

  /** The rows of those samples `[indices, dim]`, a copy. */
  rowsOf(indices: Int32Array): Tensor2D {
    return tf.tidy(() => tf.gather(this.tensor(), tf.tensor1d(indices, 'int32')));
  }

  /**
   * `m <- normalise(momentum m + (1 - momentum) v)` for the rows named by `indices`; `vectors` is `[indices, dim]`, row-major.
   * A row named twice moves twice, in order.
   */
  update(indices: Int32Array, vectors: Float32Array, momentum: number): void {
    const { dim } = this;
    indices.forEach((row, k) => {
      const target = this.#values.subarray(row * dim, (row + 1) * dim);
      let squares = 0;
      for (let i = 0; i < dim; i++) {
        const value = momentum * target[i]! + (1 - momentum) * vectors[k * dim + i]!;
        target[i] = value;
        squares += value * value;
      }
      const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
      for (let i = 0; i < dim; i++) target[i]! *= scale;
    });
    this.#forget();
  }

  /** Puts `vectors` `[rows, dim]` in the place of all rows. */
  fill(vectors: Tensor2D): void {
    if (vectors.shape.join() !== [this.rows, this.dim].join()) {
      throw new Error(`Expected rows of shape [${this.rows}, ${this.dim}], got [${vectors.shape.join(', ')}]`);
    }
    this.#values.set(vectors.dataSync<'float32'>());
    this.#forget();
  }

  /**
   * Keeps the embeddings of a step, `[indices, dim]`, and gives what moves the bank to them and frees them: the step's `commit`.
   * Called after the loss, it never lets a sample meet its own fresh row.
   */
  updateAfter(indices: Int32Array, embedding: Tensor2D, momentum: number): () => void {
    const kept = tf.keep(tf.clone(embedding));
    return () => {
      this.update(indices, kept.dataSync<'float32'>(), momentum);
      kept.dispose();
    };
  }

  /** The rows as they go into a train state. */
  save(): { readonly shape: readonly number[]; readonly data: Float32Array } {
    return { shape: [this.rows, this.dim], data: this.#values.slice() };
  }

  /** Takes the rows of a train state. */
  load({ shape, data }: { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }): void {
    if (shape.join() !== [this.rows, this.dim].join()) {
      throw new Error(`Expected a bank of shape [${this.rows}, ${this.dim}], got [${shape.join(', ')}]`);
    }
    this.#values.set(data);
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
