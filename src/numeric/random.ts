/** The four 32-bit words of a stream, enough to continue it exactly. */
export type RandomState = readonly [number, number, number, number];

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/**
 * A seeded, savable stream of pseudo-random numbers (xoshiro128**, Blackman & Vigna 2018), the only source of randomness in
 * the project. `RandomStream.of(seed, 'augment', step)` gives a stream that depends on all its labels and on nothing else, so
 * that a value drawn at step 700 does not depend on whether the run was interrupted at step 699.
 */
export class RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(state: RandomState) {
    [this.#a, this.#b, this.#c, this.#d] = state;
    if ((this.#a | this.#b | this.#c | this.#d) === 0) this.#a = 0x9e3779b9;
  }

  /** A stream named by a seed and any labels: the labels are hashed (FNV-1a) and the hash spread by splitmix32. */
  static of(seed: number, ...labels: readonly (string | number)[]): RandomStream {
    let hash = 0x811c9dc5;
    const text = [seed, ...labels].join('\u001f');
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    const next = (): number => {
      hash = (hash + 0x9e3779b9) | 0;
      let z = hash;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    return new RandomStream([next(), next(), next(), next()]);
  }

  /** The state now; `new RandomStream(state)` continues from here. */
  save(): RandomState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0];
  }

  /** A 32-bit unsigned integer. */
  bits(): number {
    const result = Math.imul(rotl(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotl(this.#d, 11);
    return result;
  }

  /** A number in [low, high), with 53 bits. */
  uniform(low = 0, high = 1): number {
    const value = ((this.bits() >>> 5) * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
    return low + (high - low) * value;
  }

  /** An integer in [0, count), without modulo bias. */
  integer(count: number): number {
    if (!Number.isInteger(count) || count < 1 || count > 0xffffffff) {
      throw new RangeError(`Expected \`count\` to be an integer from 1 to 4294967295, got \`${count}\``);
    }
    const limit = 0x100000000 - (0x100000000 % count);
    let value = this.bits();
    while (value >= limit) value = this.bits();
    return value % count;
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** A normal deviate (Box-Muller, one of the two values, so that a stream has no hidden spare). */
  normal(mean = 0, std = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + std * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(values: T): T {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = values[i];
      values[i] = values[j];
      values[j] = kept;
    }
    return values;
  }

  /** `count` different integers of [0, total), in random order. */
  sample(total: number, count: number): number[] {
    if (count > total) throw new RangeError(`Expected \`count\` to be at most \`total\` = ${total}, got \`${count}\``);
    const order = Array.from({ length: total }, (_, i) => i);
    for (let i = 0; i < count; i++) {
      const j = i + this.integer(total - i);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order.slice(0, count);
  }
}
