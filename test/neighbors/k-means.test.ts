import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf } from '../../src/runtime/tensors.js';
import { assignNearest } from '../../src/neighbors/assign-nearest.js';
import { selectRows, type FeatureMatrix } from '../../src/neighbors/feature-matrix.js';
import { kMeans, type Clustering, type KMeansOptions } from '../../src/neighbors/k-means.js';
import { drawClouds, squaredDistance } from './clouds.js';

const seeded = (seed = 1): RandomStream => RandomStream.of(seed, 'k-means test');

/** Lloyd's algorithm in plain float64 loops; clusters that go empty keep their centroid. */
const slowLloyd = (points: FeatureMatrix, start: FeatureMatrix, iterations: number) => {
  const { rows, dim, data } = points;
  const clusters = start.rows;
  const centroids = Float64Array.from(start.data);
  const assignment = new Int32Array(rows);
  let objective = 0;
  const assign = (): void => {
    objective = 0;
    for (let i = 0; i < rows; i++) {
      let least = Infinity;
      for (let c = 0; c < clusters; c++) {
        let sum = 0;
        for (let j = 0; j < dim; j++) sum += (data[i * dim + j] - centroids[c * dim + j]) ** 2;
        if (sum < least) [least, assignment[i]] = [sum, c];
      }
      objective += least;
    }
  };
  for (let iteration = 0; iteration < iterations; iteration++) {
    assign();
    for (let c = 0; c < clusters; c++) {
      const own = Array.from(assignment.keys()).filter((i) => assignment[i] === c);
      if (own.length === 0) continue;
      for (let j = 0; j < dim; j++) {
        centroids[c * dim + j] = own.reduce((sum, i) => sum + data[i * dim + j], 0) / own.length;
      }
    }
  }
  assign();
  return { assignment, objective };
};

/** What every clustering must hold: sizes, distances and objective are of its own centroids, and each point is with a nearest. */
const assertConsistent = (points: FeatureMatrix, found: Clustering): void => {
  const { centroids, assignment, distances, objective, sizes } = found;
  let sum = 0;
  const counted = new Int32Array(sizes.length);
  for (let i = 0; i < points.rows; i++) {
    const own = squaredDistance(points, i, centroids, assignment[i]);
    counted[assignment[i]]++;
    sum += own;
    assert.ok(Math.abs(own - distances[i]) <= 1e-4 * (1 + own), `row ${i}: ${own} and ${distances[i]}`);
    for (let c = 0; c < centroids.rows; c++) {
      assert.ok(own <= squaredDistance(points, i, centroids, c) * (1 + 1e-4) + 1e-6, `row ${i} is nearer to ${c}`);
    }
  }
  assert.deepEqual(sizes, counted);
  assert.ok(Math.abs(sum - objective) <= 1e-5 * (1 + sum), `${sum} and ${objective}`);
};

const unit = ({ rows, dim, data }: FeatureMatrix): FeatureMatrix => ({
  rows,
  dim,
  data: data.map((value, at) => {
    const row = data.subarray(at - (at % dim), at - (at % dim) + dim);
    return value / Math.hypot(...row);
  }),
});

