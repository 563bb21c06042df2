import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { applyAssignment, emptySums } from '../../src/neighbors/cluster-sums.js';
import { fillWithFarthest } from '../../src/neighbors/empty-clusters.js';
import { distancesTo, tilePoints } from '../../src/neighbors/point-tiles.js';

/** The rule in plain words: all rows sorted by falling distance, of equals the lower first; the first that may be taken are. */
const slowly = (distances: Float64Array, assignment: Int32Array, clusters: number): Int32Array => {
  const result = assignment.slice();
  const sizes = Array.from({ length: clusters }, (_, c) => assignment.filter((own) => own === c).length);
  const empty = [...sizes.keys()].filter((c) => sizes[c] === 0);
  const order = Array.from(distances.keys()).sort((a, b) => distances[b] - distances[a] || a - b);
  for (const row of order) {
    if (empty.length === 0 || distances[row] === 0) break;
    if (sizes[result[row]] < 2) continue;
    sizes[result[row]]--;
    result[row] = empty.shift()!;
  }
  return result;
};

describe('fillWithFarthest', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  /** Whole numbers on a line, so that many distances are equal, in clusters of which the last `empty` have none. */
  const fill = (rows: number, clusters: number, empty: number, spread: number, alone = 0) => {
    const random = RandomStream.of(rows, 'empty clusters');
    const data = Float32Array.from({ length: rows }, (_, i) => (i < alone ? 1000 + i : random.integer(spread)));
    const assignment = Int32Array.from({ length: rows }, (_, i) =>
      i < alone ? i : alone + random.integer(clusters - empty - alone),
    );
    const points = tilePoints({ rows, dim: 1, data }, clusters, 'euclidean');
    const total = emptySums(clusters, 1);
    const own = new Int32Array(rows).fill(-1);
    applyAssignment(total, points, own, assignment);
    const centroids = new Float64Array(clusters);
    const distances = distancesTo(points, centroids, own);
    const filled = fillWithFarthest(total, points, centroids, own);
    points.dispose();
    return { filled, own, sizes: total.sizes, expected: slowly(distances, assignment, clusters) };
  };

  it('takes what a sort of all rows would take, of equal distances the lower row', () => {
    for (const [rows, clusters, empty, spread] of [
      [300, 20, 5, 4],
      [300, 60, 40, 50],
      [50, 45, 25, 2],
      [200, 9, 1, 1000],
    ] as const) {
      const { filled, own, expected } = fill(rows, clusters, empty, spread);
      assert.ok(filled > 0);
      assert.deepEqual(own, expected);
    }
  });

  it('looks beyond the first rows where those are alone in their clusters', () => {
    // One empty cluster: rows are sorted eight at a time, and the thirty farthest may not be taken.
    const { filled, own, sizes, expected } = fill(100, 35, 1, 10, 30);
    assert.equal(filled, 1);
    assert.deepEqual(own, expected);
    assert.ok(own.indexOf(34) >= 30);
    assert.ok(sizes.every((size) => size > 0));
  });

  it('leaves a point on its centroid where it is', () => {
    const { filled, own, expected } = fill(40, 6, 3, 1);
    assert.equal(filled, 0);
    assert.deepEqual(own, expected);
  });
});
