import { RandomStream } from '../numeric/random.js';
import type { PointList } from './point-list.js';

/** How a homography is found among points of which many may not agree with it. */
export type HomographyOptions = {
  /** Distance in the second image up to which a point agrees, pixels. */
  readonly px: number;
  /** Probability with which a sample of points that all agree is drawn, if the share that agrees is what was found. @default 0.995 */
  readonly confidence?: number;
  /** Most samples. @default 2000 */
  readonly maxSamples?: number;
  /** @default 1 */
  readonly seed?: number;
};

/** Points of a pair of images, moved and scaled so that they lie around 0 at a mean distance of `sqrt 2` (Hartley 1997). */
type Normalised = {
  readonly count: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly u: Float64Array;
  readonly v: Float64Array;
  /** Squared distance up to which a point agrees. */
  readonly limit: number;
};

const SAMPLE = 4;
/** Unknowns: the ninth entry is 1, which homographies between frames of a film never bring near 0 about their centre. */
const UNKNOWNS = 8;
/** Twice the area of a triangle of a sample below which it counts as flat, normalised units squared. */
const FLAT = 1e-3;
/** A sample none of whose points may be used again is drawn anew so often. */
const MAX_DRAWS = 50;
/** Fits of those that agree and looks at which do, after a sample that is the best so far. */
const LOCAL_FITS = 2;
/** Steps of Gauss-Newton on the distances of those that agree. */
const REFINING_STEPS = 4;

/**
 * The homography `H`, `(u, v, 1) ~ H (x, y, 1)`, that most points agree with, row by row, its last entry 1: RANSAC (Fischler & Bolles 1981) that
 * scores by `sum min(distance^2, px^2)` (MSAC, Torr & Zisserman 2000), gives up a sample as soon as it is clearly worse than the best, refits the best on the points that agree before it goes on (Chum, Matas & Kittler 2003), and ends with Gauss-Newton on their
 * distances. The same points give the same homography. Undefined where fewer than four points agree on one.
 */
export const findHomography = (
  from: PointList,
  to: PointList,
  { px, confidence = 0.995, maxSamples = 2000, seed = 1 }: HomographyOptions,
): Float64Array | undefined => {
  const count = from.x.length;
  if (count < SAMPLE) return undefined;
  const first = centreAndScale(from);
  const second = centreAndScale(to);
  if (!(first.scale > 0 && second.scale > 0)) return undefined;
  const random = RandomStream.of(seed, 'homography');
  const points = normalise(from, to, first, second, px, random);
  const best: Best = { h: new Float64Array(9), cost: Infinity, bounds: new Float64Array(Math.ceil(count / BLOCK)) };
  settle(points, best, count * points.limit);
  const sample = new Int32Array(SAMPLE);
  const h = new Float64Array(9);
  let samples = maxSamples;
  for (let i = 0; i < samples; i++) {
    if (!drawSample(points, sample, random)) break;
    if (!throughSample(points, sample, h)) continue;
    const cost = costOf(points, h, best.bounds);
    if (cost >= best.cost) continue;
    best.h.set(h);
    settle(points, best, cost);
    improve(points, best);
    samples = Math.min(samples, samplesNeeded(agreeing(points, best.h) / count, confidence));
  }
  if (best.h[8] === 0 || agreeing(points, best.h) < SAMPLE) return undefined;
  refine(points, best.h);
  return denormalise(best.h, first, second);
};

type Frame = { readonly centreX: number; readonly centreY: number; readonly scale: number };

const centreAndScale = ({ x, y }: PointList): Frame => {
  let centreX = 0;
  let centreY = 0;
  for (let i = 0; i < x.length; i++) {
    centreX += x[i] / x.length;
    centreY += y[i] / x.length;
  }
  let distance = 0;
  for (let i = 0; i < x.length; i++) distance += Math.sqrt((x[i] - centreX) ** 2 + (y[i] - centreY) ** 2);
  return { centreX, centreY, scale: (Math.SQRT2 * x.length) / distance };
};

