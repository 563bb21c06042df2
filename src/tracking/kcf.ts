import type { Box } from '../numeric/box.js';
import { WasmKernel } from '../numeric/wasm-kernel.js';
import type { GreyImage } from './grey-image.js';
import { kcfGeometry, targetResponse, type KcfGeometry } from './kcf-geometry.js';
import { kcfKernelBytes, type KcfKernel } from './kcf-kernel-bytes.js';
import { KernelFourier } from './kernel-fourier.js';
import { HOG_CHANNELS } from './hog.js';
import { SPECTRUM_CHANNELS, WindowSpectrum } from './window-spectrum.js';

/** Constants of the tracker. The defaults are those of the authors' C++ port for HOG features, but for a smaller search window. */
export type KcfOptions = {
  /** Search window over box, each side. The authors have 2.5; with 2 still background pulls less (mean overlap on the tracking set 0.81 for 0.77). @default 2 */
  readonly padding?: number;
  /** Longer side of the search window in template pixels. The authors have 96 for a padding of 2.5. @default 80 */
  readonly templatePx?: number;
  /** Side of a HOG cell, template pixels; a multiple of four. @default 4 */
  readonly cell?: number;
  /** Standard deviation of the target response over the box's side. @default 0.125 */
  readonly bandwidthFactor?: number;
  /** Ridge regularisation. @default 1e-4 */
  readonly lambda?: number;
  /** Width of the Gaussian kernel. @default 0.6 */
  readonly sigma?: number;
  /**
   * Template and size are renewed every so many updates, by so many times `rate`. At 2 an update costs two thirds and the overlaps on the
   * tracking set stay (mean 0.805 for 0.803, at frame 30 0.755 for 0.759); at 3 three fifths (0.803, 0.750). @default 2
   */
  readonly renewEvery?: number;
  /** Share of a frame in template and coefficients. @default 0.012 */
  readonly rate?: number;
  /** Ratio of neighbouring scales; 1 = the size never changes. @default 1.05 */
  readonly scaleStep?: number;
  /** Factor on the peaks of the two rival scales, so that the size changes only for a reason. @default 0.95 */
  readonly scaleWeight?: number;
};

/** The constants a tracker has unless told otherwise. */
export const kcfDefaults = {
  padding: 2,
  templatePx: 80,
  cell: 4,
  bandwidthFactor: 0.125,
  lambda: 1e-4,
  sigma: 0.6,
  renewEvery: 2,
  rate: 0.012,
  scaleStep: 1.05,
  scaleWeight: 0.95,
} satisfies Required<KcfOptions>;

/** What one frame came to. */
export type KcfUpdate = {
  readonly box: Box;
  /** Highest response: near 1 while the target looks as it did, near 0 where nothing resembles it. */
  readonly peak: number;
  /** Peak-to-sidelobe ratio: `(peak - mean) / std` of the response away from the peak (Bolme et al. 2010). */
  readonly peakToSidelobe: number;
};

/** Cells around the peak, each way, that do not count as side lobe. */
const LOBE = 2;
/** The box may shrink or grow by this factor at most: beyond, the scale search has run away. */
const MAX_SCALE_CHANGE = 4;

/**
 * The kernelised correlation filter (Henriques, Caseiro, Martins & Batista 2015) on HOG features with a Gaussian kernel:
 *
 * `k(x, z) = exp(-max(0, (|x|^2 + |z|^2 - 2 F^-1(sum_c conj(X_c) Z_c)) / N) / sigma^2)`, `N` = cells x channels;
 * `alpha = Y / (K(x, x) + lambda)`; response to a new window `z`: `Re F^-1(K(x, z) alpha)`, its highest value found to a fraction of
 * a cell by a parabola. Every few updates the size is tried one step smaller and one larger, and stays unless one of them responds higher even by its
 * weight, and template and coefficients are blended. Windows are read, transformed and correlated in WebAssembly, in float32 (`kernels/kcf.ts`).
 *
 * One object follows one target at a time and may be started again; memory is kept while the geometry stays the same, and an
 * update allocates nothing but its result.
 */
export class KcfTracker {
  readonly #options: Required<KcfOptions>;
  readonly #kernel = new WasmKernel<KcfKernel>(kcfKernelBytes);
  #filter: Filter | undefined;
  #centreX = 0;
  #centreY = 0;
  #width = 0;
  #height = 0;
  #scale = 1;
  #updates = 0;

