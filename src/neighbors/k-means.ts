import type { RandomStream } from '../numeric/random.js';
import { applyAssignment, emptySums, updateCentroids } from './cluster-sums.js';
import { fillForGood, fillWithFarthest, splitLargest, type EmptyPolicy } from './empty-clusters.js';
import { checkMatrix, type FeatureMatrix } from './feature-matrix.js';
import { chooseStart, type KMeansStart } from './k-means-start.js';
import { reassign } from './reassign.js';
import { distancesTo, nearestOf, tilePoints, type Metric, type PointFrame, type PointTiles } from './point-tiles.js';

/** How `kMeans` clusters. */
export type KMeansOptions = {
  /** From 1 to the number of points. */
  readonly clusters: number;
  /** Most updates of the centroids a run. @default 20, faiss's in DeepCluster and Local Aggregation */
  readonly iterations?: number;
  /**
   * A run ends where the squares of all moves of centroids sum to at most this share of the points' mean variance a column
   * (scikit-learn's `tol`), and in any case where no point changes its cluster. @default 0
   */
  readonly tolerance?: number;
  /** `cosine` is spherical k-means: unit rows, centroids the unit vectors along sums of rows. @default 'euclidean' */
  readonly metric?: Metric;
  /** @default 'k-means++' */
  readonly start?: KMeansStart;
  /** Runs from different starts, of which the one with the lowest objective is kept; 1 where `start` is given as centroids. @default 1 */
  readonly runs?: number;
  /** What becomes of a cluster that lost all its points. @default 'split' */
  readonly empty?: EmptyPolicy;
  /** What starts are drawn from. */
  readonly random: RandomStream;
};

/** Points in clusters. */
export type Clustering = {
  /** `[clusters, dim]`; unit rows under `cosine`. */
  readonly centroids: FeatureMatrix;
  /** Number of the nearest centroid of each point. */
  readonly assignment: Int32Array;
  /** Squared distance of each point to its centroid; under `cosine` `2 - 2 cos`. */
  readonly distances: Float32Array;
  /** Sum of the squared distances (scikit-learn's inertia), summed in float64. */
  readonly objective: number;
  /** Updates of the centroids made. */
  readonly iterations: number;
  /** Points of each cluster. */
  readonly sizes: Int32Array;
};

/**
 * Clusters points by Lloyd's k-means: assign each point to the nearest centroid, move each centroid to the mean of its points, and
 * again; the objective `sum |x - c(x)|^2` never rises, but where an empty cluster was split. Assignment, distances and objective are those of
 * the returned centroids. No cluster is empty where there are as many different points as clusters. Equal input and stream give
 * equal bytes, on equal runtime and threads.
 *
 * Memory: one copy of the points in the runtime, and 8 MB of scores (1 KB a cluster from 8192 clusters up).
 *
 * @param points `[rows, dim]`, finite
 * @throws RangeError for options out of range and for points that are not finite
 */
export const kMeans = (points: FeatureMatrix, options: KMeansOptions): Clustering => {
  checkMatrix('points', points);
  const { clusters, metric = 'euclidean', start = 'k-means++', runs = 1, random } = options;
  checkOptions(points, options);
  let best: Clustering | undefined;
  for (let run = 0; run < runs; run++) {
    const begin = chooseStart(points, clusters, start, metric, random);
    const tiles = tilePoints(points, clusters, metric);
    try {
      const found = lloyd(tiles, begin, options);
      if (best === undefined || found.objective < best.objective) best = found;
    } finally {
      tiles.dispose();
    }
  }
  return best!;
};

/** Points assigned to centroids that move, and the sums of each cluster. */
const startAssignment = (points: PointTiles, centroids: Float64Array) => {
  const total = emptySums(centroids.length / points.dim, points.dim);
  const assignment = new Int32Array(points.rows).fill(-1);
  const next = new Int32Array(points.rows);
  let before: Float64Array | undefined;
  return {
    total,
    assignment,
    /**
     * Assigns all points to where the centroids stand now, and returns how many changed their cluster. Given an assignment it takes that;
     * with `all` no earlier one is made use of.
     */
    assign: (how?: 'all' | Int32Array): number => {
      if (typeof how === 'object') next.set(how);
      else if (how === 'all' || before === undefined) nearestOf(points, centroids, next);
      else reassign(points, centroids, before, assignment, next);
      before ??= new Float64Array(centroids.length);
      before.set(centroids);
      return applyAssignment(total, points, assignment, next);
    },
  };
};

