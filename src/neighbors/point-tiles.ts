import { takeValues } from '../runtime/take-values.js';
import { tf, type Tensor2D } from '../runtime/tensors.js';
import { checkMatrix, meanRow, type FeatureMatrix } from './feature-matrix.js';

/**
 * How far apart two rows are. `euclidean`: `|a - b|^2`. `cosine`: the same of rows divided by their lengths, which is
 * `2 - 2 cos(a, b)`; a row of zeros stays one, at 1 from every centroid.
 */
export type Metric = 'euclidean' | 'cosine';

/** Scores held at once: 2 M float32 values, 8 MB, between limits of rows. */
const tileScores = 1 << 21;
/** With fewer rows a product spends its time on laying out the centroids. */
const fewestTileRows = 256;
const mostTileRows = 1 << 16;

/**
 * Points laid out for the search of nearest centroids: tiles of rows in the runtime's memory (one copy of the points, whatever the
 * number of centroids), made once and read at every iteration. Under `euclidean` the mean of all points is taken off first, without
 * which `|x|^2 - 2 x c + |c|^2` cancels for points far from the origin; under `cosine` rows are divided by their lengths.
 */
export type PointTiles = {
  readonly rows: number;
  readonly dim: number;
  readonly metric: Metric;
  /** The points as they came. */
  readonly data: Float32Array;
  /** What each row is multiplied by: 1, or 1 / its length under `cosine` (0 for a row of zeros). */
  readonly scales: Float64Array;
  /** What is taken off each row: the mean of the points, or zeros under `cosine`. */
  readonly origin: Float64Array;
  readonly tiles: readonly { readonly from: number; readonly to: number; readonly values: Tensor2D }[];
  dispose(): void;
};

/** What is done to each row before it is compared: `(row - origin) * scale`. */
export type PointFrame = Pick<PointTiles, 'scales' | 'origin'>;

/**
 * Scales and origin of all points under a metric, one pass over them.
 *
 * @throws RangeError where a value is not finite: no centroid is nearest to it
 */
export const pointFrame = (points: FeatureMatrix, metric: Metric): PointFrame =>
  metric === 'cosine'
    ? { scales: inverseLengths(points), origin: new Float64Array(points.dim) }
    : { scales: new Float64Array(points.rows).fill(1), origin: meanRow(points) };

/**
 * Lays points out for `nearestOf`.
 *
 * @param frame of these points, where it is known
 * @throws RangeError where a value is not finite
 */
export const tilePoints = (
  points: FeatureMatrix,
  centroids: number,
  metric: Metric,
  frame: PointFrame = pointFrame(points, metric),
): PointTiles => {
  checkMatrix('points', points);
  const { rows, dim, data } = points;
  const { scales, origin } = frame;
  const perTile = Math.min(mostTileRows, rows, Math.max(fewestTileRows, Math.floor(tileScores / centroids)));
  const tiles: PointTiles['tiles'][number][] = [];
  for (let from = 0; from < rows; from += perTile) {
    const to = Math.min(rows, from + perTile);
    // A last value of 1 a row takes up the centroid's own term, so that the product is the whole score.
    const values = new Float32Array((to - from) * (dim + 1));
    for (let i = from, at = 0; i < to; i++, at++) {
      const scale = scales[i];
      for (let j = 0, a = i * dim; j < dim; j++, a++, at++) values[at] = (data[a] - origin[j]) * scale;
      values[at] = 1;
    }
    tiles.push({ from, to, values: tf.tensor2d(values, [to - from, dim + 1]) });
  }
  return {
    rows,
    dim,
    metric,
    data,
    scales,
    origin,
    tiles,
    dispose: () => tiles.forEach(({ values }) => values.dispose()),
  };
};

/**
 * Centroids as the right side of the product with a tile, `[dim + 1, count]`: a column holds `c` and last `-|c|^2 / 2` (0 under
 * `cosine`), so that the product is the whole score, whose maximum over centroids is at the nearest.
 *
 * @param centroids `[.., dim]`, float64, origin not taken off; unit rows under `cosine`
 * @param which numbers of the centroids wanted. @default all
 */
export const scoreColumns = (
  { dim, metric, origin }: PointTiles,
  centroids: Float64Array,
  which: ArrayLike<number> = Int32Array.from({ length: centroids.length / dim }, (_, c) => c),
): Tensor2D => {
  const count = which.length;
  const columns = new Float32Array((dim + 1) * count);
  for (let k = 0; k < count; k++) {
    let squares = 0;
    for (let j = 0, at = which[k] * dim; j < dim; j++, at++) {
      const value = centroids[at] - origin[j];
      squares += value * value;
      columns[j * count + k] = value;
    }
    columns[dim * count + k] = metric === 'cosine' ? 0 : -squares / 2;
  }
  return tf.tensor2d(columns, [dim + 1, count]);
};

/** Place of each row's maximum in the product of a tile with `scoreColumns`: only it leaves the runtime. */
export const bestColumns = (tile: Tensor2D, columns: Tensor2D): Int32Array =>
  takeValues<'int32'>(() => tf.argMax(tile.matMul(columns), 1));

/**
 * Number of the nearest centroid of each point, written to `assignment` (of equals, the lowest), by one matrix product a tile: the
 * matrix of all distances is never held. (Tried: maxima over blocks of centroids before the place is looked for, and the search in
 * JavaScript; both slower.)
 *
 * @param centroids `[count, dim]`, float64; unit rows under `cosine`
 */
export const nearestOf = (points: PointTiles, centroids: Float64Array, assignment: Int32Array): void => {
  const columns = scoreColumns(points, centroids);
  for (const { from, values } of points.tiles) assignment.set(bestColumns(values, columns), from);
  columns.dispose();
};

/** Squared distance of each point to the centroid that it is assigned to, summed in float64 from differences: exact near 0. */
export const distancesTo = (
  { rows, dim, data, scales }: PointTiles,
  centroids: Float64Array,
  assignment: Int32Array,
): Float64Array => {
  const distances = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const scale = scales[i];
    let sum = 0;
    for (let j = 0, a = i * dim, c = assignment[i] * dim; j < dim; j++, a++, c++) {
      const difference = data[a] * scale - centroids[c];
      sum += difference * difference;
    }
    distances[i] = sum;
  }
  return distances;
};

/** `1 / |row|`, and 0 for a row of zeros. */
const inverseLengths = ({ rows, dim, data }: FeatureMatrix): Float64Array =>
  Float64Array.from({ length: rows }, (_, i) => {
    let squares = 0;
    for (let j = i * dim; j < (i + 1) * dim; j++) squares += data[j] * data[j];
    if (!Number.isFinite(squares))
      throw new RangeError(`Expected \`points\` to be finite, got NaN or Infinity in row ${i}`);
    return squares > 0 ? 1 / Math.sqrt(squares) : 0;
  });
