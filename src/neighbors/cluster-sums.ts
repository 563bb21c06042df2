import type { PointTiles } from './point-tiles.js';

/** What centroids are means of: sum `[clusters, dim]` and number of the points of each cluster. */
export type ClusterSums = { readonly sums: Float64Array; readonly sizes: Int32Array };

/** Sums of clusters that hold nothing yet. */
export const emptySums = (clusters: number, dim: number): ClusterSums => ({
  sums: new Float64Array(clusters * dim),
  sizes: new Int32Array(clusters),
});

/** Moves a point from one cluster (-1: from none) to another, in sums and sizes. */
export const movePoint = (
  { sums, sizes }: ClusterSums,
  { dim, data, scales }: PointTiles,
  row: number,
  from: number,
  to: number,
): void => {
  const scale = scales[row];
  const first = row * dim;
  if (from >= 0) {
    sizes[from]--;
    for (let j = 0, a = first, s = from * dim; j < dim; j++, a++, s++) sums[s] -= data[a] * scale;
  }
  sizes[to]++;
  for (let j = 0, a = first, s = to * dim; j < dim; j++, a++, s++) sums[s] += data[a] * scale;
};

/**
 * Brings sums and `assignment` up to date with a new assignment, and returns how many points changed their cluster. Only those are
 * touched: late iterations cost next to nothing, and float64 sums lose nothing by it.
 */
export const applyAssignment = (
  total: ClusterSums,
  points: PointTiles,
  assignment: Int32Array,
  next: Int32Array,
): number => {
  let changed = 0;
  for (let i = 0; i < points.rows; i++) {
    if (assignment[i] === next[i]) continue;
    movePoint(total, points, i, assignment[i], next[i]);
    assignment[i] = next[i];
    changed++;
  }
  return changed;
};

/**
 * Moves each centroid to the mean of its points, under `cosine` to the unit vector along their sum. One whose cluster is empty, or
 * whose sum has no direction, stays. Returns the sum of the squares of all moves.
 */
export const updateCentroids = (
  { sums, sizes }: ClusterSums,
  { dim, metric }: PointTiles,
  centroids: Float64Array,
): number => {
  let shift = 0;
  for (let c = 0; c < sizes.length; c++) {
    const first = c * dim;
    let divisor = sizes[c];
    if (metric === 'cosine') {
      divisor = 0;
      for (let s = first; s < first + dim; s++) divisor += sums[s] * sums[s];
      divisor = Math.sqrt(divisor);
      // A sum that is all rounding of points that cancel has no direction.
      if (divisor <= 1e-12 * sizes[c]) divisor = 0;
    }
    if (divisor === 0) continue;
    for (let s = first; s < first + dim; s++) {
      const value = sums[s] / divisor;
      shift += (value - centroids[s]) ** 2;
      centroids[s] = value;
    }
  }
  return shift;
};
