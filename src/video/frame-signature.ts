import type { VideoFrame } from './frame.js';

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

/** Means of a plane over `signatureCells` squared cells, of every second row and column where the plane is large enough: the mean loses nothing by it. */
const cellMeans = (plane: Uint8Array, width: number, height: number): Float32Array => {
  const cells = new Float32Array(signatureCells * signatureCells);
  const skipX = width >= 4 * signatureCells ? 2 : 1;
  const skipY = height >= 4 * signatureCells ? 2 : 1;
  const edges = Int32Array.from({ length: signatureCells + 1 }, (_, i) => Math.floor((i * width) / signatureCells));
  for (let row = 0; row < signatureCells; row++) {
    const top = Math.floor((row * height) / signatureCells);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / signatureCells));
    for (let column = 0; column < signatureCells; column++) {
      const left = edges[column];
      const right = Math.max(left + 1, edges[column + 1]);
      let sum = 0;
      let count = 0;
      for (let y = top; y < bottom; y += skipY) {
        for (let at = y * width + left, end = y * width + right; at < end; at += skipX, count++) sum += plane[at];
      }
      cells[row * signatureCells + column] = sum / count;
    }
  }
  return cells;
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
 * The difference of two signatures at the whole-cell shift (at most 4 cells, a sixth of the frame) that makes luma differ least: a pan moves the picture, a
 * cut replaces it. `level = 0.5 mean|Y - Y'| + 0.25 (mean|U - U'| + mean|V - V'|)` over the cells that overlap.
 */
export const signatureDifference = (a: FrameSignature, b: FrameSignature): SignatureDifference => {
  const n = signatureCells;
  let bestX = 0;
  let bestY = 0;
  let best = Infinity;
  for (let dy = -maxShift; dy <= maxShift; dy++) {
    for (let dx = -maxShift; dx <= maxShift; dx++) {
      let sum = 0;
      for (let row = Math.max(0, -dy); row < Math.min(n, n - dy); row++) {
        for (let column = Math.max(0, -dx), end = Math.min(n, n - dx); column < end; column++) {
          sum += Math.abs(a.y[row * n + column] - b.y[(row + dy) * n + column + dx]);
        }
      }
      // A shift must earn its keep, else noise picks one.
      const value = sum / ((n - Math.abs(dx)) * (n - Math.abs(dy))) + 0.02 * (Math.abs(dx) + Math.abs(dy));
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
