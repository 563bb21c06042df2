import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf } from '../../src/runtime/tensors.js';
import { selectRows } from '../../src/neighbors/feature-matrix.js';
import { kMeans } from '../../src/neighbors/k-means.js';
import { miniBatchKMeans, type MiniBatchKMeansOptions } from '../../src/neighbors/mini-batch-k-means.js';
import { drawClouds, squaredDistance } from './clouds.js';

const seeded = (seed = 1): RandomStream => RandomStream.of(seed, 'mini-batch test');

describe('miniBatchKMeans', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('comes near the objective of the full algorithm', () => {
    const { points } = drawClouds(4000, 8, 30, { spread: 1 });
    for (const metric of ['euclidean', 'cosine'] as const) {
      const full = kMeans(points, { clusters: 12, metric, random: seeded(), iterations: 100, runs: 3 });
      const small = miniBatchKMeans(points, { clusters: 12, metric, batch: 256, random: seeded() });
      const start = kMeans(points, { clusters: 12, metric, random: seeded(), iterations: 0 });
      assert.ok(small.objective < full.objective * 1.06, `${metric}: ${small.objective} and ${full.objective}`);
      assert.ok(small.objective < start.objective * 0.9, `${metric}: ${small.objective} and ${start.objective}`);
    }
  });

  it('recovers clouds that lie apart', () => {
    const { points, labels } = drawClouds(2000, 10, 20);
    const { assignment, sizes } = miniBatchKMeans(points, { clusters: 20, batch: 100, random: seeded() });
    labels.forEach((label, i) => assert.equal(assignment[i], assignment[label]));
    assert.deepEqual([...sizes], Array<number>(20).fill(100));
  });

  it('keeps each centroid at the mean of all points that it ever got', () => {
    const { points } = drawClouds(500, 3, 1);
    const options = { clusters: 1, batch: 30, epochs: 0.6, patience: Infinity, start: selectRows(points, [3]) };
    const { centroids, iterations } = miniBatchKMeans(points, { ...options, random: seeded() });
    assert.equal(iterations, 10);
    const random = seeded();
    const mean = new Float64Array(3);
    for (let draw = 0; draw < 300; draw++) {
      const row = random.integer(500);
      for (let j = 0; j < 3; j++) mean[j] += points.data[row * 3 + j] / 300;
    }
    mean.forEach((value, j) => assert.ok(Math.abs(value - centroids.data[j]) < 1e-4, `${value}`));
  });

  it('gives back the distances, sizes and objective of its own centroids', () => {
    const { points } = drawClouds(700, 5, 10, { spread: 1 });
    const found = miniBatchKMeans(points, { clusters: 9, batch: 64, epochs: 2, random: seeded() });
    let sum = 0;
    for (let i = 0; i < 700; i++) {
      const all = Array.from({ length: 9 }, (_, c) => squaredDistance(points, i, found.centroids, c));
      assert.equal(found.assignment[i], all.indexOf(Math.min(...all)));
      sum += Math.min(...all);
    }
    assert.ok(Math.abs(found.objective / sum - 1) < 1e-5);
    assert.equal(
      found.sizes.reduce((total, size) => total + size),
      700,
    );
  });

  it('puts centroids that get no points on points, and leaves them alone with a share of 0', () => {
    const { points } = drawClouds(1200, 4, 6);
    const start = selectRows(points, [0, 1, 2, 3, 4, 5]);
    start.data.fill(1e4, 0, 8);
    const run = (reassign: number, iterations = 60): number => {
      const options = { clusters: 6, batch: 120, start, reassign, patience: Infinity, epochs: iterations / 10 };
      return miniBatchKMeans(points, { ...options, random: seeded(2) }).objective;
    };
    const four = kMeans(points, { clusters: 4, start: selectRows(points, [2, 3, 4, 5]), random: seeded() });
    assert.ok(run(0.01) < 0.8 * four.objective, `${run(0.01)} and ${four.objective}`);
    assert.ok(run(0) > run(0.01), `${run(0)} and ${run(0.01)}`);
  });

  it('leaves no cluster empty at its end', () => {
    const { points } = drawClouds(300, 4, 3);
    const start = selectRows(points, [0, 1, 2, 3]);
    start.data.fill(-1e4, 0, 4);
    const options = { clusters: 4, batch: 10, start, reassign: 0, epochs: 1, random: seeded() };
    assert.ok(miniBatchKMeans(points, options).sizes.every((size) => size > 0));
  });

  it('ends early where the smoothed objective falls no more', () => {
    const { points } = drawClouds(1000, 4, 5);
    const run = (patience: number): number =>
      miniBatchKMeans(points, { clusters: 5, batch: 100, epochs: 20, patience, random: seeded() }).iterations;
    assert.equal(run(Infinity), 200);
    assert.ok(run(5) < 100, `${run(5)}`);
  });

  it('gives the same bytes for the same stream, and leaves no tensor behind', () => {
    const { points } = drawClouds(500, 6, 30, { spread: 1 });
    const before = tf.memory().numTensors;
    const run = (seed: number) => miniBatchKMeans(points, { clusters: 10, batch: 50, random: seeded(seed) });
    assert.deepEqual(run(1), run(1));
    assert.notDeepEqual(run(1).centroids, run(2).centroids);
    assert.equal(tf.memory().numTensors, before);
  });

  it('says what it expected', () => {
    const { points } = drawClouds(10, 2, 2);
    const fails = (options: Partial<MiniBatchKMeansOptions>, message: RegExp): void =>
      assert.throws(() => miniBatchKMeans(points, { clusters: 2, random: seeded(), ...options }), {
        name: 'RangeError',
        message,
      });
    fails({ clusters: 11 }, /`clusters` to be an integer from 1 to 10/);
    fails({ batch: 0 }, /`batch` to be an integer from 1 up, got `0`/);
    fails({ epochs: 0 }, /`epochs` to be a number above 0, got `0`/);
    fails({ reassign: 1 }, /`reassign` to be a number from 0 to below 1, got `1`/);
    fails({ patience: 0 }, /`patience` to be a number from 1 up, got `0`/);
  });
});