for (const backend of ['tensorflow', 'wasm'] as const)
  describe(`kMeans on ${backend}`, () => {
    before(async function () {
      const info = await openRuntime({ threads: 1 });
      if (backend === 'tensorflow' && info.backend !== 'tensorflow') this.skip();
      if (backend === 'wasm' && info.backend === 'tensorflow') await openRuntime({ device: 'wasm' });
    });
    after(async () => {
      await openRuntime({ threads: 1 });
    });

    it('reaches the assignment and the objective of plain float64 loops from the same start', () => {
      const { points } = drawClouds(400, 9, 25, { spread: 1 });
      const start = selectRows(points, seeded().sample(400, 12));
      for (const iterations of [0, 1, 2, 7]) {
        const found = kMeans(points, { clusters: 12, iterations, start, random: seeded() });
        const slow = slowLloyd(points, start, iterations);
        assert.deepEqual(found.assignment, slow.assignment);
        assert.ok(Math.abs(found.objective / slow.objective - 1) < 1e-6, `${found.objective}, ${slow.objective}`);
        assert.equal(found.iterations, iterations);
        assertConsistent(points, found);
      }
    });

    it('does so over several tiles too, and for points far from the origin', () => {
      // 2^21 scores a tile: tiles of 2097 rows with 1000 clusters. Eighths stay exact when 4096 is added.
      const random = seeded();
      const data = Float32Array.from({ length: 5000 * 3 }, () => random.integer(4000) / 8);
      const points = { rows: 5000, dim: 3, data };
      const far = { ...points, data: data.map((value) => value + 4096) };
      const rows = random.sample(5000, 1000);
      const [near, moved] = [points, far].map((matrix) =>
        kMeans(matrix, { clusters: 1000, iterations: 1, start: selectRows(matrix, rows), random }),
      );
      const slow = slowLloyd(points, selectRows(points, rows), 1);
      assert.ok(Math.abs(near.objective / slow.objective - 1) < 1e-5, `${near.objective}, ${slow.objective}`);
      assert.ok(Math.abs(moved.objective / slow.objective - 1) < 1e-5, `${moved.objective}, ${slow.objective}`);
    });

    it('is spherical under cosine: lengths of rows do not count, centroids are unit vectors along the sums', () => {
      const { points } = drawClouds(300, 6, 8, { spread: 1 });
      const random = seeded(3);
      const factors = Float32Array.from({ length: 300 }, () => random.uniform(0.1, 10));
      const stretched = { ...points, data: points.data.map((v, at) => v * factors[Math.floor(at / 6)]) };
      const options: KMeansOptions = { clusters: 8, metric: 'cosine', random: seeded() };
      const found = kMeans(points, { ...options, random: seeded() });
      assert.deepEqual(kMeans(stretched, { ...options, random: seeded() }).assignment, found.assignment);
      assertConsistent(unit(points), found);
      for (let c = 0; c < 8; c++) {
        const centroid = found.centroids.data.subarray(c * 6, c * 6 + 6);
        assert.ok(Math.abs(Math.hypot(...centroid) - 1) < 1e-6);
        const sum = new Float64Array(6);
        unit(points).data.forEach((v, at) => {
          if (found.assignment[Math.floor(at / 6)] === c) sum[at % 6] += v;
        });
        centroid.forEach((value, j) => assert.ok(Math.abs(value - sum[j] / Math.hypot(...sum)) < 1e-2));
      }
    });

    it('leaves no tensor behind', () => {
      const { points } = drawClouds(200, 5, 6);
      const before = tf.memory().numTensors;
      kMeans(points, { clusters: 6, random: seeded(), runs: 2 });
      kMeans(points, { clusters: 6, random: seeded(), metric: 'cosine', start: 'random', empty: 'farthest' });
      assignNearest(points, selectRows(points, [1, 2, 3]));
      assert.throws(() => kMeans({ ...points, data: points.data.map(() => NaN) }, { clusters: 2, random: seeded() }));
      assert.equal(tf.memory().numTensors, before);
    });
  });

