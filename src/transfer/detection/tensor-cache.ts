import { tf, type Tensor } from '../../runtime/tensors.js';

/**
 * Keeps tensors that are read again and again, up to a number of bytes; those beyond are made anew at every reading, so that
 * memory stays flat however many pictures there are.
 */
export class TensorCache<T extends Tensor> {
  readonly #kept = new Map<number, T>();
  readonly #make: (index: number) => T;
  #bytesLeft: number;

  constructor(maxBytes: number, make: (index: number) => T) {
    this.#bytesLeft = maxBytes;
    this.#make = make;
  }

  /** Tensor `index`. Call inside a tidy: what is kept survives it, what is not goes with it. */
  read(index: number): T {
    const kept = this.#kept.get(index);
    if (kept) return kept;
    const made = this.#make(index);
    const bytes = made.size * 4;
    if (bytes > this.#bytesLeft) return made;
    this.#bytesLeft -= bytes;
    this.#kept.set(index, tf.keep(made));
    return made;
  }

  dispose(): void {
    for (const tensor of this.#kept.values()) tensor.dispose();
    this.#kept.clear();
  }
}
