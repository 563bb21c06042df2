import { tf, type Tensor2D } from '../runtime/tensors.js';
import { bestColumns, nearestOf, scoreColumns, type PointTiles } from './point-tiles.js';

/** Share of all scores from which on computing all of them at once is quicker than picking rows. */
const mostScores = 0.6;

/**
 * Number of the nearest centroid of each point, where it is known for earlier centroids of which only some have moved since. A
 * point whose own centroid stood still can only have gone to one that moved, so that it is compared with those alone; the
 * others are compared with all. The result is that of `nearestOf` (but for equal distances, where rounding decides). Late
 * iterations of k-means, when many clusters have settled, cost a fraction.
 *
 * @param earlier centroids of `known`, `[count, dim]`
 * @param known nearest of the earlier centroids, a point
 * @param next receives the nearest of `centroids`, a point
 */
export const reassign = (
  points: PointTiles,
  centroids: Float64Array,
  earlier: Float64Array,
  known: Int32Array,
  next: Int32Array,
): void => {
  const { moved, list } = whatMoved(centroids, earlier, points.dim);
  const clusters = moved.length;
  const follow = known.reduce((count, c) => count + moved[c], 0);
  const share = (follow * clusters + (points.rows - follow) * list.length) / (points.rows * clusters);
  if (share > mostScores) return nearestOf(points, centroids, next);
  next.set(known);
  if (list.length === 0) return;
  const [all, some] = [scoreColumns(points, centroids), scoreColumns(points, centroids, list)];
  for (const { from, to, values } of points.tiles) {
    const [following, staying] = partRows(known, moved, from, to);
    if (following.length > 0) {
      bestOfRows(values, following, all).forEach((c, i) => (next[from + following[i]] = c));
    }
    if (staying.length > 0) {
      bestOfRows(values, staying, some).forEach((place, i) => {
        const row = from + staying[i];
        if (isNearer(points, centroids, row, list[place], known[row])) next[row] = list[place];
      });
    }
  }
  tf.dispose([all, some]);
};

/** Which centroids differ in any bit: 0 or 1 each, and the numbers of those that do. */
const whatMoved = (centroids: Float64Array, earlier: Float64Array, dim: number) => {
  const moved = new Uint8Array(centroids.length / dim);
  for (let at = 0; at < centroids.length; at++) if (centroids[at] !== earlier[at]) moved[Math.floor(at / dim)] = 1;
  return { moved, list: Array.from(moved.keys()).filter((c) => moved[c] === 1) };
};

/** Rows of a tile, counted from its first, whose centroid moved, and the others. */
const partRows = (known: Int32Array, moved: Uint8Array, from: number, to: number): [Int32Array, Int32Array] => {
  const [following, staying] = [new Int32Array(to - from), new Int32Array(to - from)];
  let [first, second] = [0, 0];
  for (let row = from; row < to; row++) {
    if (moved[known[row]] === 1) following[first++] = row - from;
    else staying[second++] = row - from;
  }
  return [following.subarray(0, first), staying.subarray(0, second)];
};

const bestOfRows = (tile: Tensor2D, rows: Int32Array, columns: Tensor2D): Int32Array => {
  const picked = tf.tidy((): Tensor2D => tf.gather(tile, tf.tensor1d(rows, 'int32')));
  const best = bestColumns(picked, columns);
  picked.dispose();
  return best;
};

/** Whether a point is nearer to centroid a than to b, or as near and a the lower, in float64. */
const isNearer = (
  { dim, data, scales }: PointTiles,
  centroids: Float64Array,
  row: number,
  a: number,
  b: number,
): boolean => {
  let difference = 0;
  for (let j = 0, at = row * dim, first = a * dim, second = b * dim; j < dim; j++, at++, first++, second++) {
    const value = data[at] * scales[row];
    difference += (value - centroids[first]) ** 2 - (value - centroids[second]) ** 2;
  }
  return difference < 0 || (difference === 0 && a < b);
};