describe('kMeans', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('recovers clouds that lie apart, each as one cluster', () => {
    const { points, labels } = drawClouds(600, 10, 20);
    for (const metric of ['euclidean', 'cosine'] as const) {
      const { assignment, sizes } = kMeans(points, { clusters: 20, metric, random: seeded() });
      const names = new Map<number, number>();
      labels.forEach((label, i) => names.set(label, assignment[i]));
      assert.equal(new Set(names.values()).size, 20);
      labels.forEach((label, i) => assert.equal(assignment[i], names.get(label)));
      assert.deepEqual([...sizes], Array<number>(20).fill(30));
    }
  });

  it('never raises the objective from one iteration to the next', () => {
    const { points } = drawClouds(500, 8, 40, { spread: 1 });
    for (const metric of ['euclidean', 'cosine'] as const) {
      let last = Infinity;
      for (let iterations = 0; iterations < 12; iterations++) {
        const { objective } = kMeans(points, { clusters: 15, iterations, metric, start: 'random', random: seeded() });
        assert.ok(objective <= last * (1 + 1e-9), `${metric}, iteration ${iterations}: ${objective} after ${last}`);
        last = objective;
      }
    }
  });

  it('ends where no point changes its cluster, or where centroids move less than the tolerance', () => {
    const { points } = drawClouds(1000, 4, 30, { spread: 1 });
    const till = (tolerance: number): Clustering =>
      kMeans(points, { clusters: 10, iterations: 1000, tolerance, start: 'random', random: seeded() });
    const [all, some] = [till(0), till(1e-2)];
    assert.ok(all.iterations < 1000);
    assert.ok(some.iterations < all.iterations, `${some.iterations} and ${all.iterations}`);
    const again = kMeans(points, { clusters: 10, start: all.centroids, random: seeded() });
    assert.deepEqual(again.assignment, all.assignment);
    assertConsistent(points, some);
  });

  for (const empty of ['split', 'farthest'] as const)
    it(`gives a cluster that lost its points new ones (${empty})`, () => {
      const { points } = drawClouds(200, 3, 4);
      const start = selectRows(points, [0, 1, 2, 3, 4]);
      start.data.set([1e4, 1e4, 1e4], 0);
      start.data.set([-1e4, 1e4, 1e4], 3);
      const found = kMeans(points, { clusters: 5, start, empty, iterations: 30, random: seeded() });
      assert.ok(found.sizes.every((size) => size > 0));
      assertConsistent(points, found);
      const without = slowLloyd(points, selectRows(start, [2, 3, 4]), 30);
      assert.ok(found.objective < without.objective / 2, `${found.objective} and ${without.objective}`);
    });

  it('leaves no cluster empty where there are as many different points as clusters', () => {
    const distinct = [0, 1, 5, 6, 100, 101, 1000];
    const data = Float32Array.from({ length: 700 }, (_, i) => distinct[i < 690 ? 0 : i % 7]);
    for (const empty of ['split', 'farthest'] as const) {
      for (const start of ['random', 'k-means++'] as const) {
        for (const iterations of [0, 1, 20]) {
          const options = { clusters: 7, start, empty, iterations, random: seeded() };
          const found = kMeans({ rows: 700, dim: 1, data }, options);
          assert.ok(
            found.sizes.every((size) => size > 0),
            `${empty}, ${start}, ${iterations}: ${found.sizes.join()}`,
          );
          assert.equal(
            found.sizes.reduce((sum, size) => sum + size),
            700,
          );
        }
      }
    }
  });

  it('ends with empty clusters where there are fewer different points', () => {
    const data = Float32Array.from({ length: 40 }, (_, i) => i % 2);
    for (const start of ['random', 'k-means++'] as const) {
      const found = kMeans({ rows: 40, dim: 1, data }, { clusters: 5, start, random: seeded() });
      assert.equal(found.objective, 0);
      assert.equal(found.sizes.filter((size) => size > 0).length, 2);
    }
  });

  it('puts every point in its own cluster where there are as many', () => {
    const { points } = drawClouds(30, 4, 3);
    const found = kMeans(points, { clusters: 30, random: seeded() });
    assert.deepEqual([...found.sizes], Array<number>(30).fill(1));
    assert.ok(found.objective < 1e-8);
    const one = kMeans(points, { clusters: 1, random: seeded() });
    const slow = slowLloyd(points, selectRows(points, [0]), 1);
    assert.ok(Math.abs(one.objective / slow.objective - 1) < 1e-6);
  });

  it('gives the same bytes for the same stream, other starts for another', () => {
    const { points } = drawClouds(300, 6, 30, { spread: 1 });
    for (const start of ['random', 'k-means++'] as const) {
      const run = (seed: number): Clustering => kMeans(points, { clusters: 10, start, random: seeded(seed) });
      assert.deepEqual(run(1), run(1));
      assert.notDeepEqual(run(1).centroids, run(2).centroids);
    }
  });

  it('keeps the best of several runs', () => {
    const { points } = drawClouds(300, 6, 30, { spread: 1 });
    const random = seeded(4);
    const single = Array.from({ length: 5 }, () => kMeans(points, { clusters: 10, start: 'random', random }).objective);
    const best = kMeans(points, { clusters: 10, start: 'random', random: seeded(4), runs: 5 });
    assert.equal(best.objective, Math.min(...single));
    assert.ok(Math.max(...single) > best.objective);
  });

  it('starts better by k-means++ than by random points', () => {
    const { points } = drawClouds(1000, 5, 50);
    const begin = (start: 'random' | 'k-means++'): number =>
      kMeans(points, { clusters: 50, iterations: 0, start, random: seeded() }).objective;
    assert.ok(begin('k-means++') < begin('random') / 4, `${begin('k-means++')} and ${begin('random')}`);
  });

  it('says what it expected', () => {
    const { points } = drawClouds(10, 2, 2);
    const fails = (options: Partial<KMeansOptions>, message: RegExp): void =>
      assert.throws(() => kMeans(points, { clusters: 2, random: seeded(), ...options }), {
        name: 'RangeError',
        message,
      });
    fails({ clusters: 11 }, /`clusters` to be an integer from 1 to 10, the number of points, got `11`/);
    fails({ clusters: 0 }, /got `0`/);
    fails({ clusters: 1.5 }, /got `1.5`/);
    fails({ iterations: -1 }, /`iterations` to be an integer from 0 up, got `-1`/);
    fails({ runs: 0 }, /`runs` to be an integer from 1 up/);
    fails({ tolerance: NaN }, /`tolerance` to be a number from 0 up, got `NaN`/);
    fails({ start: selectRows(points, [0]) }, /`start` to hold 2 rows, got 1/);
    fails({ start: { rows: 2, dim: 1, data: new Float32Array(2) } }, /`start` of dimension 2, got 1/);
    fails(
      { start: { rows: 2, dim: 2, data: Float32Array.of(1, 2, 3, NaN) } },
      /`start` to be finite, got NaN .* row 1/,
    );
    fails({ start: selectRows(points, [0, 1]), runs: 2 }, /`runs` to be 1 where `start` gives the centroids/);
    for (const metric of ['euclidean', 'cosine'] as const) {
      const data = points.data.slice();
      data[7] = Infinity;
      assert.throws(
        () => kMeans({ ...points, data }, { clusters: 2, metric, random: seeded() }),
        /`points` to be finite, got NaN or Infinity in row 3/,
      );
    }
  });
});

