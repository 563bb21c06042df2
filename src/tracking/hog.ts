/** Channels of a cell: 18 signed and 9 unsigned orientations, 4 of texture energy (Felzenszwalb et al. 2010, section 6.2). */
export const HOG_CHANNELS = 31;

/** Complex channels that hold the 31 real ones in pairs (channel 2p as real, 2p + 1 as imaginary part; the 32nd is 0). */
export const HOG_PAIRS = 16;

const SIGNED = 18;
const UNSIGNED = 9;
const TRUNCATION = 0.2;
const TEXTURE_WEIGHT = 0.2357;
/** Keeps the sensor noise of a flat cell (gradients of about a grey level) from being blown up to a full-size feature. */
const NORM_FLOOR = 1e-4;
const TAN_10 = Math.tan(Math.PI / 18);
const TAN_30 = Math.tan(Math.PI / 6);
const TAN_50 = Math.tan((5 * Math.PI) / 18);
const TAN_70 = Math.tan((7 * Math.PI) / 18);

/**
 * Histograms of oriented gradients of one fixed geometry (Felzenszwalb et al. 2010), 31 channels a cell: each pixel votes with
 * its gradient magnitude for the nearest of 18 directions, bilinearly into the four nearest cells; the histograms are divided by
 * the energy of each of the four 2x2 blocks a cell belongs to, truncated at 0.2, and summed. Border cells see their own
 * neighbours repeated. All memory is allocated once.
 */
export class HogExtractor {
  readonly rows: number;
  readonly columns: number;
  readonly cell: number;
  /** Size of the patch `extract` reads: one pixel more on each side than the cells cover, for the gradients. */
  readonly patchWidth: number;
  readonly patchHeight: number;
  readonly #histogram: Float64Array;
  readonly #energy: Float64Array;
  readonly #blocks: Float64Array;
  /** The cell at or left of (above) each pixel, counted in a grid with one spare cell before the first, and its weight. */
  readonly #cellX: Int32Array;
  readonly #weightX: Float64Array;
  readonly #cellY: Int32Array;
  readonly #weightY: Float64Array;

