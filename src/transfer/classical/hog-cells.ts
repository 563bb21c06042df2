import { HOG_CHANNELS, HOG_PAIRS, HogExtractor } from '../../tracking/hog.js';

/** A map of hand-made features: `[rows, columns, channels]`. */
export type CellMap = {
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  readonly data: Float32Array;
};

/** Values of a cell of {@link hogCells}. */
export const hogChannels = HOG_CHANNELS;

/**
 * Histograms of oriented gradients (Dalal & Triggs 2005, in the variant of Felzenszwalb et al. 2010 that the tracker uses too:
 * 18 directed and 9 undirected orientations and 4 of texture, each cell divided by the energy of its four blocks and truncated
 * at 0.2) of a grey picture `[height, width]`, cell by cell: `floor(height / cell) x floor(width / cell)` cells from the top
 * left; pixels beyond them count for the gradients alone, and the border's are repeated outside.
 */
export const hogCells = (grey: ArrayLike<number>, width: number, height: number, cell = 8): CellMap => {
  const rows = Math.floor(height / cell);
  const columns = Math.floor(width / cell);
  if (grey.length !== width * height || rows < 1 || columns < 1) {
    throw new RangeError(
      `Expected a grey picture of at least ${cell} x ${cell}, got ${grey.length} values for ${width} x ${height}`,
    );
  }
  const hog = new HogExtractor(rows, columns, cell);
  const patch = new Float64Array(hog.patchWidth * hog.patchHeight);
  for (let y = 0, to = 0; y < hog.patchHeight; y++) {
    const row = Math.min(height - 1, Math.max(0, y - 1)) * width;
    for (let x = 0; x < hog.patchWidth; x++, to++) {
      patch[to] = grey[row + Math.min(width - 1, Math.max(0, x - 1))]!;
    }
  }
  const cells = rows * columns;
  const re = new Float64Array(cells * HOG_PAIRS);
  const im = new Float64Array(cells * HOG_PAIRS);
  hog.extract(patch, new Float64Array(cells).fill(1), re, im);
  const data = new Float32Array(cells * hogChannels);
  for (let at = 0; at < cells; at++) {
    for (let c = 0; c < hogChannels; c++) {
      data[at * hogChannels + c] = (c % 2 === 0 ? re : im)[at * HOG_PAIRS + (c >> 1)]!;
    }
  }
  return { rows, columns, channels: hogChannels, data };
};