/** In random order, so that the first points say already what a sample is worth. */
const normalise = (
  from: PointList,
  to: PointList,
  first: Frame,
  second: Frame,
  px: number,
  random: RandomStream,
): Normalised => {
  const count = from.x.length;
  const order = random.shuffle(Int32Array.from({ length: count }, (_, i) => i));
  const [x, y, u, v] = [0, 1, 2, 3].map(() => new Float64Array(count));
  for (let k = 0; k < count; k++) {
    const i = order[k];
    x[k] = (from.x[i] - first.centreX) * first.scale;
    y[k] = (from.y[i] - first.centreY) * first.scale;
    u[k] = (to.x[i] - second.centreX) * second.scale;
    v[k] = (to.y[i] - second.centreY) * second.scale;
  }
  return { count, x, y, u, v, limit: (px * second.scale) ** 2 };
};

/** Four different points, no three of them on a line in either image, and the same way round in both; false where none were found. */
const drawSample = (points: Normalised, sample: Int32Array, random: RandomStream): boolean => {
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    for (let k = 0; k < SAMPLE;) {
      sample[k] = random.integer(points.count);
      let repeated = false;
      for (let other = 0; other < k; other++) repeated ||= sample[other] === sample[k];
      if (!repeated) k++;
    }
    if (isUsable(points, sample)) return true;
  }
  return false;
};

const isUsable = (points: Normalised, sample: Int32Array): boolean =>
  keepsTurn(points, sample[0], sample[1], sample[2]) &&
  keepsTurn(points, sample[0], sample[1], sample[3]) &&
  keepsTurn(points, sample[0], sample[2], sample[3]) &&
  keepsTurn(points, sample[1], sample[2], sample[3]);

/** Twice the area of a triangle, with the sign of its direction. */
const areaOf = (x: Float64Array, y: Float64Array, a: number, b: number, c: number): number =>
  (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]);

const keepsTurn = ({ x, y, u, v }: Normalised, a: number, b: number, c: number): boolean => {
  const first = areaOf(x, y, a, b, c);
  const second = areaOf(u, v, a, b, c);
  return Math.abs(first) > FLAT && Math.abs(second) > FLAT && first > 0 === second > 0;
};

/** The homography through four points: that of a projective basis to the second points after the inverse of that to the first. */
const throughSample = (points: Normalised, sample: Int32Array, h: Float64Array): boolean => {
  const { x, y, u, v } = points;
  const a = sample[0];
  const b = sample[1];
  const c = sample[2];
  const d = sample[3];
  // Barycentric coordinates of the fourth point in both: their ratios are the scales of the columns.
  const scaleA = areaOf(u, v, d, b, c) / areaOf(x, y, d, b, c);
  const scaleB = areaOf(u, v, a, d, c) / areaOf(x, y, a, d, c);
  const scaleC = areaOf(u, v, a, b, d) / areaOf(x, y, a, b, d);
  // Rows of the inverse of the first basis, but for its determinant.
  const ax = scaleA * (y[b] - y[c]);
  const ay = scaleA * (x[c] - x[b]);
  const a1 = scaleA * (x[b] * y[c] - x[c] * y[b]);
  const bx = scaleB * (y[c] - y[a]);
  const by = scaleB * (x[a] - x[c]);
  const b1 = scaleB * (x[c] * y[a] - x[a] * y[c]);
  const cx = scaleC * (y[a] - y[b]);
  const cy = scaleC * (x[b] - x[a]);
  const c1 = scaleC * (x[a] * y[b] - x[b] * y[a]);
  const last = a1 + b1 + c1;
  if (!(Math.abs(last) > 1e-9)) return false;
  const share = 1 / last;
  h[0] = (u[a] * ax + u[b] * bx + u[c] * cx) * share;
  h[1] = (u[a] * ay + u[b] * by + u[c] * cy) * share;
  h[2] = (u[a] * a1 + u[b] * b1 + u[c] * c1) * share;
  h[3] = (v[a] * ax + v[b] * bx + v[c] * cx) * share;
  h[4] = (v[a] * ay + v[b] * by + v[c] * cy) * share;
  h[5] = (v[a] * a1 + v[b] * b1 + v[c] * c1) * share;
  h[6] = (ax + bx + cx) * share;
  h[7] = (ay + by + cy) * share;
  h[8] = 1;
  return true;
};

