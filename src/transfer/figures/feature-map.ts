import { createRaster, fillBox, pasteRaster } from '../../drawing/primitives.js';
import { resizeRaster } from '../../drawing/resize.js';
import { pictureOf, type PixelCache } from '../../images/pixel-cache.js';
import { selectRows, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { RandomStream } from '../../numeric/random.js';
import type { Raster } from '../../numeric/raster.js';
import { unitRows } from '../unit-rows.js';
import { classColour } from './detection-pictures.js';
import { principalComponents } from './principal-components.js';
import { tsne } from './t-sne.js';

/** How a map is made. */
export type FeatureMapOptions = {
  /** Pictures on the map; more are drawn from by seed. @default 400, at most 500 */
  readonly most?: number;
  /** Side of a thumbnail, px. @default 30 */
  readonly thumbnail?: number;
  /** @default 30 */
  readonly perplexity?: number;
  /** @default 1 */
  readonly seed?: number;
};

/** The map, and how many of the pictures have a nearest neighbour of their own class. */
export type FeatureMap = {
  readonly raster: Raster;
  /** Numbers of the pictures shown. */
  readonly shown: readonly number[];
  /**
   * Share of pictures (0 to 1) whose nearest picture in the layout, before it was put on a grid, is of their class, and the share that chance
   * would give. Absent without labels.
   */
  readonly agreement?: { readonly share: number; readonly chance: number };
};

/** Between the pictures: neither glaring on a dark page nor heavy on a light one. */
const ground = [176, 176, 176] as const;

/**
 * Puts points `[n, 2]` on different cells of a square grid of `side` cells: from the middle outwards each takes the free cell that is
 * nearest to where it lies. Returns the cell's number (row by row) of each point. Throws where there are more points than cells.
 */
export const snapToGrid = (points: Float64Array, side: number): number[] => {
  const count = points.length / 2;
  if (count > side * side) throw new RangeError(`Expected at most ${side * side} points, got ${count}`);
  const placed = [0, 1].map((axis) => {
    const values = Array.from({ length: count }, (_, i) => points[2 * i + axis]!);
    const low = Math.min(...values);
    const span = Math.max(...values) - low || 1;
    return values.map((value) => ((value - low) / span) * (side - 1));
  });
  const [x, y] = placed as [number[], number[]];
  const middle = (side - 1) / 2;
  const fromMiddle = (i: number): number => Math.hypot(x[i]! - middle, y[i]! - middle);
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => fromMiddle(a) - fromMiddle(b) || a - b);
  const taken = new Uint8Array(side * side);
  const cells = new Array<number>(count);
  for (const i of order) {
    let [best, nearest] = [-1, Infinity];
    for (let cell = 0; cell < taken.length; cell++) {
      if (taken[cell]) continue;
      const distance = (x[i]! - (cell % side)) ** 2 + (y[i]! - Math.floor(cell / side)) ** 2;
      if (distance < nearest) [best, nearest] = [cell, distance];
    }
    taken[best] = 1;
    cells[i] = best;
  }
  return cells;
};

const agreementOf = (layout: Float64Array, labels: readonly number[]): FeatureMap['agreement'] => {
  const count = labels.length;
  let agreeing = 0;
  for (let i = 0; i < count; i++) {
    let [best, nearest] = [-1, Infinity];
    for (let j = 0; j < count; j++) {
      const distance = (layout[2 * i]! - layout[2 * j]!) ** 2 + (layout[2 * i + 1]! - layout[2 * j + 1]!) ** 2;
      if (j !== i && distance < nearest) [best, nearest] = [j, distance];
    }
    if (labels[best] === labels[i]) agreeing++;
  }
  const sizes = new Map<number, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const pairs = [...sizes.values()].reduce((sum, size) => sum + size * (size - 1), 0);
  return { share: agreeing / count, chance: pairs / (count * (count - 1)) };
};

/**
 * A map of pictures by their features: rows scaled to length 1, the first 50 principal components, t-SNE in two dimensions, and each thumbnail on the free
 * cell of a grid that is nearest to its place, so that none hides another. With `labels`, frames in the colours of the classes.
 * Pictures are chosen by seed where there are more than `most`. The same input gives the same bytes.
 *
 * @param pictures as many as `features` has rows
 * @throws RangeError where numbers of rows, pictures and labels differ, or there are fewer than four
 */
export const featureMap = (
  features: FeatureMatrix,
  pictures: PixelCache,
  labels?: ArrayLike<number>,
  { most = 400, thumbnail = 30, perplexity = 30, seed = 1 }: FeatureMapOptions = {},
): FeatureMap => {
  const { rows } = features;
  if (rows !== pictures.count || (labels !== undefined && labels.length !== rows) || rows < 4) {
    throw new RangeError(
      `Expected as many pictures and labels as rows, and at least 4, got ${rows} rows, ${pictures.count} pictures, ${labels?.length ?? 'no'} labels`,
    );
  }
  const count = Math.min(rows, most, 500);
  const shown = RandomStream.of(seed, 'feature-map')
    .sample(rows, count)
    .sort((a, b) => a - b);
  const components = Math.min(50, features.dim < 2 ? 2 : features.dim);
  // Distances are then those of the cosine that k-NN uses.
  const layout = tsne(principalComponents(unitRows(selectRows(features, shown)), components, seed), count, {
    perplexity,
  });
  // A third of the cells stays free: clusters keep their outlines.
  const side = Math.ceil(Math.sqrt(1.5 * count));
  const cells = snapToGrid(layout, side);
  const own = labels && shown.map((index) => labels[index] as number);
  const pitch = thumbnail + 2;
  const raster = createRaster(side * pitch, side * pitch, ground);
  for (const [i, index] of shown.entries()) {
    const [x, y] = [(cells[i]! % side) * pitch, Math.floor(cells[i]! / side) * pitch];
    const frame = own ? 2 : 0;
    if (own) fillBox(raster, { x: x + 1, y: y + 1, width: thumbnail, height: thumbnail }, classColour(own[i]!));
    const inner = thumbnail - 2 * frame;
    pasteRaster(raster, resizeRaster(pictureOf(pictures, index), inner, inner), x + 1 + frame, y + 1 + frame);
  }
  return { raster, shown, ...(own ? { agreement: agreementOf(layout, own)! } : {}) };
};
