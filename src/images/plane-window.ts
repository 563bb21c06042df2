/** Slopes along x and y, and the value at the window's centre: `w = a x + b y + c`. */
export type WindowPlane = readonly [a: number, b: number, c: number];

/** Sums over samples: n, x, y, w, xx, xy, yy, xw, yw, ww. */
const sumCount = 10;

/** Parts of the window, by the sign of a sample's column and row: a candidate plane is fitted to each union of blocks. */
const candidateBlocks: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8],
  [0, 1, 3, 4, 6, 7], // left half, with the middle column
  [1, 2, 4, 5, 7, 8],
  [0, 1, 2, 3, 4, 5], // upper half, with the middle row
  [3, 4, 5, 6, 7, 8],
  [0, 1, 3, 4], // the quarters
  [1, 2, 4, 5],
  [3, 4, 6, 7],
  [4, 5, 7, 8],
];

/** Relative error of a measured inverse depth that no fit is blamed for: quantisation to mm at 0.5 m. */
const leastError = 0.0005;
/** Samples that are off by more than this many standard deviations count for nothing. */
const cutOff = 4;
/** The quietest of several parts looks quieter than the sensor is. */
const quietestPart = 1.3;
const rounds = 5;

/**
 * The points of one window and their robust plane. Buffers are kept from window to window.
 *
 * Least squares over a whole window bends round every edge and crease, and iterations that start from it stay bent. So planes
 * are first fitted to nine parts of the window that all hold its centre (the whole, the halves, the quarters: one of them
 * nearly always lies on one surface), at the cost of sums alone. The quietest of their residuals says how noisy the sensor is
 * here (and no less than the sensor's error elsewhere); the candidate with the least truncated cost over the whole window is the start of a few rounds of reweighted least
 * squares with Tukey's biweight, `(1 - (e / (4 s))^2)^2`, which take in whatever else of the window lies on that surface.
 */
export class PlaneWindow {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #w: Float64Array;
  readonly #sizes: Float64Array;
  readonly #blocks = new Float64Array(9 * sumCount);
  readonly #sums = new Float64Array(sumCount);
  #count = 0;
  #centre = 0;

  #noise = 0;

  /** @param reach samples from the centre to each side */
  constructor(reach: number) {
    const capacity = (2 * reach + 1) ** 2;
    this.#x = new Float64Array(capacity);
    this.#y = new Float64Array(capacity);
    this.#w = new Float64Array(capacity);
    this.#sizes = new Float64Array(capacity);
  }

  /** Empties the window; `centre` is the inverse depth measured at its centre. */
  begin(centre: number): void {
    this.#count = 0;
    this.#centre = centre;
    this.#blocks.fill(0);
  }