describe('assignNearest', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('finds the nearest of rows that it was not fitted on, of equals the lowest', () => {
    const { points } = drawClouds(100, 7, 9, { spread: 1 });
    const { points: others } = drawClouds(40, 7, 9, { spread: 1, seed: 2 });
    const { assignment, distances } = assignNearest(points, others);
    for (let i = 0; i < 100; i++) {
      const all = Array.from({ length: 40 }, (_, c) => squaredDistance(points, i, others, c));
      assert.equal(assignment[i], all.indexOf(Math.min(...all)));
      assert.ok(Math.abs(distances[i] / Math.min(...all) - 1) < 1e-5);
    }
    const twice = selectRows(others, [3, 5, 3, 5]);
    assert.ok(assignNearest(points, twice).assignment.every((c) => c < 2));
  });

  it('compares directions under cosine, and leaves a row of zeros at 1', () => {
    const points = { rows: 3, dim: 2, data: Float32Array.of(5, 0, 0, 0.1, 0, 0) };
    const centroids = { rows: 2, dim: 2, data: Float32Array.of(0, 7, 1, 1) };
    const { assignment, distances } = assignNearest(points, centroids, { metric: 'cosine' });
    assert.deepEqual([...assignment], [1, 0, 0]);
    [2 - Math.SQRT2, 0, 1].forEach((value, i) => assert.ok(Math.abs(distances[i] - value) < 1e-6));
  });

  it('fails where dimensions differ', () => {
    const { points } = drawClouds(4, 3, 2);
    assert.throws(() => assignNearest(points, drawClouds(4, 2, 2).points), /`centroids` of dimension 3, got 2/);
  });
});
