import type { WasmKernel } from '../numeric/wasm-kernel.js';
import type { GreyImage } from './grey-image.js';
import type { KcfKernel } from './kcf-kernel-bytes.js';
import { hannWindow } from './kcf-geometry.js';
import type { KernelFourier } from './kernel-fourier.js';

/** Channels of a cell's features, the last of them 0; half lie as real parts, half as imaginary parts. */
export const WINDOW_CHANNELS = 32;
/** Complex channels that hold the real ones. */
export const SPECTRUM_CHANNELS = WINDOW_CHANNELS / 2;

/** Bytes of a cell's histogram in the kernel. */
const HISTOGRAM_BYTES = 80;

/**
 * What a search window looks like, as a spectrum: a patch around a centre (bilinear samples, the picture's edge repeated), histograms
 * of oriented gradients in its cells (Felzenszwalb et al. 2010: 18 signed and 9 unsigned orientations, 4 of texture energy), times a
 * Hann window, transformed. Two real channels share one complex channel: products of such packed spectra, `sum P conj(Q)`, have the sum of
 * both cross-correlations as the real part of their inverse. The same features in plain JavaScript are those of `HogExtractor`.
 */
export class WindowSpectrum {
  /** Addresses of the real and the imaginary parts, float32 `[rows, columns, 16]`. */
  readonly re: number;
  readonly im: number;
  /** Where the memory of this window ends. */
  readonly end: number;
  readonly #kernel: WasmKernel<KcfKernel>;
  readonly #fourier: KernelFourier;
  readonly #rows: number;
  readonly #columns: number;
  readonly #width: number;
  readonly #height: number;
  readonly #lefts: number;
  readonly #weights: number;
  readonly #patch: number;
  readonly #cellX: number;
  readonly #weightX: number;
  readonly #cellY: number;
  readonly #weightY: number;
  readonly #histograms: number;
  readonly #energies: number;
  readonly #blocks: number;
  readonly #hann: number;

  /**
   * @param cell side of a cell, samples; a multiple of four
   * @param fourier a plan for `[rows, columns, 16]`
   * @param from address at or after which its memory begins
   */
  constructor(
    kernel: WasmKernel<KcfKernel>,
    rows: number,
    columns: number,
    cell: number,
    fourier: KernelFourier,
    from: number,
  ) {
    this.#kernel = kernel;
    this.#fourier = fourier;
    this.#rows = rows;
    this.#columns = columns;
    // One pixel more on each side than the cells cover, for the gradients.
    this.#width = columns * cell + 2;
    this.#height = rows * cell + 2;
    const floats = [
      ...[this.#width + 3, this.#width + 3, this.#width * this.#height + 3],
      ...[columns * cell, columns * cell, rows * cell, rows * cell],
      (rows + 2) * (columns + 2) * (HISTOGRAM_BYTES / 4),
      ...[rows * columns, (rows + 1) * (columns + 1), rows * columns],
      ...[rows * columns * SPECTRUM_CHANNELS, rows * columns * SPECTRUM_CHANNELS],
    ];
    const places = kernel.place(
      floats.map((count) => 4 * count),
      from,
    );
    [this.#lefts, this.#weights, this.#patch, this.#cellX, this.#weightX, this.#cellY, this.#weightY] = places;
    [this.#histograms, this.#energies, this.#blocks, this.#hann, this.re, this.im, this.end] = places.slice(7);
    // The kernel reads whole vectors of offsets: those behind the last have to point into the row.
    kernel.bytes.fill(0, this.#lefts, this.#weights);
    this.#spread(columns, cell, HISTOGRAM_BYTES, this.#cellX, this.#weightX);
    this.#spread(rows, cell, (columns + 2) * HISTOGRAM_BYTES, this.#cellY, this.#weightY);
    kernel.floats.set(hannWindow(rows, columns), this.#hann / 4);
  }

  /**
   * Reads the window around (`centreX`, `centreY`) of the image at address `picture`, samples `step` pixels apart.
   *
   * @param blended room for `width + 6` float32
   * @returns the sum of squares of all features, before the transform
   */
  read(
    { width, height }: Pick<GreyImage, 'width' | 'height'>,
    picture: number,
    blended: number,
    centreX: number,
    centreY: number,
    step: number,
  ): number {
    const { functions } = this.#kernel;
    const [rows, columns] = [this.#rows, this.#columns];
    const firstX = centreX - 0.5 - ((this.#width - 1) / 2) * step;
    const firstY = centreY - 0.5 - ((this.#height - 1) / 2) * step;
    functions.samplePatch(
      ...([picture, width, height, firstX, firstY, step, this.#lefts, this.#weights, blended] as const),
      ...([this.#width, this.#height, this.#patch] as const),
    );
    functions.voteOrientations(
      ...([this.#patch, this.#width, this.#height, this.#cellX, this.#weightX, this.#cellY, this.#weightY] as const),
      ...([this.#histograms, rows, columns] as const),
    );
    const energy = functions.normaliseCells(
      ...([this.#histograms, rows, columns, this.#energies, this.#blocks, this.#hann, this.re, this.im] as const),
    );
    this.#fourier.transform(this.re, this.im, SPECTRUM_CHANNELS);
    return energy;
  }

  /** Of each pixel along an axis the cell at or before it, counted with one spare cell before the first, and that cell's share. */
  #spread(cells: number, cell: number, bytes: number, offsets: number, weights: number): void {
    for (let pixel = 0; pixel < cells * cell; pixel++) {
      const position = (pixel + 0.5) / cell - 0.5;
      const before = Math.floor(position);
      this.#kernel.ints[offsets / 4 + pixel] = (before + 1) * bytes;
      this.#kernel.floats[weights / 4 + pixel] = 1 - (position - before);
    }
  }
}
