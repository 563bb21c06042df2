import type { LoadedNormals } from '../../images/rgbd-dataset.js';
import { selectPictures } from '../../images/pixel-cache.js';
import type { SweepSplit } from '../../images/sweep-split.js';
import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import type { Trunk } from '../../network/trunk.js';
import { extractCellFeatures } from '../features/extract.js';
import { fitStandardisation, standardise } from '../standardise.js';
import { poolNormals, type CellNormals } from './cells.js';
import { measureCells, type NormalsOutcome } from './measure-normals.js';
import { addMoments, applyMap, fitRidge, momentsOf, type Moments } from './ridge.js';

/** How normals are read out. */
export type NormalsOptions = {
  /**
   * Spatial layers whose features are used side by side.
   * @default ['conv3', 'conv5']
   */
  readonly layers?: readonly string[];
  /**
   * Strengths of the ridge to choose from, a unit of total weight.
   * @default [10, 3, 1, 0.3, 0.1, 0.03, 0.01]
   */
  readonly strengths?: readonly number[];
  /**
   * Blocks of consecutive training frames among which the strength is chosen.
   * @default 5
   */
  readonly folds?: number;
};

const defaultStrengths: readonly number[] = [10, 3, 1, 0.3, 0.1, 0.03, 0.01];

/**
 * Surface normals from frozen features: ridge regression from the features of a cell to its mean normal, on the grid of the
 * coarsest of the layers; decoded to pixels bilinearly and measured on the valid pixels of the test frames. The strength is
 * chosen on the training frames, by blocks of consecutive ones, as neighbours in a sweep would give each other away.
 */
export const evaluateNormals = (
  trunk: Trunk,
  data: LoadedNormals,
  split: SweepSplit,
  { layers = ['conv3', 'conv5'], strengths = defaultStrengths, folds = 5 }: NormalsOptions = {},
): NormalsOutcome & { readonly l2: number } => {
  const [rows, columns] = gridOf(trunk, layers);
  const cellsOf = (frames: Int32Array): FeatureMatrix =>
    extractCellFeatures(trunk, selectPictures(data.colour, frames), layers, rows, columns);
  const raw = cellsOf(split.train);
  const scaling = fitStandardisation(raw);
  const train = standardise(raw, scaling);
  const targets = poolNormals(data, split.train, rows, columns);
  const { map, l2 } = fitCells(train, targets, strengths, folds);
  const cells = applyMap(map, standardise(cellsOf(split.test), scaling));
  return { ...measureCells(normaliseTriples(cells), data, split, rows, columns), l2 };
};

/**
 * The control without an image: every test frame gets the mean normal that the training frames have in each cell. What a
 * network adds is what it gains over this.
 */
export const evaluateMeanNormals = (
  data: LoadedNormals,
  split: SweepSplit,
  rows: number,
  columns: number,
): NormalsOutcome => {
  const { normals, weight } = poolNormals(data, split.train, rows, columns);
  const perFrame = rows * columns;
  const mean = new Float64Array(perFrame * 3);
  for (let i = 0; i < weight.length; i++) {
    for (let c = 0; c < 3; c++) mean[(i % perFrame) * 3 + c]! += weight[i]! * normals[i * 3 + c]!;
  }
  const cells = new Float64Array(split.test.length * perFrame * 3);
  for (let frame = 0; frame < split.test.length; frame++) cells.set(normaliseTriples(mean), frame * perFrame * 3);
  return measureCells(cells, data, split, rows, columns);
};

/** Rows and columns of the coarsest of the layers: the grid on which their features meet. */
export const gridOf = (trunk: Trunk, layers: readonly string[]): readonly [rows: number, columns: number] => {
  const sizes = layers.map((name) => {
    const layer = trunk.layers.find((candidate) => candidate.name === name);
    if (layer?.height === undefined || layer.width === undefined) {
      const spatial = trunk.layers.filter(({ height }) => height !== undefined).map((candidate) => candidate.name);
      throw new RangeError(`Expected a spatial layer of ${spatial.join(', ')}, got \`${name}\``);
    }
    return [layer.height, layer.width] as const;
  });
  if (sizes.length === 0) throw new RangeError('Expected at least one layer, got none');
  return [Math.min(...sizes.map(([height]) => height)), Math.min(...sizes.map(([, width]) => width))];
};

const fitCells = (
  features: FeatureMatrix,
  { images, normals, weight, rows, columns }: CellNormals,
  strengths: readonly number[],
  folds: number,
): { map: ReturnType<typeof fitRidge>; l2: number } => {
  const count = Math.min(folds, images);
  if (!(count >= 2))
    throw new RangeError(`Expected at least 2 folds and 2 training frames, got ${folds} and ${images}`);
  const edge = (fold: number): number => Math.round((fold * images) / count) * rows * columns;
  const blocks = Array.from({ length: count }, (_, fold): Moments =>
    momentsOf(features, normals, weight, edge(fold), edge(fold + 1)),
  );
  let best = { l2: NaN, error: Infinity };
  for (const l2 of strengths) {
    let error = 0;
    for (let fold = 0; fold < count; fold++) {
      const map = fitRidge(addMoments(blocks.filter((_, other) => other !== fold)), l2);
      const predicted = normaliseTriples(applyMap(map, features, edge(fold), edge(fold + 1)));
      for (let i = edge(fold); i < edge(fold + 1); i++) {
        for (let c = 0; c < 3; c++) {
          error += weight[i]! * (predicted[(i - edge(fold)) * 3 + c]! - normals[i * 3 + c]!) ** 2;
        }
      }
    }
    if (error < best.error) best = { l2, error };
  }
  return { map: fitRidge(addMoments(blocks), best.l2), l2: best.l2 };
};

const normaliseTriples = (values: Float64Array): Float64Array => {
  const result = values.slice();
  for (let i = 0; i < result.length; i += 3) {
    const length = Math.hypot(result[i]!, result[i + 1]!, result[i + 2]!);
    if (length > 0) for (let c = 0; c < 3; c++) result[i + c]! /= length;
  }
  return result;
};
