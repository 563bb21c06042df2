import { nextFastLength } from '../numeric/fft.js';

/**
 * How a box of some size is laid over cells: the search window is `padding` times the box, its longer side is sampled at about
 * `templatePx` pixels, and both sides hold a whole number of cells that the Fourier transform likes.
 */
export type KcfGeometry = {
  /** Cells of the search window. */
  readonly rows: number;
  readonly columns: number;
  /** Image pixels a template pixel, at scale 1. */
  readonly step: number;
  /** Standard deviation of the target response, cells: `sqrt(box area in cells) * 0.125`. */
  readonly bandwidth: number;
};

/** Fewest cells along a side: with fewer the response has no room for a peak and its side lobes. */
const MIN_CELLS = 8;

/** The geometry for a box of `width` x `height` image pixels (Henriques et al. 2015; constants of the authors' C++ port). */
export const kcfGeometry = (
  width: number,
  height: number,
  { padding, templatePx, cell, bandwidthFactor }: KcfGeometryOptions,
): KcfGeometry => {
  const step = (Math.max(width, height) * padding) / templatePx;
  const columns = nextFastLength(Math.max(MIN_CELLS, Math.round((width * padding) / (step * cell))));
  const rows = nextFastLength(Math.max(MIN_CELLS, Math.round((height * padding) / (step * cell))));
  return { rows, columns, step, bandwidth: (Math.sqrt(width * height) / (step * cell)) * bandwidthFactor };
};

/** What `kcfGeometry` depends on beside the box; see `KcfOptions`. */
export type KcfGeometryOptions = {
  readonly padding: number;
  readonly templatePx: number;
  readonly cell: number;
  readonly bandwidthFactor: number;
};

/** The Hann window `[rows, columns]`, which takes the features to zero at the borders of the search window. */
export const hannWindow = (rows: number, columns: number): Float64Array => {
  const hann = (i: number, n: number): number => 0.5 * (1 - Math.cos((2 * Math.PI * (i + 0.5)) / n));
  const window = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      window[row * columns + column] = hann(row, rows) * hann(column, columns);
  }
  return window;
};

/** The wanted response `[rows, columns]`: a Gaussian at no displacement, which is the corner, wrapped around. */
export const targetResponse = (rows: number, columns: number, bandwidth: number): Float64Array => {
  const target = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const dy = row > rows / 2 ? row - rows : row;
    for (let column = 0; column < columns; column++) {
      const dx = column > columns / 2 ? column - columns : column;
      target[row * columns + column] = Math.exp(-(dx * dx + dy * dy) / (2 * bandwidth * bandwidth));
    }
  }
  return target;
};
