import { movePoint, type ClusterSums } from './cluster-sums.js';
import { distancesTo, type PointTiles } from './point-tiles.js';

/**
 * What becomes of a cluster that lost all its points. `split`: it takes half of the points of the largest, by a slightly perturbed
 * copy of its centroid, as faiss does (which draws the cluster by size; here it is the largest). `farthest`: it takes the point
 * farthest from its centroid, as scikit-learn does.
 */
export type EmptyPolicy = 'split' | 'farthest';

/** Relative size of the perturbation, faiss's. */
const perturbation = 1 / 1024;

/**
 * Gives each empty cluster the point that is farthest from its centroid, of clusters that hold another one too. A point that lies
 * on its centroid is left there.
 *
 * @returns how many clusters were filled
 */
export const fillWithFarthest = (
  total: ClusterSums,
  points: PointTiles,
  centroids: Float64Array,
  assignment: Int32Array,
): number => {
  const { sizes } = total;
  const empty = Array.from(sizes.keys()).filter((c) => sizes[c] === 0);
  if (empty.length === 0) return 0;
  const distances = distancesTo(points, centroids, assignment);
  let filled = 0;
  for (const row of farthestFirst(distances, 8 * empty.length)) {
    if (filled === empty.length || distances[row] === 0) break;
    if (sizes[assignment[row]] < 2) continue;
    const to = empty[filled++];
    movePoint(total, points, row, assignment[row], to);
    assignment[row] = to;
  }
  return filled;
};

/** Rows by falling distance, of equals the lower first, sorted in parts of at least `part` rows as they are asked for. */
function* farthestFirst(distances: Float64Array, part: number): Generator<number> {
  const rising = distances.slice().sort();
  let above = Infinity;
  for (let end = rising.length; end > 0;) {
    // Equal distances stay in one part.
    const least = rising[Math.max(0, end - part)];
    const rows: number[] = [];
    for (let i = 0; i < distances.length; i++) if (distances[i] >= least && distances[i] < above) rows.push(i);
    yield* rows.sort((a, b) => distances[b] - distances[a] || a - b);
    while (end > 0 && rising[end - 1] >= least) end--;
    above = least;
  }
}

/**
 * Makes each empty cluster's centroid a copy of the largest one's, of which every second value is made larger and every other smaller
 * by a 1024th, and the original the other way: the next assignment splits the points between the two. Sizes are halved in
 * the choice, so that several empty clusters take of several large ones. Under `cosine` lengths stay 1 but for some 1e-6, too little to matter in the
 * next assignment.
 */
export const splitLargest = (sizes: Int32Array, centroids: Float64Array): void => {
  const dim = centroids.length / sizes.length;
  const shares = Float64Array.from(sizes);
  for (let c = 0; c < sizes.length; c++) {
    if (sizes[c] > 0) continue;
    let largest = 0;
    for (let other = 1; other < shares.length; other++) if (shares[other] > shares[largest]) largest = other;
    if (shares[largest] < 2) return;
    for (let j = 0; j < dim; j++) {
      const value = centroids[largest * dim + j];
      const sign = j % 2 === 0 ? 1 : -1;
      centroids[c * dim + j] = value * (1 + sign * perturbation);
      centroids[largest * dim + j] = value * (1 - sign * perturbation);
    }
    shares[largest] /= 2;
    shares[c] = shares[largest];
  }
};

/** Assignments made again before a cluster that stays empty is given a point by force. */
const mostRounds = 8;

/**
 * Fills what the last assignment left empty, so that no cluster is, where there are as many different points as clusters: a
 * centroid is put on the farthest point, and points are assigned anew, which may empty another one. Each round lowers the objective; should
 * they not end, the last point is given without another assignment.
 */
export const fillForGood = (
  total: ClusterSums,
  points: PointTiles,
  centroids: Float64Array,
  assignment: Int32Array,
  assignAnew: () => void,
): void => {
  const { dim } = points;
  for (let round = 0; total.sizes.includes(0); round++) {
    const before = total.sizes.slice();
    if (fillWithFarthest(total, points, centroids, assignment) === 0) return;
    const places = new Map<number, number>();
    assignment.forEach((c, i) => before[c] === 0 && places.set(c, i));
    for (const [c, i] of places) {
      for (let j = 0; j < dim; j++) centroids[c * dim + j] = points.data[i * dim + j] * points.scales[i];
    }
    if (round < mostRounds) assignAnew();
  }
};
