import { takeValues } from '../runtime/take-values.js';
import { tf } from '../runtime/tensors.js';
import type { FeatureMatrix } from './feature-matrix.js';
import type { Metric, PointFrame } from './point-tiles.js';

/** Centroids that learn from one batch after another, with what they have learned so far. */
export type BatchLearner = {
  /** Points that each centroid got so far. `[clusters]` */
  readonly counts: Float64Array;
  /**
   * One step of mini-batch k-means: assigns the points with these numbers (as many as a batch holds), moves the centroids, and returns the
   * sum of the squared distances before the move.
   */
  learn(rows: Int32Array): number;
  /** Puts a centroid on the point at a place of the last batch, as if it had got `count` points. */
  put(cluster: number, place: number, count: number): void;
  /** Where the centroids stand, `[clusters, dim]`; unit rows under `cosine`. */
  centroids(): Float64Array;
};

/**
 * The steps of mini-batch k-means (Sculley 2010) with a rate of each centroid's own: of the `n` points that it gets in a batch, having
 * got `N` with them, `c += (sum - n c) / N`. Buffers are made once; a step copies the batch, finds the nearest centroids by one
 * product (see `tilePoints`), and touches only centroids that got a point. They are held in float64, less the origin.
 *
 * @param start `[clusters, dim]`, unit rows under `cosine`
 */
export const batchLearner = (
  { dim, data }: FeatureMatrix,
  frame: PointFrame,
  start: Float64Array,
  batch: number,
  metric: Metric,
): BatchLearner => {
  const { scales, origin } = frame;
  const clusters = start.length / dim;
  const width = dim + 1;
  const state: State = {
    dim,
    counts: new Float64Array(clusters),
    centroids: start.map((value, at) => value - origin[at % dim]),
    scores: new Float32Array(clusters * width),
    sum: new Float64Array(dim),
    spherical: metric === 'cosine',
  };
  // The batch in its frame; a last value of 1 a row takes up the centroid's own term.
  const tile = new Float32Array(batch * width).fill(1);
  for (let c = 0; c < clusters; c++) writeScores(state, c);

  const assign = (): Int32Array =>
    takeValues<'int32'>(() => {
      const scores = tf.tensor2d(state.scores, [clusters, width]);
      return tf.argMax(tf.matMul(tf.tensor2d(tile, [batch, width]), scores, false, true), 1);
    });
  return {
    counts: state.counts,
    learn: (rows) => {
      for (let i = 0; i < batch; i++) writePoint(tile, i * width, data, rows[i] * dim, origin, scales[rows[i]]);
      const { order, ends } = groupByCluster(assign(), clusters);
      let objective = 0;
      for (let c = 0, from = 0; c < clusters; from = ends[c++]) {
        if (ends[c] === from) continue;
        state.sum.fill(0);
        for (let k = from; k < ends[c]; k++) objective += addPoint(state.sum, tile, order[k] * width);
        objective += moveCentroid(state, c, ends[c] - from);
      }
      return objective;
    },
    put: (c, place, count) => {
      for (let j = 0; j < dim; j++) state.centroids[c * dim + j] = tile[place * width + j];
      state.counts[c] = count;
      writeScores(state, c);
    },
    centroids: () => state.centroids.map((value, at) => value + origin[at % dim]),
  };
};

type State = {
  readonly dim: number;
  readonly counts: Float64Array;
  /** Less the origin. */
  readonly centroids: Float64Array;
  /** A row a centroid, its own term last: the product of a tile and this, turned, is the whole score. `[clusters, dim + 1]` */
  readonly scores: Float32Array;
  /** Sum of the points that a centroid got in this batch. */
  readonly sum: Float64Array;
  readonly spherical: boolean;
};

const writeScores = ({ dim, centroids, scores, spherical }: State, c: number): void => {
  let squares = 0;
  for (let j = 0, s = c * dim, at = c * (dim + 1); j < dim; j++, s++, at++) {
    const value = centroids[s];
    squares += value * value;
    scores[at] = value;
  }
  scores[c * (dim + 1) + dim] = spherical ? 0 : -squares / 2;
};

/** Writes a point in its frame, `(point - origin) * scale`, to a row of the batch. */
const writePoint = (
  tile: Float32Array,
  at: number,
  data: Float32Array,
  from: number,
  origin: Float64Array,
  scale: number,
): void => {
  for (let j = 0; j < origin.length; j++) tile[at + j] = (data[from + j] - origin[j]) * scale;
};

/** Adds a point of the batch to `sum`; returns its square. */
const addPoint = (sum: Float64Array, tile: Float32Array, at: number): number => {
  let squares = 0;
  for (let j = 0; j < sum.length; j++) {
    const value = tile[at + j];
    sum[j] += value;
    squares += value * value;
  }
  return squares;
};

/** Moves centroid c towards the mean of `size` points of which `sum` is the sum; returns `size |c|^2 - 2 c sum` of before. */
const moveCentroid = (state: State, c: number, size: number): number => {
  const { dim, centroids, counts, scores, sum, spherical } = state;
  counts[c] += size;
  const rate = 1 / counts[c];
  let [before, after] = [0, 0];
  for (let j = 0, s = c * dim, at = c * (dim + 1); j < dim; j++, s++, at++) {
    const value = centroids[s];
    before += value * (size * value - 2 * sum[j]);
    const moved = value + (sum[j] - size * value) * rate;
    after += moved * moved;
    centroids[s] = moved;
    scores[at] = moved;
  }
  if (!spherical) {
    scores[c * (dim + 1) + dim] = -after / 2;
  } else if (after > 0) {
    const scale = 1 / Math.sqrt(after);
    for (let s = c * dim; s < (c + 1) * dim; s++) centroids[s] *= scale;
    writeScores(state, c);
  }
  return before;
};

/** Places of an assignment, those of cluster 0 first, and where each cluster's end among them. */
const groupByCluster = (assignment: Int32Array, clusters: number): { order: Int32Array; ends: Int32Array } => {
  const ends = new Int32Array(clusters);
  for (let i = 0; i < assignment.length; i++) ends[assignment[i]]++;
  for (let c = 0, next = 0; c < clusters; c++) {
    const first = next;
    next += ends[c];
    ends[c] = first;
  }
  const order = new Int32Array(assignment.length);
  // Each start moves up to its cluster's end as its places are filled in.
  for (let i = 0; i < assignment.length; i++) order[ends[assignment[i]]++] = i;
  return { order, ends };
};
