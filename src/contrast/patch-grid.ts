import type { RandomStream } from '../numeric/random.js';
import { tf, type Tensor4D } from '../runtime/tensors.js';

/** How a picture is cut into a grid of patches. All lengths in px. */
export type PatchGrid = {
  /** Cells along one side of the picture; there are `cells^2` patches. */
  readonly cells: number;
  /** Side of a patch. */
  readonly patch: number;
  /** From one cell to the next; below `patch`, patches overlap. @default the side of the picture / `cells`, whole px */
  readonly stride?: number;
  /** A patch lies by 0 to `jitter` px, both ways and each drawn anew, from the upper left corner of its cell. @default 0 */
  readonly jitter?: number;
  /** Draws the jitter; needed only where there is one. */
  readonly random?: RandomStream;
};

const whole = (name: string, value: number, least: number): void => {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(
    `Expected \`${name}\` to be a whole number of at least ${least}, got \`${value}\` (${typeof value})`,
  );
};

/** From one cell to the next, px, on a picture of `side` px. @throws RangeError if the patches of the grid do not fit into it */
export const gridStride = ({ cells, patch, stride, jitter = 0 }: PatchGrid, side: number): number => {
  whole('cells', cells, 1);
  whole('patch', patch, 1);
  whole('jitter', jitter, 0);
  const step = stride ?? Math.floor(side / cells);
  whole('stride', step, 1);
  const needed = (cells - 1) * step + patch + jitter;
  if (needed > side) {
    throw new RangeError(
      `Expected pictures of at least ${needed} px for ${cells} x ${cells} patches of ${patch} px, ${step} px apart, ` +
        `with ${jitter} px of jitter, got ${side} px`,
    );
  }
  return step;
};

/**
 * Cuts square pictures into a grid of patches, as jigsaw puzzles and contrastive predictive coding have it (Noroozi & Favaro 2016,
 * Hénaff 2020). Patches are exact copies of their pixels. `[batch, side, side, channels]` becomes `[batch cells^2, patch, patch,
 * channels]`: picture by picture, its cells row by row. No gradient flows back to the pictures. The caller disposes.
 *
 * @throws RangeError if the patches of the grid do not fit into the pictures, or a jitter has nothing to be drawn from
 */
export function cutGrid(images: Tensor4D, grid: PatchGrid): Tensor4D {
  const [batch, height, width, channels] = images.shape;
  if (height !== width) throw new RangeError(`Expected square pictures, got ${height} x ${width} px`);
  const { cells, patch, jitter = 0, random } = grid;
  const stride = gridStride(grid, height);
  if (jitter > 0 && !random) throw new RangeError('Expected `random` to draw the jitter from, got none');
  const offset = (): number => (jitter > 0 ? random!.integer(jitter + 1) : 0);
  const pixels = images.dataSync();
  const row = patch * channels;
  const patches = new Float32Array(batch * cells * cells * patch * row);
  let to = 0;
  for (let i = 0; i < batch; i++) {
    for (let cell = 0; cell < cells * cells; cell++) {
      const top = Math.floor(cell / cells) * stride + offset();
      const left = (cell % cells) * stride + offset();
      for (let y = top; y < top + patch; y++, to += row) {
        const from = ((i * height + y) * width + left) * channels;
        patches.set(pixels.subarray(from, from + row), to);
      }
    }
  }
  return tf.tensor4d(patches, [batch * cells * cells, patch, patch, channels]);
}