/** Points after which a sample is looked at whether it can still be the best. */
const BLOCK = 32;
/** Standard deviations by which it must be worse on the points so far. */
const CLEARLY = 3;

/** The best homography so far, its cost, and what another may cost at most after each block of points. */
type Best = { h: Float64Array; cost: number; bounds: Float64Array };

/** The bounds: the best's share of cost, and the spread of a sum of so many costs of which each is 0 or the limit. */
const settle = ({ count, limit }: Normalised, best: Best, cost: number): void => {
  best.cost = cost;
  best.bounds.forEach((_, k) => {
    const seen = Math.min(count, (k + 1) * BLOCK);
    best.bounds[k] = Math.min(cost, (cost * seen) / count + CLEARLY * 0.5 * limit * Math.sqrt(seen));
  });
};

/** `sum min(distance^2, limit)`; Infinity where it is beyond the bounds. */
const costOf = ({ count, x, y, u, v, limit }: Normalised, h: Float64Array, bounds?: Float64Array): number => {
  let cost = 0;
  for (let i = 0, block = 0; i < count; block++) {
    for (const end = Math.min(count, i + BLOCK); i < end; i++) {
      const share = 1 / (h[6] * x[i] + h[7] * y[i] + 1);
      const dx = (h[0] * x[i] + h[1] * y[i] + h[2]) * share - u[i];
      const dy = (h[3] * x[i] + h[4] * y[i] + h[5]) * share - v[i];
      const square = dx * dx + dy * dy;
      cost += square < limit && share > 0 ? square : limit;
    }
    if (bounds !== undefined && cost > bounds[block]) return Infinity;
  }
  return cost;
};

const agrees = ({ x, y, u, v, limit }: Normalised, h: Float64Array, i: number): boolean => {
  const share = 1 / (h[6] * x[i] + h[7] * y[i] + 1);
  const dx = (h[0] * x[i] + h[1] * y[i] + h[2]) * share - u[i];
  const dy = (h[3] * x[i] + h[4] * y[i] + h[5]) * share - v[i];
  return share > 0 && dx * dx + dy * dy <= limit;
};

const agreeing = (points: Normalised, h: Float64Array): number => {
  let count = 0;
  for (let i = 0; i < points.count; i++) if (agrees(points, h, i)) count++;
  return count;
};

/** Samples until one of only points that agree was drawn with the given probability. */
const samplesNeeded = (share: number, confidence: number): number =>
  share > 0 ? Math.ceil(Math.log1p(-confidence) / Math.log1p(-(share ** SAMPLE))) : Infinity;

/** Fits those that agree, as long as that makes it better. */
const improve = (points: Normalised, best: Best): void => {
  for (let fit = 0; fit < LOCAL_FITS; fit++) {
    const h = best.h.slice();
    if (!stepTowards(points, best.h, h)) return;
    const cost = costOf(points, h);
    if (cost >= best.cost) return;
    best.h.set(h);
    settle(points, best, cost);
  }
};

/** Gauss-Newton on the distances of those that agree with `h`, which is taken anew at each step. */
const refine = (points: Normalised, h: Float64Array): void => {
  let cost = costOf(points, h);
  for (let step = 0; step < REFINING_STEPS; step++) {
    const next = h.slice();
    if (!stepTowards(points, h, next)) return;
    const nextCost = costOf(points, next);
    if (!(nextCost < cost)) return;
    h.set(next);
    cost = nextCost;
  }
};

/**
 * One step of Gauss-Newton from `h` on `sum |p' - H p|^2` over the points that agree with it, written to `next`. False where fewer than four
 * agree, or they do not settle it.
 */
const stepTowards = (points: Normalised, h: Float64Array, next: Float64Array): boolean => {
  const equations = new Float64Array(UNKNOWNS * (UNKNOWNS + 1));
  if (sumEquations(points, h, equations) < SAMPLE || !eliminate(equations)) return false;
  for (let k = 0; k < UNKNOWNS; k++) next[k] = h[k] + equations[k * (UNKNOWNS + 1) + UNKNOWNS];
  return true;
};

/**
 * The normal equations `[8, 9]` of that step; returns how many points agree. The slopes of a point's two coordinates are `(g, 0, -u' k)` and
 * `(0, g, -v' k)` with `g = (x, y, 1) / w`, `k = (x, y) / w` and `(u', v')` where `h` takes it.
 */
