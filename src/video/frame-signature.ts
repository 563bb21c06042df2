import type { VideoFrame } from './frame.js';
import { behindPlane, lumaKernel } from './half-luma.js';

/** Cells along each side of a signature. */
export const signatureCells = 24;

/** What a frame looks like from afar: mean luma over 24 x 24 cells, and mean chroma over the same. Values as in the frame, 0 to 255. */
export type FrameSignature = {
  readonly y: Float32Array;
  readonly u: Float32Array;
  readonly v: Float32Array;
  /** Mean and standard deviation of `y`. */
  readonly mean: number;
  readonly contrast: number;
};

/** Where the cells of `length` pixels begin, then where they end: none is empty. */
const cellEdges = (length: number): Int32Array => {
  const edges = new Int32Array(2 * signatureCells);
  for (let i = 0; i < signatureCells; i++) {
    edges[i] = Math.floor((i * length) / signatureCells);
    edges[signatureCells + i] = Math.max(edges[i] + 1, Math.floor(((i + 1) * length) / signatureCells));
  }
  return edges;
};

/** How many pixels of each cell are taken, one way. */
const samplesOf = (edges: Int32Array, skip: number): number[] =>
  Array.from({ length: signatureCells }, (_, i) => Math.ceil((edges[signatureCells + i] - edges[i]) / skip));

/** Means of a plane over `signatureCells` squared cells, of every second row and column where the plane is large enough: the mean loses nothing by it. */
const cellMeans = (plane: Uint8Array, width: number, height: number): Float32Array => {
  const count = signatureCells * signatureCells;
  const skipX = width >= 4 * signatureCells ? 2 : 1;
  const skipY = height >= 4 * signatureCells ? 2 : 1;
  const across = cellEdges(width);
  const down = cellEdges(height);
  const kernel = lumaKernel();
  const lengths = [plane.length + behindPlane, across.byteLength, down.byteLength, 4 * count];
  const [at, atAcross, atDown, atSums] = kernel.place(lengths);
  kernel.bytes.set(plane, at);
  kernel.ints.set(across, atAcross / 4);
  kernel.ints.set(down, atDown / 4);
  kernel.functions.sumCells(at, width, atAcross, atDown, signatureCells, skipX, skipY, atSums);
  const sums = kernel.ints.subarray(atSums / 4, atSums / 4 + count);
  const rows = samplesOf(down, skipY);
  const columns = samplesOf(across, skipX);
  const means = new Float32Array(count);
  for (let i = 0; i < count; i++)
    means[i] = sums[i] / (rows[Math.floor(i / signatureCells)] * columns[i % signatureCells]);
  return means;
};

/** The signature of a frame. */
export const frameSignature = ({ width, height, y, u, v }: VideoFrame): FrameSignature => {
  const luma = cellMeans(y, width, height);
  let sum = 0;
  let squares = 0;
  for (const value of luma) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / luma.length;
  const contrast = Math.sqrt(Math.max(0, squares / luma.length - mean * mean));
  return { y: luma, u: cellMeans(u, width / 2, height / 2), v: cellMeans(v, width / 2, height / 2), mean, contrast };
};

/** How two frames differ once the best shift between them is made up for. */
export type SignatureDifference = {
  /** Mean absolute difference over luma and both chromas (luma counts half), in 8-bit levels. */
  readonly level: number;
  /** Correlation of luma at that shift, -1 to 1: brightness and contrast do not count. 0 where one frame is blank. */
  readonly correlation: number;
};

const maxShift = 4;

/**
 * Mean absolute difference of luma at a shift of whole cells, over the cells that overlap, and 0.02 a cell of shift: a shift must earn its
 * keep, else noise picks one. Where it is above `limit`, any number above that.
 */
const meanShifted = (a: FrameSignature, b: FrameSignature, dx: number, dy: number, limit: number): number => {
  const n = signatureCells;
  const first = Math.max(0, -dx);
  const end = Math.min(n, n - dx);
  const last = Math.min(n, n - dy);
  const cells = (n - Math.abs(dx)) * (n - Math.abs(dy));
  const shift = 0.02 * (Math.abs(dx) + Math.abs(dy));
  let value = shift;
  let sum = 0;
  for (let row = Math.max(0, -dy); row < last && value <= limit; row++) {
    const other = (row + dy) * n + dx;
    for (let column = first; column < end; column++) {
      sum += Math.abs(a.y[row * n + column] - b.y[other + column]);
    }
    value = sum / cells + shift;
  }
  return value;
};

/**
 * The difference of two signatures at the whole-cell shift (at most 4 cells, a sixth of the frame) that makes luma differ least: a pan moves the picture, a
 * cut replaces it. `level = 0.5 mean|Y - Y'| + 0.25 (mean|U - U'| + mean|V - V'|)` over the cells that overlap.
 */
export const signatureDifference = (a: FrameSignature, b: FrameSignature): SignatureDifference => {
  const n = signatureCells;
  let bestX = 0;
  let bestY = 0;
  let best = Infinity;
  // No shift at all is nearly always close to the best: what is above it before all rows are summed needs no more of them.
  const unmoved = meanShifted(a, b, 0, 0, Infinity);
  for (let dy = -maxShift; dy <= maxShift; dy++) {
    for (let dx = -maxShift; dx <= maxShift; dx++) {
      const value = meanShifted(a, b, dx, dy, Math.min(best, unmoved));
      if (value < best) [best, bestX, bestY] = [value, dx, dy];
    }
  }
  let [count, ly, lu, lv, sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let row = Math.max(0, -bestY); row < Math.min(n, n - bestY); row++) {
    for (let column = Math.max(0, -bestX); column < Math.min(n, n - bestX); column++, count++) {
      const i = row * n + column;
      const j = (row + bestY) * n + column + bestX;
      const p = a.y[i];
      const q = b.y[j];
      ly += Math.abs(p - q);
      lu += Math.abs(a.u[i] - b.u[j]);
      lv += Math.abs(a.v[i] - b.v[j]);
      sa += p;
      sb += q;
      saa += p * p;
      sbb += q * q;
      sab += p * q;
    }
  }
  const varianceA = saa / count - (sa / count) ** 2;
  const varianceB = sbb / count - (sb / count) ** 2;
  const blank = varianceA < 4 || varianceB < 4;
  return {
    level: (0.5 * ly + 0.25 * (lu + lv)) / count,
    correlation: blank ? 0 : (sab / count - (sa / count) * (sb / count)) / Math.sqrt(varianceA * varianceB),
  };
};