  constructor(rows: number, columns: number, cell: number) {
    this.rows = rows;
    this.columns = columns;
    this.cell = cell;
    this.patchWidth = columns * cell + 2;
    this.patchHeight = rows * cell + 2;
    this.#histogram = new Float64Array((rows + 2) * (columns + 2) * SIGNED);
    this.#energy = new Float64Array(rows * columns);
    this.#blocks = new Float64Array((rows + 1) * (columns + 1));
    [this.#cellX, this.#weightX] = spread(columns, cell);
    [this.#cellY, this.#weightY] = spread(rows, cell);
  }

  /**
   * Features of a grey patch `[patchHeight, patchWidth]`, multiplied by `window` (`[rows, columns]`), in packed pairs into
   * `re` and `im`, each `[rows, columns, 16]`. Returns the sum of squares of all features.
   */
  extract(patch: Float64Array, window: Float64Array, re: Float64Array, im: Float64Array): number {
    this.#vote(patch);
    this.#measureBlocks();
    return this.#normalise(window, re, im);
  }

  #vote(patch: Float64Array): void {
    const histogram = this.#histogram;
    histogram.fill(0);
    const stride = this.patchWidth;
    const width = this.columns * this.cell;
    const height = this.rows * this.cell;
    const cellX = this.#cellX;
    const weightX = this.#weightX;
    const rowStep = (this.columns + 2) * SIGNED;
    for (let y = 0; y < height; y++) {
      const top = this.#cellY[y] * rowStep;
      const wy = this.#weightY[y];
      let at = (y + 1) * stride + 1;
      for (let x = 0; x < width; x++, at++) {
        const gx = patch[at + 1] - patch[at - 1];
        const gy = patch[at + stride] - patch[at - stride];
        const ax = gx < 0 ? -gx : gx;
        const ay = gy < 0 ? -gy : gy;
        // The nearest of the directions 0, 20, 40, 60 and 80 degrees, then mirrored into the right quadrant.
        let bin = ay > TAN_30 * ax ? (ay > TAN_70 * ax ? 4 : ay > TAN_50 * ax ? 3 : 2) : ay > TAN_10 * ax ? 1 : 0;
        if (gx < 0) bin = gy < 0 ? UNSIGNED + bin : UNSIGNED - bin;
        else if (gy < 0 && bin > 0) bin = SIGNED - bin;
        const magnitude = Math.sqrt(gx * gx + gy * gy);
        const wx = weightX[x];
        const upper = magnitude * wy;
        const lower = magnitude - upper;
        const index = top + cellX[x] * SIGNED + bin;
        const upperLeft = upper * wx;
        const lowerLeft = lower * wx;
        histogram[index] += upperLeft;
        histogram[index + SIGNED] += upper - upperLeft;
        histogram[index + rowStep] += lowerLeft;
        histogram[index + rowStep + SIGNED] += lower - lowerLeft;
      }
    }
  }

  /** `blocks[i, j] = 1 / sqrt(energy of the four cells around the corner (i, j))`. */
  #measureBlocks(): void {
    const { rows, columns } = this;
    const histogram = this.#histogram;
    const energy = this.#energy;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const from = ((row + 1) * (columns + 2) + column + 1) * SIGNED;
        let sum = 0;
        for (let o = 0; o < UNSIGNED; o++) {
          const both = histogram[from + o] + histogram[from + o + UNSIGNED];
          sum += both * both;
        }
        energy[row * columns + column] = sum;
      }
    }
    for (let i = 0; i <= rows; i++) {
      const above = Math.max(0, i - 1) * columns;
      const below = Math.min(rows - 1, i) * columns;
      for (let j = 0; j <= columns; j++) {
        const left = Math.max(0, j - 1);
        const right = Math.min(columns - 1, j);
        const sum = energy[above + left] + energy[above + right] + energy[below + left] + energy[below + right];
        this.#blocks[i * (columns + 1) + j] = 1 / Math.sqrt(sum + NORM_FLOOR);
      }
    }
  }

  #normalise(window: Float64Array, re: Float64Array, im: Float64Array): number {
    const { rows, columns } = this;
    const histogram = this.#histogram;
    const blocks = this.#blocks;
    let energy = 0;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const corner = row * (columns + 1) + column;
        const n0 = blocks[corner];
        const n1 = blocks[corner + 1];
        const n2 = blocks[corner + columns + 1];
        const n3 = blocks[corner + columns + 2];
        const from = ((row + 1) * (columns + 2) + column + 1) * SIGNED;
        const to = (row * columns + column) * HOG_PAIRS;
        const weight = window[row * columns + column];
        const half = 0.5 * weight;
        let t0 = 0;
        let t1 = 0;
        let t2 = 0;
        let t3 = 0;
        let sum = 0;
        for (let o = 0; o < SIGNED; o++) {
          const value = histogram[from + o];
          let a = value * n0;
          let b = value * n1;
          let c = value * n2;
          let d = value * n3;
          if (a > TRUNCATION) a = TRUNCATION;
          if (b > TRUNCATION) b = TRUNCATION;
          if (c > TRUNCATION) c = TRUNCATION;
          if (d > TRUNCATION) d = TRUNCATION;
          t0 += a;
          t1 += b;
          t2 += c;
          t3 += d;
          const feature = half * (a + b + c + d);
          sum += feature * feature;
          if ((o & 1) === 0) re[to + (o >> 1)] = feature;
          else im[to + (o >> 1)] = feature;
        }
        for (let o = 0; o < UNSIGNED; o++) {
          const value = histogram[from + o] + histogram[from + o + UNSIGNED];
          let a = value * n0;
          let b = value * n1;
          let c = value * n2;
          let d = value * n3;
          if (a > TRUNCATION) a = TRUNCATION;
          if (b > TRUNCATION) b = TRUNCATION;
          if (c > TRUNCATION) c = TRUNCATION;
          if (d > TRUNCATION) d = TRUNCATION;
          const feature = half * (a + b + c + d);
          sum += feature * feature;
          const channel = SIGNED + o;
          if ((channel & 1) === 0) re[to + (channel >> 1)] = feature;
          else im[to + (channel >> 1)] = feature;
        }
        const texture = TEXTURE_WEIGHT * weight;
        // Channels 27 to 30: the odd one first fills the imaginary half of pair 13.
        im[to + 13] = t0 * texture;
        re[to + 14] = t1 * texture;
        im[to + 14] = t2 * texture;
        re[to + 15] = t3 * texture;
        im[to + 15] = 0;
        energy += sum + (t0 * t0 + t1 * t1 + t2 * t2 + t3 * t3) * texture * texture;
      }
    }
    return energy;
  }
}

const spread = (cells: number, cell: number): [Int32Array, Float64Array] => {
  const index = new Int32Array(cells * cell);
  const weight = new Float64Array(cells * cell);
  for (let pixel = 0; pixel < cells * cell; pixel++) {
    const position = (pixel + 0.5) / cell - 0.5;
    const before = Math.floor(position);
    index[pixel] = before + 1;
    weight[pixel] = 1 - (position - before);
  }
  return [index, weight];
};