  /** Adds the sample at column and row `(i, j)` from the centre: its ray `(x, y)` from the centre's, its inverse depth `w`. */
  add(i: number, j: number, x: number, y: number, w: number): void {
    this.#x[this.#count] = x;
    this.#y[this.#count] = y;
    // About the centre, so that the sums of squares keep their digits.
    const value = (this.#w[this.#count] = w - this.#centre);
    this.#count++;
    accumulate(this.#blocks, ((Math.sign(j) + 1) * 3 + Math.sign(i) + 1) * sumCount, x, y, value, 1);
  }

  /** Sets the error of inverse depth, as a standard deviation, that the sensor has anywhere; windows can only be noisier. */
  expectNoise(noise: number): void {
    this.#noise = noise;
  }

  /**
   * How noisy the samples of the window's main surface are: the least median of the residuals' sizes about any of the candidate
   * planes, as a standard deviation (1.4826 of it). Infinity where there are too few samples.
   */
  noise(): number {
    let least = Infinity;
    if (this.#count < 9) return least;
    const sizes = this.#sizes.subarray(0, this.#count);
    for (const [a, b, c] of this.#candidates().planes) {
      for (let i = 0; i < sizes.length; i++) {
        sizes[i] = Math.abs(a * this.#x[i]! + b * this.#y[i]! + c - this.#w[i]!);
      }
      least = Math.min(least, 1.4826 * sizes.sort()[sizes.length >> 1]!);
    }
    return least;
  }

  /** The plane, or nothing where samples of less than the weight `least` lie on it, or the centre does not. */
  fit(least: number): WindowPlane | undefined {
    const whole = this.#oneSurface(least);
    if (whole) return whole;
    const { planes, noise: quietest } = this.#candidates();
    if (quietest === Infinity) return undefined;
    const noise = Math.max(quietestPart * quietest, this.#noise, leastError * this.#centre);
    let best: WindowPlane | undefined;
    let bestCost = Infinity;
    for (const plane of planes) {
      const cost = this.#cost(plane, cutOff * noise);
      if (cost < bestCost) [best, bestCost] = [plane, cost];
    }
    return best && this.#refine(best, cutOff * noise, least);
  }

  /** The plane of the whole window where its residuals are the sensor's own: most windows see one surface. */
  #oneSurface(least: number): WindowPlane | undefined {
    const sums = this.#sumOf(candidateBlocks[0]!);
    if (sums[0]! < Math.max(least, 9)) return undefined;
    const plane = solve(sums);
    const noise = Math.max(quietestPart * this.#noise, leastError * this.#centre);
    if (!plane || residual(sums, plane) > noise || Math.abs(plane[2]) > cutOff * noise) return undefined;
    return [plane[0], plane[1], plane[2] + this.#centre];
  }

  #sumOf(blocks: readonly number[]): Float64Array {
    const sums = this.#sums.fill(0);
    for (const block of blocks) for (let k = 0; k < sumCount; k++) sums[k]! += this.#blocks[block * sumCount + k]!;
    return sums;
  }

  #candidates(): { readonly planes: WindowPlane[]; readonly noise: number } {
    const planes: WindowPlane[] = [];
    let noise = Infinity;
    for (const blocks of candidateBlocks) {
      const sums = this.#sumOf(blocks);
      const plane = solve(sums);
      if (!plane) continue;
      planes.push(plane);
      if (sums[0]! >= 9) noise = Math.min(noise, residual(sums, plane));
    }
    return { planes, noise };
  }

  #refine(start: WindowPlane, firstLimit: number, least: number): WindowPlane | undefined {
    let plane = start;
    let limit = firstLimit;
    const lowest = cutOff * Math.max(this.#noise, leastError * this.#centre);
    for (let round = 0; round < rounds; round++) {
      const sums = this.#sums.fill(0);
      const [a, b, c] = plane;
      for (let i = 0; i < this.#count; i++) {
        const x = this.#x[i]!;
        const y = this.#y[i]!;
        const w = this.#w[i]!;
        const e = (a * x + b * y + c - w) / limit;
        if (e * e >= 1) continue;
        accumulate(sums, 0, x, y, w, (1 - e * e) ** 2);
      }
      const next = solve(sums);
      if (!next || (round === rounds - 1 && sums[0]! < least)) return undefined;
      plane = next;
      // Strays that lie in every part of the window made it look noisy: what is left without them says how noisy it is.
      limit = Math.max(lowest, Math.min(limit, cutOff * quietestPart * residual(sums, plane)));
    }
    return Math.abs(plane[2]) <= limit ? [plane[0], plane[1], plane[2] + this.#centre] : undefined;
  }

  /** `sum min(e^2, limit^2)`, in units of the limit. */
  #cost([a, b, c]: WindowPlane, limit: number): number {
    let cost = 0;
    for (let i = 0; i < this.#count; i++) {
      const e = (a * this.#x[i]! + b * this.#y[i]! + c - this.#w[i]!) / limit;
      cost += Math.min(1, e * e);
    }
    return cost;
  }
}

const accumulate = (sums: Float64Array, at: number, x: number, y: number, w: number, weight: number): void => {
  sums[at]! += weight;
  sums[at + 1]! += weight * x;
  sums[at + 2]! += weight * y;
  sums[at + 3]! += weight * w;
  sums[at + 4]! += weight * x * x;
  sums[at + 5]! += weight * x * y;
  sums[at + 6]! += weight * y * y;
  sums[at + 7]! += weight * x * w;
  sums[at + 8]! += weight * y * w;
  sums[at + 9]! += weight * w * w;
};

/** Least squares from sums; nothing where the samples lie on a line. */
const solve = (sums: Float64Array): WindowPlane | undefined => {
  const n = sums[0]!;
  const sx = sums[1]!;
  const sy = sums[2]!;
  const sw = sums[3]!;
  const sxx = sums[4]!;
  const sxy = sums[5]!;
  const syy = sums[6]!;
  const sxw = sums[7]!;
  const syw = sums[8]!;
  if (!(n > 0)) return undefined;
  const cxx = sxx - (sx * sx) / n;
  const cxy = sxy - (sx * sy) / n;
  const cyy = syy - (sy * sy) / n;
  const determinant = cxx * cyy - cxy * cxy;
  if (!(determinant > 1e-6 * cxx * cyy)) return undefined;
  const cxw = sxw - (sx * sw) / n;
  const cyw = syw - (sy * sw) / n;
  const a = (cyy * cxw - cxy * cyw) / determinant;
  const b = (cxx * cyw - cxy * cxw) / determinant;
  return [a, b, (sw - a * sx - b * sy) / n];
};

/** Standard deviation of the samples about their least-squares plane, with three degrees of freedom less than samples. */
const residual = (sums: Float64Array, [a, b, c]: WindowPlane): number => {
  const square = sums[9]! - a * sums[7]! - b * sums[8]! - c * sums[3]!;
  return sums[0]! > 3 ? Math.sqrt(Math.max(0, square) / (sums[0]! - 3)) : Infinity;
};
