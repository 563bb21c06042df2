import type { Box } from '../numeric/box.js';
import { FourierPlan2 } from '../numeric/fft2.js';
import type { GreyImage } from './grey-image.js';
import { HOG_CHANNELS, HOG_PAIRS, HogExtractor } from './hog.js';
import { hannWindow, kcfGeometry, targetResponse, type KcfGeometry } from './kcf-geometry.js';
import { PatchSampler } from './sample-patch.js';

/** Constants of the tracker. The defaults are those of the authors' C++ port for HOG features, but for a smaller search window. */
export type KcfOptions = {
  /** Search window over box, each side. The authors have 2.5; with 2 still background pulls less (mean overlap on the tracking set 0.81 for 0.77). @default 2 */
  readonly padding?: number;
  /** Longer side of the search window in template pixels. The authors have 96 for a padding of 2.5. @default 80 */
  readonly templatePx?: number;
  /** Side of a HOG cell, template pixels. @default 4 */
  readonly cell?: number;
  /** Standard deviation of the target response over the box's side. @default 0.125 */
  readonly bandwidthFactor?: number;
  /** Ridge regularisation. @default 1e-4 */
  readonly lambda?: number;
  /** Width of the Gaussian kernel. @default 0.6 */
  readonly sigma?: number;
  /** Share of the newest frame in template and coefficients. @default 0.012 */
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
 * a cell by a parabola. The size is tried one step smaller and one larger. Template and coefficients are blended each frame.
 *
 * One object follows one target at a time and may be started again; memory is kept while the geometry stays the same, and an
 * update allocates nothing but its result.
 */
export class KcfTracker {
  readonly #options: Required<KcfOptions>;
  #filter: Filter | undefined;
  #centreX = 0;
  #centreY = 0;
  #width = 0;
  #height = 0;
  #scale = 1;

  constructor(options: KcfOptions = {}) {
    this.#options = { ...kcfDefaults, ...options };
    for (const [name, value] of Object.entries(this.#options)) {
      const [low, text] =
        name === 'padding' || name === 'scaleStep' ? [1, 'of at least 1'] : [Number.MIN_VALUE, 'above 0'];
      if (typeof value !== 'number' || !(value >= low) || !Number.isFinite(value)) {
        throw new TypeError(`Expected \`${name}\` to be a number ${text}, got \`${String(value)}\` (${typeof value})`);
      }
    }
  }

  /** Learns the target `box` of `image`; from here `update` follows it. */
  start(image: GreyImage, box: Box): void {
    if (!(box.width > 0 && box.height > 0)) {
      throw new RangeError(`Expected \`box\` to have a size above 0, got \`${box.width} x ${box.height}\``);
    }
    const geometry = kcfGeometry(box.width, box.height, this.#options);
    if (this.#filter === undefined || !this.#filter.fits(geometry)) this.#filter = new Filter(geometry, this.#options);
    this.#filter.geometry = geometry;
    this.#width = box.width;
    this.#height = box.height;
    this.#centreX = box.x + box.width / 2;
    this.#centreY = box.y + box.height / 2;
    this.#scale = 1;
    this.#filter.learn(image, this.#centreX, this.#centreY, geometry.step, 1);
  }

  /** Finds the target in the next image, and learns how it looks there. */
  update(image: GreyImage): KcfUpdate {
    const filter = this.#filter;
    if (filter === undefined) throw new Error('Expected `start` to be called before `update`');
    const { scaleStep, scaleWeight, rate, cell } = this.#options;
    const { step } = filter.geometry;

    filter.respond(image, this.#centreX, this.#centreY, step * this.#scale);
    let { peak, peakToSidelobe, shiftX, shiftY } = filter;
    let scale = this.#scale;
    if (scaleStep > 1) {
      for (const rival of [this.#scale / scaleStep, this.#scale * scaleStep]) {
        if (rival > MAX_SCALE_CHANGE || rival < 1 / MAX_SCALE_CHANGE) continue;
        filter.respond(image, this.#centreX, this.#centreY, step * rival);
        if (filter.peak * scaleWeight > peak) {
          ({ peak, peakToSidelobe, shiftX, shiftY } = filter);
          scale = rival;
        }
      }
    }
    this.#scale = scale;
    // A centre outside the image would see nothing but its repeated edge.
    this.#centreX = clamp(this.#centreX + shiftX * cell * step * scale, 0, image.width);
    this.#centreY = clamp(this.#centreY + shiftY * cell * step * scale, 0, image.height);
    filter.learn(image, this.#centreX, this.#centreY, step * scale, rate);
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

/** Template, coefficients and work space of one geometry; everything spectral is in packed pairs `[rows, columns, 16]`. */
class Filter {
  geometry: KcfGeometry;
  peak = 0;
  peakToSidelobe = 0;
  /** Displacement of the peak, cells. */
  shiftX = 0;
  shiftY = 0;

  readonly #lambda: number;
  readonly #sigma: number;
  readonly #sampler: PatchSampler;
  readonly #hog: HogExtractor;
  readonly #window: Float64Array;
  readonly #features: FourierPlan2;
  readonly #plane: FourierPlan2;
  /** Spectrum of the target response; real, because the response is even. */
  readonly #target: Float64Array;
  readonly #templateRe: Float64Array;
  readonly #templateIm: Float64Array;
  readonly #newRe: Float64Array;
  readonly #newIm: Float64Array;
  readonly #planeRe: Float64Array;
  readonly #planeIm: Float64Array;
  /** Real as well: an autocorrelation is even. */
  readonly #alpha: Float64Array;
  #templateEnergy = 0;

  constructor(geometry: KcfGeometry, options: Required<KcfOptions>) {
    const { rows, columns } = geometry;
    this.geometry = geometry;
    this.#lambda = options.lambda;
    this.#sigma = options.sigma;
    this.#hog = new HogExtractor(rows, columns, options.cell);
    this.#sampler = new PatchSampler(this.#hog.patchWidth, this.#hog.patchHeight);
    this.#window = hannWindow(rows, columns);
    this.#features = new FourierPlan2(rows, columns, HOG_PAIRS);
    this.#plane = new FourierPlan2(rows, columns, 1);
    const cells = rows * columns;
    this.#target = targetResponse(rows, columns, geometry.bandwidth);
    this.#planeRe = new Float64Array(cells);
    this.#planeIm = new Float64Array(cells);
    this.#plane.forward(this.#target, this.#planeIm);
    this.#alpha = new Float64Array(cells);
    this.#templateRe = new Float64Array(cells * HOG_PAIRS);
    this.#templateIm = new Float64Array(cells * HOG_PAIRS);
    this.#newRe = new Float64Array(cells * HOG_PAIRS);
    this.#newIm = new Float64Array(cells * HOG_PAIRS);
  }

  /** Whether the memory serves another box: same cells, same target response; the step may differ. */
  fits({ rows, columns, bandwidth }: KcfGeometry): boolean {
    const own = this.geometry;
    return own.rows === rows && own.columns === columns && own.bandwidth === bandwidth;
  }

  /** Blends the window around a centre into template and coefficients: `model = (1 - rate) model + rate new`. */
  learn(image: GreyImage, centreX: number, centreY: number, step: number, rate: number): void {
    const energy = this.#transform(image, centreX, centreY, step);
    const newRe = this.#newRe;
    const newIm = this.#newIm;
    const planeRe = this.#planeRe;
    const planeIm = this.#planeIm;
    const cells = planeRe.length;
    for (let i = 0, at = 0; i < cells; i++) {
      let sum = 0;
      for (const end = at + HOG_PAIRS; at < end; at++) sum += newRe[at] * newRe[at] + newIm[at] * newIm[at];
      planeRe[i] = sum;
      planeIm[i] = 0;
    }
    this.#kernel(2 * energy);
    const alpha = this.#alpha;
    const keep = 1 - rate;
    for (let i = 0; i < cells; i++) {
      alpha[i] = keep * alpha[i] + (rate * this.#target[i]) / (planeRe[i] + this.#lambda);
    }
    const re = this.#templateRe;
    const im = this.#templateIm;
    let total = 0;
    for (let i = 0; i < re.length; i++) {
      const a = keep * re[i] + rate * newRe[i];
      const b = keep * im[i] + rate * newIm[i];
      re[i] = a;
      im[i] = b;
      total += a * a + b * b;
    }
    this.#templateEnergy = total / cells;
  }

  /** Correlates the window around a centre with the template; leaves `peak`, `peakToSidelobe`, `shiftX` and `shiftY`. */
  respond(image: GreyImage, centreX: number, centreY: number, step: number): void {
    const energy = this.#transform(image, centreX, centreY, step);
    const newRe = this.#newRe;
    const newIm = this.#newIm;
    const re = this.#templateRe;
    const im = this.#templateIm;
    const planeRe = this.#planeRe;
    const planeIm = this.#planeIm;
    const cells = planeRe.length;
    for (let i = 0, at = 0; i < cells; i++) {
      let sumRe = 0;
      let sumIm = 0;
      for (const end = at + HOG_PAIRS; at < end; at++) {
        sumRe += newRe[at] * re[at] + newIm[at] * im[at];
        sumIm += newIm[at] * re[at] - newRe[at] * im[at];
      }
      planeRe[i] = sumRe;
      planeIm[i] = sumIm;
    }
    this.#kernel(energy + this.#templateEnergy);
    const alpha = this.#alpha;
    for (let i = 0; i < cells; i++) {
      planeRe[i] *= alpha[i];
      planeIm[i] *= alpha[i];
    }
    this.#plane.inverse(planeRe, planeIm);
    this.#findPeak();
  }

  /** Features of a window, transformed, in `newRe` and `newIm`; returns their energy in the image domain. */
  #transform(image: GreyImage, centreX: number, centreY: number, step: number): number {
    this.#sampler.read(image, centreX, centreY, step);
    const energy = this.#hog.extract(this.#sampler.patch, this.#window, this.#newRe, this.#newIm);
    this.#features.forward(this.#newRe, this.#newIm);
    return energy;
  }

  /** Turns the cross-spectrum in the plane into the spectrum of the kernel correlation; `energies` = `|x|^2 + |z|^2`. */
  #kernel(energies: number): void {
    const planeRe = this.#planeRe;
    const planeIm = this.#planeIm;
    this.#plane.inverse(planeRe, planeIm);
    const cells = planeRe.length;
    const size = cells * HOG_CHANNELS;
    const scale = -1 / (this.#sigma * this.#sigma);
    for (let i = 0; i < cells; i++) {
      planeRe[i] = Math.exp(scale * Math.max(0, (energies - 2 * planeRe[i]) / size));
      planeIm[i] = 0;
    }
    this.#plane.forward(planeRe, planeIm);
  }

  #findPeak(): void {
    const response = this.#planeRe;
    const { rows, columns } = this.geometry;
    let best = 0;
    for (let i = 1; i < response.length; i++) if (response[i] > response[best]) best = i;
    const row = Math.floor(best / columns);
    const column = best % columns;
    this.peak = response[best];
    const up = response[((row + rows - 1) % rows) * columns + column];
    const down = response[((row + 1) % rows) * columns + column];
    const left = response[row * columns + ((column + columns - 1) % columns)];
    const right = response[row * columns + ((column + 1) % columns)];
    this.shiftY = (row > rows / 2 ? row - rows : row) + vertex(up, this.peak, down);
    this.shiftX = (column > columns / 2 ? column - columns : column) + vertex(left, this.peak, right);

    let count = 0;
    let sum = 0;
    let squares = 0;
    for (let r = 0; r < rows; r++) {
      const dy = Math.abs(r - row);
      const nearRow = Math.min(dy, rows - dy) <= LOBE;
      for (let c = 0; c < columns; c++) {
        const dx = Math.abs(c - column);
        if (nearRow && Math.min(dx, columns - dx) <= LOBE) continue;
        const value = response[r * columns + c];
        count++;
        sum += value;
        squares += value * value;
      }
    }
    const average = sum / count;
    const spread = Math.sqrt(Math.max(0, squares / count - average * average));
    this.peakToSidelobe = spread > 0 ? (this.peak - average) / spread : 0;
  }
}

/** Where the parabola through three neighbouring values is highest, relative to the middle one, in [-0.5, 0.5]. */
const vertex = (before: number, middle: number, after: number): number => {
  const bend = 2 * middle - before - after;
  return bend > 0 ? clamp((0.5 * (after - before)) / bend, -0.5, 0.5) : 0;
};