const sumEquations = ({ count, x, y, u, v, limit }: Normalised, h: Float64Array, equations: Float64Array): number => {
  const width = UNKNOWNS + 1;
  const g = new Float64Array(3);
  let used = 0;
  for (let i = 0; i < count; i++) {
    const share = 1 / (h[6] * x[i] + h[7] * y[i] + 1);
    const mappedX = (h[0] * x[i] + h[1] * y[i] + h[2]) * share;
    const mappedY = (h[3] * x[i] + h[4] * y[i] + h[5]) * share;
    const dx = u[i] - mappedX;
    const dy = v[i] - mappedY;
    if (!(share > 0 && dx * dx + dy * dy <= limit)) continue;
    used++;
    g[0] = x[i] * share;
    g[1] = y[i] * share;
    g[2] = share;
    const square = mappedX * mappedX + mappedY * mappedY;
    for (let row = 0; row < 3; row++) {
      const upper = row * width;
      for (let column = row; column < 3; column++) equations[upper + column] += g[row] * g[column];
      for (let column = 0; column < 2; column++) {
        const product = g[row] * g[column];
        equations[upper + 6 + column] -= mappedX * product;
        equations[upper + 3 * width + 6 + column] -= mappedY * product;
        if (row < 2) equations[(6 + row) * width + 6 + column] += square * product;
      }
      equations[upper + UNKNOWNS] += g[row] * dx;
      equations[upper + 3 * width + UNKNOWNS] += g[row] * dy;
      if (row < 2) equations[(6 + row) * width + UNKNOWNS] -= g[row] * (mappedX * dx + mappedY * dy);
    }
  }
  // The block of the first coordinate is that of the second, and the matrix is symmetric.
  for (let row = 0; row < 3; row++) {
    for (let column = row; column < 3; column++) {
      equations[(3 + row) * width + 3 + column] = equations[row * width + column];
    }
  }
  for (let row = 0; row < UNKNOWNS; row++) {
    for (let column = 0; column < row; column++) equations[row * width + column] = equations[column * width + row];
  }
  return used;
};

/** Solves eight equations `[8, 9]` by Gauss-Jordan elimination with pivoting; the solution is left in the last column. False where there is none. */
const eliminate = (rows: Float64Array): boolean => {
  const width = UNKNOWNS + 1;
  for (let k = 0; k < UNKNOWNS; k++) {
    let pivot = k;
    for (let i = k + 1; i < UNKNOWNS; i++) {
      if (Math.abs(rows[i * width + k]) > Math.abs(rows[pivot * width + k])) pivot = i;
    }
    const largest = rows[pivot * width + k];
    if (!(Math.abs(largest) > 1e-10)) return false;
    for (let j = k; j < width; j++) {
      const kept = rows[k * width + j];
      rows[k * width + j] = rows[pivot * width + j] / largest;
      if (pivot !== k) rows[pivot * width + j] = kept;
    }
    for (let i = 0; i < UNKNOWNS; i++) {
      const factor = rows[i * width + k];
      if (i === k || factor === 0) continue;
      for (let j = k; j < width; j++) rows[i * width + j] -= factor * rows[k * width + j];
    }
  }
  return true;
};

/** Back into pixels: `T2^-1 H T1`, divided by its last entry; undefined where that is 0. */
const denormalise = (h: Float64Array, first: Frame, second: Frame): Float64Array | undefined => {
  const result = new Float64Array(9);
  for (let row = 0; row < 3; row++) {
    const centre = [second.centreX, second.centreY, 0][row];
    for (let column = 0; column < 3; column++) {
      const bottom = h[6 + column];
      result[3 * row + column] = row === 2 ? bottom : h[3 * row + column] / second.scale + centre * bottom;
    }
    const [a, b] = [result[3 * row] * first.scale, result[3 * row + 1] * first.scale];
    result[3 * row] = a;
    result[3 * row + 1] = b;
    result[3 * row + 2] -= a * first.centreX + b * first.centreY;
  }
  if (!(Math.abs(result[8]) > 1e-12)) return undefined;
  return result.map((value) => value / result[8]);
};