/** One run from given centroids, which it moves. */
const lloyd = (
  points: PointTiles,
  centroids: Float64Array,
  { iterations = 20, tolerance = 0, empty = 'split' }: KMeansOptions,
): Clustering => {
  const { total, assignment, assign } = startAssignment(points, centroids);
  let made = 0;
  const enough = tolerance > 0 ? tolerance * meanVariance(points) : 0;
  while (assign() > 0 && made < iterations) {
    if (empty === 'farthest') fillWithFarthest(total, points, centroids, assignment);
    const shift = updateCentroids(total, points, centroids);
    made++;
    if (empty === 'split' && made < iterations) splitLargest(total.sizes, centroids);
    if (shift <= enough) {
      assign();
      break;
    }
  }
  fillForGood(total, points, centroids, assignment, () => assign(made === 0 ? 'all' : undefined));
  return clusteringOf(points, centroids, assignment, total.sizes, made);
};

/** All points assigned to given centroids, none of which is left without one: how a run that did not see all of them ends. */
export const finishClustering = (
  points: FeatureMatrix,
  centroids: Float64Array,
  metric: Metric,
  iterations: number,
  frame: PointFrame,
): Clustering => {
  const clusters = centroids.length / points.dim;
  const tiles = tilePoints(points, clusters, metric, frame);
  try {
    const nearest = new Int32Array(points.rows);
    nearestOf(tiles, centroids, nearest);
    const sizes = new Int32Array(clusters);
    for (let i = 0; i < nearest.length; i++) sizes[nearest[i]]++;
    if (!sizes.includes(0)) return clusteringOf(tiles, centroids, nearest, sizes, iterations);
    // Sums are only needed to fill what is empty.
    const { total, assignment, assign } = startAssignment(tiles, centroids);
    assign(nearest);
    fillForGood(total, tiles, centroids, assignment, assign);
    return clusteringOf(tiles, centroids, assignment, total.sizes, iterations);
  } finally {
    tiles.dispose();
  }
};

const clusteringOf = (
  points: PointTiles,
  centroids: Float64Array,
  assignment: Int32Array,
  sizes: Int32Array,
  iterations: number,
): Clustering => {
  const distances = distancesTo(points, centroids, assignment);
  return {
    centroids: { rows: sizes.length, dim: points.dim, data: Float32Array.from(centroids) },
    assignment,
    distances: Float32Array.from(distances),
    objective: distances.reduce((sum, value) => sum + value, 0),
    iterations,
    sizes,
  };
};

/** Variance of the points, a mean over columns. */
const meanVariance = ({ rows, dim, data, scales }: PointTiles): number => {
  const [sums, squares] = [new Float64Array(dim), new Float64Array(dim)];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < dim; j++) {
      const value = data[i * dim + j] * scales[i];
      sums[j] += value;
      squares[j] += value * value;
    }
  }
  return squares.reduce((sum, value, j) => sum + (value - sums[j] ** 2 / rows) / rows, 0) / dim;
};

/** Throws a RangeError unless there are from one to as many clusters as points. */
export const checkClusters = (points: FeatureMatrix, clusters: number): void => {
  if (Number.isInteger(clusters) && clusters >= 1 && clusters <= points.rows) return;
  throw new RangeError(
    `Expected \`clusters\` to be an integer from 1 to ${points.rows}, the number of points, got \`${clusters}\` (${typeof clusters})`,
  );
};

const checkOptions = (points: FeatureMatrix, options: KMeansOptions): void => {
  const { clusters, iterations = 20, tolerance = 0, start, runs = 1 } = options;
  checkClusters(points, clusters);
  for (const [name, value, least] of [
    ['iterations', iterations, 0],
    ['runs', runs, 1],
  ] as const) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new RangeError(`Expected \`${name}\` to be an integer from ${least} up, got \`${value}\` (${typeof value})`);
  }
  if (!(tolerance >= 0)) throw new RangeError(`Expected \`tolerance\` to be a number from 0 up, got \`${tolerance}\``);
  if (typeof start === 'object' && runs > 1) {
    throw new RangeError(`Expected \`runs\` to be 1 where \`start\` gives the centroids, got \`${runs}\``);
  }
};
