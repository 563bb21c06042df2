import { takeValues } from '../runtime/take-values.js';
import { tf, type Tensor2D } from '../runtime/tensors.js';
import type { RandomStream } from '../numeric/random.js';
import { checkMatrix, type FeatureMatrix } from './feature-matrix.js';
import { tilePoints, type Metric, type PointTiles } from './point-tiles.js';

/**
 * Where k-means begins. `k-means++`: points drawn one after another by their squared distance to the nearest one drawn so far
 * (Arthur & Vassilvitskii 2007), of several candidates each time the best, as scikit-learn does. `random`: different points, all
 * equally likely, as faiss does: cheap with thousands of clusters. Or centroids, a row each.
 */
export type KMeansStart = 'k-means++' | 'random' | FeatureMatrix;

/** Centroids to begin from, `[clusters, dim]`, unit rows under `cosine`. */
export const chooseStart = (
  points: FeatureMatrix,
  clusters: number,
  start: KMeansStart,
  metric: Metric,
  random: RandomStream,
): Float64Array => {
  if (typeof start !== 'string') {
    if (start.rows !== clusters) throw new RangeError(`Expected \`start\` to hold ${clusters} rows, got ${start.rows}`);
    return givenCentroids('start', start, points.dim, metric);
  }
  const rows = start === 'random' ? random.sample(points.rows, clusters) : plusPlus(points, clusters, metric, random);
  return takeRows(points, rows, metric);
};

/**
 * Given centroids in float64, unit rows under `cosine`; a RangeError names them where their dimension is not the points', or a value
 * is not finite.
 */
export const givenCentroids = (name: string, centroids: FeatureMatrix, dim: number, metric: Metric): Float64Array => {
  checkMatrix(name, centroids);
  if (centroids.dim !== dim) throw new RangeError(`Expected \`${name}\` of dimension ${dim}, got ${centroids.dim}`);
  const all = takeRows(
    centroids,
    Array.from({ length: centroids.rows }, (_, i) => i),
    metric,
  );
  const wrong = all.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new RangeError(`Expected \`${name}\` to be finite, got NaN or Infinity in row ${Math.floor(wrong / dim)}`);
  }
  return all;
};

const takeRows = ({ dim, data }: FeatureMatrix, rows: readonly number[], metric: Metric): Float64Array => {
  const taken = new Float64Array(rows.length * dim);
  rows.forEach((row, i) => {
    const values = Float64Array.from(data.subarray(row * dim, (row + 1) * dim));
    const length = metric === 'cosine' ? Math.hypot(...values) || 1 : 1;
    for (let j = 0; j < dim; j++) taken[i * dim + j] = values[j] / length;
  });
  return taken;
};

/** Numbers of the points drawn by greedy k-means++, with `2 + ln(clusters)` candidates a draw. */
const plusPlus = (points: FeatureMatrix, clusters: number, metric: Metric, random: RandomStream): number[] => {
  const candidates = 2 + Math.floor(Math.log(clusters));
  const tiles = tilePoints(points, candidates, metric);
  const search = nearestSearch(tiles);
  try {
    const drawn = [random.integer(points.rows)];
    const taken = new Uint8Array(points.rows);
    taken[drawn[0]] = 1;
    search.take(drawn);
    while (drawn.length < clusters) {
      const distances = search.distances();
      for (const row of drawn) distances[row] = 0;
      const cumulated = cumulate(distances);
      const total = cumulated[points.rows - 1];
      // Where all points lie on drawn ones, those not drawn are as good as each other.
      const draw = (): number => (total > 0 ? firstAbove(cumulated, random.uniform() * total) : taken.indexOf(0));
      const row = search.take(Array.from({ length: total > 0 ? candidates : 1 }, draw));
      taken[row] = 1;
      drawn.push(row);
    }
    return drawn;
  } finally {
    search.dispose();
    tiles.dispose();
  }
};

/** Squared distances of all points to the nearest of the rows taken so far, kept in the runtime. */
const nearestSearch = (points: PointTiles) => {
  const { dim, tiles } = points;
  const squares = tiles.map(({ values }) => tf.tidy(() => values.square().sum<Tensor2D>(1, true).sub<Tensor2D>(1)));
  let nearest = squares.map((rows) => tf.fill(rows.shape, Infinity) as Tensor2D);
  /** Takes, of candidate rows, the one after which all distances sum to the least; returns it. */
  const take = (rows: readonly number[]): number => {
    const right = tf.tensor2d(columnsOf(points, rows), [dim + 1, rows.length]);
    const reached = tiles.map(({ values }, t) =>
      tf.tidy(() => tf.minimum(nearest[t], squares[t].sub(values.matMul<Tensor2D>(right).mul(2)).relu()) as Tensor2D),
    );
    const sums = new Float64Array(rows.length);
    for (const part of reached) {
      const partSums = takeValues(() => part.sum(0));
      for (let i = 0; i < rows.length; i++) sums[i] += partSums[i];
    }
    const best = sums.indexOf(Math.min(...sums));
    tf.dispose([right, ...nearest]);
    nearest = reached.map((part) => part.slice([0, best], [part.shape[0], 1]));
    tf.dispose(reached);
    return rows[best];
  };
  return {
    take,
    distances: (): Float32Array => {
      const all = new Float32Array(points.rows);
      tiles.forEach(({ from }, t) => all.set(nearest[t].dataSync(), from));
      return all;
    },
    dispose: () => tf.dispose([...squares, ...nearest]),
  };
};

/** Rows of the points as the right side of `nearestOf`'s product, `[dim + 1, rows]`. */
const columnsOf = ({ dim, data, scales, origin }: PointTiles, rows: readonly number[]): Float32Array => {
  const columns = new Float32Array((dim + 1) * rows.length);
  rows.forEach((row, i) => {
    let squares = 0;
    for (let j = 0; j < dim; j++) {
      const value = (data[row * dim + j] - origin[j]) * scales[row];
      squares += value * value;
      columns[j * rows.length + i] = value;
    }
    columns[dim * rows.length + i] = -squares / 2;
  });
  return columns;
};

const cumulate = (values: Float32Array): Float64Array => {
  const sums = new Float64Array(values.length);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sums[i] = sum += values[i];
  return sums;
};

/** First place whose value is above `limit`, in rising values whose last one is. */
const firstAbove = (values: Float64Array, limit: number): number => {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] > limit) high = middle;
    else low = middle + 1;
  }
  return low;
};