  constructor(options: KcfOptions = {}) {
    this.#options = { ...kcfDefaults, ...options };
    for (const [name, value] of Object.entries(this.#options)) {
      const [low, text] =
        name === 'padding' || name === 'scaleStep' ? [1, 'of at least 1'] : [Number.MIN_VALUE, 'above 0'];
      if (typeof value !== 'number' || !(value >= low) || !Number.isFinite(value)) {
        throw new TypeError(`Expected \`${name}\` to be a number ${text}, got \`${String(value)}\` (${typeof value})`);
      }
    }
    const { cell, renewEvery } = this.#options;
    if (!Number.isInteger(renewEvery)) {
      throw new TypeError(`Expected \`renewEvery\` to be a whole number, got \`${renewEvery}\` (number)`);
    }
    if (cell % 4 !== 0) throw new TypeError(`Expected \`cell\` to be a multiple of 4, got \`${cell}\` (number)`);
  }

  /** Learns the target `box` of `image`; from here `update` follows it. */
  start(image: GreyImage, box: Box): void {
    if (!(box.width > 0 && box.height > 0)) {
      throw new RangeError(`Expected \`box\` to have a size above 0, got \`${box.width} x ${box.height}\``);
    }
    if (!Number.isFinite(box.x + box.y + box.width + box.height)) {
      throw new RangeError(`Expected \`box\` to hold finite numbers, got \`${JSON.stringify(Object.values(box))}\``);
    }
    const geometry = kcfGeometry(box.width, box.height, this.#options);
    if (!this.#filter?.fits(geometry)) this.#filter = new Filter(this.#kernel, geometry, this.#options);
    this.#filter.forget(geometry);
    this.#width = box.width;
    this.#height = box.height;
    this.#centreX = box.x + box.width / 2;
    this.#centreY = box.y + box.height / 2;
    this.#scale = 1;
    this.#updates = 0;
    this.#filter.look(image);
    this.#filter.learn(this.#centreX, this.#centreY, geometry.step, 1);
  }

  /** Finds the target in the next image, and every few images learns how it looks there. */
  update(image: GreyImage): KcfUpdate {
    const filter = this.#filter;
    if (filter === undefined) throw new Error('Expected `start` to be called before `update`');
    const { scaleStep, scaleWeight, rate, renewEvery, cell } = this.#options;
    const { step } = filter.geometry;

    const renews = ++this.#updates % renewEvery === 0;
    const scales = [this.#scale];
    for (const rival of renews && scaleStep > 1 ? [this.#scale / scaleStep, this.#scale * scaleStep] : []) {
      if (rival <= MAX_SCALE_CHANGE && rival >= 1 / MAX_SCALE_CHANGE) scales.push(rival);
    }
    filter.look(image);
    const found = filter.respond(
      this.#centreX,
      this.#centreY,
      scales.map((scale) => step * scale),
      scaleWeight,
    );
    const { peak, peakToSidelobe } = found;
    this.#scale = scales[found.window];
    const pitch = cell * step * this.#scale;
    // A centre outside the image would see nothing but its repeated edge.
    this.#centreX = clamp(this.#centreX + found.shiftX * pitch, 0, image.width);
    this.#centreY = clamp(this.#centreY + found.shiftY * pitch, 0, image.height);
    if (renews) filter.learn(this.#centreX, this.#centreY, step * this.#scale, Math.min(1, renewEvery * rate));
    return { box: this.box, peak, peakToSidelobe };
  }

  /** Where the target is now. */
  get box(): Box {
    const width = this.#width * this.#scale;
    const height = this.#height * this.#scale;
    return { x: this.#centreX - width / 2, y: this.#centreY - height / 2, width, height };
  }
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** Windows whose responses a plane `[rows, columns, 4]` holds, beside each other. */
const WINDOWS = 4;

/** The highest response among some windows: which one it is in, how high, and displaced by how many cells. */
type Found = {
  readonly window: number;
  readonly peak: number;
  readonly peakToSidelobe: number;
  readonly shiftX: number;
  readonly shiftY: number;
};

/** Template, coefficients and work space of one geometry, in the memory of a kernel. Of several filters the one that was made last is good. */
class Filter {
  geometry: KcfGeometry;
  readonly #kernel: WasmKernel<KcfKernel>;
  readonly #lambda: number;
  /** Of the Gaussian kernel: `-1 / (N sigma^2)`. */
  readonly #scale: number;
  readonly #cells: number;
  readonly #fourier: KernelFourier;
  readonly #window: WindowSpectrum;
  /** Bytes of the real (or imaginary) parts of a template. */
  readonly #templateBytes: number;
  readonly #templateRe: number;
  readonly #templateIm: number;
  readonly #planeRe: number;
  readonly #planeIm: number;
  /** Spectrum of the target response; real, because the response is even. */
  readonly #target: number;
  /** Real as well: an autocorrelation is even. */
  readonly #alpha: number;
  /** `|x|^2 + |z|^2` of each window. */
  readonly #energies: number;
  readonly #end: number;
  #templateEnergy = 0;
  #image: Pick<GreyImage, 'width' | 'height'> = { width: 0, height: 0 };
  #picture = 0;
  #blended = 0;

  constructor(kernel: WasmKernel<KcfKernel>, geometry: KcfGeometry, options: Required<KcfOptions>) {
    const { rows, columns, bandwidth } = geometry;
    const cells = rows * columns;
    this.geometry = geometry;
    this.#kernel = kernel;
    this.#cells = cells;
    this.#lambda = options.lambda;
    this.#scale = -1 / (cells * HOG_CHANNELS * options.sigma * options.sigma);
    this.#fourier = new KernelFourier(kernel, rows, columns, SPECTRUM_CHANNELS);
    this.#window = new WindowSpectrum(kernel, rows, columns, options.cell, this.#fourier, this.#fourier.end);
    const template = 4 * cells * SPECTRUM_CHANNELS;
    const plane = 4 * cells * WINDOWS;
    const places = kernel.place(
      [template, template, plane, plane, 4 * cells, 4 * cells, 4 * WINDOWS],
      this.#window.end,
    );
    this.#templateBytes = template;
    [this.#templateRe, this.#templateIm, this.#planeRe, this.#planeIm] = places;
    [this.#target, this.#alpha, this.#energies, this.#end] = places.slice(4);
    kernel.bytes.fill(0, this.#planeRe, this.#planeIm + plane);
    targetResponse(rows, columns, bandwidth).forEach((value, cell) => {
      kernel.floats[this.#planeRe / 4 + cell * WINDOWS] = value;
    });
    this.#fourier.transform(this.#planeRe, this.#planeIm, WINDOWS);
    for (let cell = 0; cell < cells; cell++) {
      kernel.floats[this.#target / 4 + cell] = kernel.floats[this.#planeRe / 4 + cell * WINDOWS];
    }
  }

  /** Whether the memory serves another box: same cells, same target response; the step may differ. */
  fits({ rows, columns, bandwidth }: KcfGeometry): boolean {
    const own = this.geometry;
    return own.rows === rows && own.columns === columns && own.bandwidth === bandwidth;
  }

  /** Makes room for another target. */
  forget(geometry: KcfGeometry): void {
    this.geometry = geometry;
    const { bytes } = this.#kernel;
    bytes.fill(0, this.#templateRe, this.#templateRe + this.#templateBytes);
    bytes.fill(0, this.#templateIm, this.#templateIm + this.#templateBytes);
    bytes.fill(0, this.#alpha, this.#alpha + 4 * this.#cells);
  }

  /** Takes the image that `respond` and `learn` read. */
  look({ width, height, data }: GreyImage): void {
    // A kernel reads rows four values at a time, and so beyond their end.
    [this.#picture, this.#blended] = this.#kernel.place([data.length + 4, 4 * (width + 6)], this.#end);
    this.#kernel.bytes.set(data, this.#picture);
    this.#image = { width, height };
  }

  /** Blends the window around a centre into template and coefficients: `model = (1 - rate) model + rate new`. */
  learn(centreX: number, centreY: number, step: number, rate: number): void {
    const { functions } = this.#kernel;
    const { re, im } = this.#window;
    const [planeRe, planeIm, cells] = [this.#planeRe, this.#planeIm, this.#cells];
    const energy = this.#read(centreX, centreY, step);
    this.#setEnergy(0, 2 * energy);
    functions.autoSpectrum(re, im, cells, planeRe, planeIm);
    this.#kernelSpectra();
    functions.learnCoefficients(planeRe, cells, this.#target, this.#lambda, rate, this.#alpha);
    const bytes = this.#templateBytes;
    functions.blend(re, this.#templateRe, bytes, rate);
    functions.blend(im, this.#templateIm, bytes, rate);
    const energies = functions.energyOf(this.#templateRe, bytes) + functions.energyOf(this.#templateIm, bytes);
    // Parseval: the energy of a spectrum is that of what was transformed, times the number of cells.
    this.#templateEnergy = energies / cells;
  }

  /**
   * The highest response in the windows around a centre, one for each of `steps`; one after the first has to be
   * higher than the best before it even times `rivalWeight`.
   */
  respond(centreX: number, centreY: number, steps: readonly number[], rivalWeight: number): Found {
    const { functions } = this.#kernel;
    const { re, im } = this.#window;
    const [planeRe, planeIm, cells] = [this.#planeRe, this.#planeIm, this.#cells];
    steps.forEach((step, window) => {
      const energy = this.#read(centreX, centreY, step);
      this.#setEnergy(window, energy + this.#templateEnergy);
      const at = [planeRe + 4 * window, planeIm + 4 * window] as const;
      functions.crossSpectrum(re, im, this.#templateRe, this.#templateIm, cells, ...at);
    });
    this.#kernelSpectra();
    functions.respond(planeRe, planeIm, cells, this.#alpha);
    this.#fourier.transform(planeIm, planeRe, WINDOWS);

    const peaks = steps.map((_, window) => this.#highestCell(window));
    let window = 0;
    for (let rival = 1; rival < steps.length; rival++) {
      const height = rivalWeight * this.#response(rival, peaks[rival]);
      if (height > this.#response(window, peaks[window])) window = rival;
    }
    return { window, ...this.#describePeak(window, peaks[window]) };
  }

  #read(centreX: number, centreY: number, step: number): number {
    return this.#window.read(this.#image, this.#picture, this.#blended, centreX, centreY, step);
  }

  #setEnergy(window: number, energy: number): void {
    this.#kernel.floats[this.#energies / 4 + window] = energy;
  }

  /** Turns the cross-spectra in the plane into the spectra of the kernel correlations, less 1. */
  #kernelSpectra(): void {
    const [planeRe, planeIm] = [this.#planeRe, this.#planeIm];
    this.#fourier.transform(planeIm, planeRe, WINDOWS);
    this.#kernel.functions.gaussianOf(planeRe, planeIm, this.#cells, this.#energies, this.#scale);
    this.#fourier.transform(planeRe, planeIm, WINDOWS);
  }

  #response(window: number, cell: number): number {
    return this.#kernel.floats[this.#planeRe / 4 + cell * WINDOWS + window];
  }

  #highestCell(window: number): number {
    const { floats } = this.#kernel;
    const first = this.#planeRe / 4 + window;
    let best = 0;
    let highest = -Infinity;
    for (let cell = 0, at = first; cell < this.#cells; cell++, at += WINDOWS) {
      if (floats[at] > highest) [best, highest] = [cell, floats[at]];
    }
    return best;
  }

  #describePeak(window: number, best: number): Omit<Found, 'window'> {
    const { rows, columns } = this.geometry;
    const { floats } = this.#kernel;
    const first = this.#planeRe / 4 + window;
    const row = Math.floor(best / columns);
    const column = best % columns;
    const peak = this.#response(window, best);
    const at = (r: number, c: number): number =>
      this.#response(window, ((r + rows) % rows) * columns + ((c + columns) % columns));
    const shiftY = (row > rows / 2 ? row - rows : row) + vertex(at(row - 1, column), peak, at(row + 1, column));
    const shiftX =
      (column > columns / 2 ? column - columns : column) + vertex(at(row, column - 1), peak, at(row, column + 1));

    let count = 0;
    let sum = 0;
    let squares = 0;
    for (let r = 0, i = first; r < rows; r++) {
      const dy = Math.abs(r - row);
      const nearRow = Math.min(dy, rows - dy) <= LOBE;
      for (let c = 0; c < columns; c++, i += WINDOWS) {
        const dx = Math.abs(c - column);
        if (nearRow && Math.min(dx, columns - dx) <= LOBE) continue;
        const value = floats[i];
        count++;
        sum += value;
        squares += value * value;
      }
    }
    const average = sum / count;
    const spread = Math.sqrt(Math.max(0, squares / count - average * average));
    return { peak, peakToSidelobe: spread > 0 ? (peak - average) / spread : 0, shiftX, shiftY };
  }
}

/** Where the parabola through three neighbouring values is highest, relative to the middle one, in [-0.5, 0.5]. */
const vertex = (before: number, middle: number, after: number): number => {
  const bend = 2 * middle - before - after;
  return bend > 0 ? clamp((0.5 * (after - before)) / bend, -0.5, 0.5) : 0;
};
