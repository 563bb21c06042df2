import type { Box } from '../numeric/box.js';
import type { GreyImage } from './grey-image.js';
import { PatchSampler } from './sample-patch.js';

/** Side of the thumbnail that sharpness is measured on, and of the smaller one that looks are compared by. */
const SIDE = 48;
const CELL = 3;
const CELLS = SIDE / CELL;

/** How a patch looks from afar: `[16, 16]` means of luma, standardised to mean 0 and sum of squares 1 (all 0 where blank), and how sharp it is. */
export type PatchLook = {
  readonly cells: Float32Array;
  /** Variance of the Laplacian of the patch at 48 x 48 pixels, luma levels squared. */
  readonly sharpness: number;
};

/**
 * Looks at the patches of square-like boxes. `image` should have about a pixel or two for each of the 48 samples along the longer side, so
 * that nothing aliases. Keeps its memory from call to call.
 */
export class PatchLooker {
  readonly #sampler = new PatchSampler(SIDE, SIDE);

  /** The look of a box, in pixels of `image`. */
  look(image: GreyImage, box: Box): PatchLook {
    this.#sampler.read(image, box.x + box.width / 2, box.y + box.height / 2, Math.max(box.width, box.height) / SIDE);
    const { patch } = this.#sampler;
    return { cells: standardisedCells(patch), sharpness: laplacianVariance(patch) };
  }
}

/** Correlation of two looks, -1 to 1; 0 where one is blank. */
export const likeness = (a: PatchLook, b: PatchLook): number => {
  let sum = 0;
  for (let i = 0; i < a.cells.length; i++) sum += a.cells[i] * b.cells[i];
  // Rounding may carry equal patches beyond 1, and so beyond a limit that is to let everything pass.
  return Math.min(1, sum);
};

const standardisedCells = (patch: Float64Array): Float32Array => {
  const cells = new Float32Array(CELLS * CELLS);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) cells[Math.floor(y / CELL) * CELLS + Math.floor(x / CELL)] += patch[y * SIDE + x];
  }
  const mean = cells.reduce((sum, value) => sum + value, 0) / cells.length;
  const norm = Math.sqrt(cells.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return cells.map((value) => (norm > 1e-6 ? (value - mean) / norm : 0));
};

/** Variance of `4 p - left - right - above - below` over the inner pixels: low where nothing is in focus. */
const laplacianVariance = (patch: Float64Array): number => {
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < SIDE - 1; y++) {
    for (let x = 1; x < SIDE - 1; x++) {
      const at = y * SIDE + x;
      const value = 4 * patch[at] - patch[at - 1] - patch[at + 1] - patch[at - SIDE] - patch[at + SIDE];
      sum += value;
      squares += value * value;
    }
  }
  const count = (SIDE - 2) ** 2;
  return Math.max(0, squares / count - (sum / count) ** 2);
};
