import { FourierPlan } from './fft.js';

/**
 * The two-dimensional discrete Fourier transform over the first two axes of `[height, width, channels]`, all channels at
 * once, in place. Two real channels may share one complex channel (`re` the one, `im` the other): products of such packed
 * spectra, `sum P conj(Q)`, have the sum of both cross-correlations as the real part of their inverse.
 */
export class FourierPlan2 {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly #rows: FourierPlan;
  readonly #columns: FourierPlan;
  readonly #workRe: Float64Array;
  readonly #workIm: Float64Array;

  /** Sizes must be products of 2, 3 and 5. */
  constructor(height: number, width: number, channels: number) {
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.#rows = new FourierPlan(width);
    this.#columns = new FourierPlan(height);
    this.#workRe = new Float64Array(height * width * channels);
    this.#workIm = new Float64Array(height * width * channels);
  }

  /** `X[k, l] = sum x[m, n] exp(-2 pi i (k m / height + l n / width))`. */
  forward(re: Float64Array, im: Float64Array): void {
    this.#columns.transform(re, im, this.#workRe, this.#workIm, 1, this.width * this.channels);
    this.#rows.transform(re, im, this.#workRe, this.#workIm, this.height, this.channels);
  }

  /** The inverse of `forward`, with the factor `1 / (height width)`. */
  inverse(re: Float64Array, im: Float64Array): void {
    this.forward(im, re);
    const factor = 1 / (this.height * this.width);
    const count = this.height * this.width * this.channels;
    for (let i = 0; i < count; i++) {
      re[i] *= factor;
      im[i] *= factor;
    }
  }
}
