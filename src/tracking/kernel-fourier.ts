import { fourierPasses } from '../numeric/fft.js';
import type { WasmKernel } from '../numeric/wasm-kernel.js';
import type { KcfKernel } from './kcf-kernel-bytes.js';

/**
 * The two-dimensional discrete Fourier transform over the first two axes of `[rows, columns, channels]` float32 in a kernel's memory, all
 * channels at once, in place, and not divided by anything. Sizes must be products of 2, 3 and 5.
 */
export class KernelFourier {
  /** Where the memory of this plan ends. */
  readonly end: number;
  readonly #kernel: WasmKernel<KcfKernel>;
  readonly #rows: number;
  readonly #columns: number;
  readonly #downPasses: number;
  readonly #acrossPasses: number;
  readonly #downCount: number;
  readonly #acrossCount: number;
  readonly #workRe: number;
  readonly #workIm: number;

  /**
   * @param channels most channels that are transformed at once; multiples of four
   * @param from address at or after which its memory begins
   */
  constructor(kernel: WasmKernel<KcfKernel>, rows: number, columns: number, channels: number, from?: number) {
    this.#kernel = kernel;
    this.#rows = rows;
    this.#columns = columns;
    const plans = [rows, columns].map((length) => fourierPasses(length));
    const twiddleBytes = plans.map((passes) => passes.reduce((sum, { cos }) => sum + 8 * cos.length, 0));
    const bytes = 4 * rows * columns * channels;
    const [down, across, downTwiddles, acrossTwiddles, workRe, workIm, end] = kernel.place(
      [...plans.map((passes) => 12 * passes.length), ...twiddleBytes, bytes, bytes],
      from,
    );
    [this.#downPasses, this.#acrossPasses] = [down, across];
    [this.#downCount, this.#acrossCount] = plans.map(({ length }) => length);
    [this.#workRe, this.#workIm, this.end] = [workRe, workIm, end];
    for (const [i, table, twiddles] of [
      [0, down, downTwiddles],
      [1, across, acrossTwiddles],
    ]) {
      let at = twiddles;
      plans[i].forEach(({ radix, size, cos, sin }, pass) => {
        kernel.ints.set([radix, size / radix, at], table / 4 + 3 * pass);
        cos.forEach((value, k) => kernel.floats.set([value, sin[k]], at / 4 + 2 * k));
        at += 8 * cos.length;
      });
    }
  }

  /** `X[k, l] = sum x[m, n] exp(-2 pi i (k m / rows + l n / columns))`; with `re` and `im` swapped the inverse, times `rows columns`. */
  transform(re: number, im: number, channels: number): void {
    const { functions } = this.#kernel;
    const [workRe, workIm, rows, columns] = [this.#workRe, this.#workIm, this.#rows, this.#columns];
    functions.transform(re, im, workRe, workIm, 1, rows, columns * channels, this.#downPasses, this.#downCount);
    functions.transform(re, im, workRe, workIm, rows, columns, channels, this.#acrossPasses, this.#acrossCount);
  }
}
