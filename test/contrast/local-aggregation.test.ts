import assert from 'node:assert/strict';
import { backgroundNeighbors } from '../../src/contrast/local-aggregation/background-neighbors.js';
import { CloseNeighbors } from '../../src/contrast/local-aggregation/close-neighbors.js';
import { localAggregationLoss } from '../../src/contrast/local-aggregation/local-aggregation-loss.js';
import {
  createLocalAggregation,
  type LocalAggregationOptions,
} from '../../src/contrast/local-aggregation/local-aggregation.js';
import { createNpid } from '../../src/contrast/npid/npid.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { mlp } from '../../src/network/head.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch, Method, Source } from '../../src/training/method.js';
import { assertLearns } from './assert-learns.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

/** The formula row by row in float64, with Z, which must make no difference. */
const slowLoss = (all: number[][], background: number[][], near: number[][], tau: number, z = 3.7): number => {
  const terms = all.map((row, i) => {
    let [both, whole] = [0, 0];
    row.forEach((s, j) => {
      const p = Math.exp(s / tau) / z;
      if (background[i]![j] === 1) whole += p;
      if (background[i]![j] === 1 && near[i]![j] === 1) both += p;
    });
    return -Math.log(both / whole + 1e-7);
  });
  return terms.reduce((a, b) => a + b, 0) / terms.length;
};

const all = [
  [0.9, 0.2, -0.4, 0.5],
  [0.1, 0.3, 0.8, -0.2],
];
const background = [
  [1, 1, 0, 1],
  [0, 1, 1, 1],
];
const near = [
  [1, 0, 1, 0],
  [0, 1, 0, 1],
];

const lossOf = (s: number[][], b: number[][], c: number[][], tau: number): number =>
  tf.tidy(
    () =>
      localAggregationLoss(
        { all: tf.tensor2d(s), background: tf.tensor2d(b), close: tf.tensor2d(c) },
        tau,
      ).loss.dataSync()[0]!,
  );

describe('loss of local aggregation', () => {
  before(() => openRuntime({ threads: 1 }));

  it('agrees with the formula row by row; Z cancels', () => {
    for (const tau of [0.07, 0.5, 3]) {
      for (const z of [1, 2876934.2])
        close(lossOf(all, background, near, tau), slowLoss(all, background, near, tau, z));
    }
  });

  it('is 0 where all of the background is close, and ln of the ratio of their numbers where all are alike', () => {
    close(lossOf(all, background, background, 0.1), 0);
    const alike = all.map((row) => row.map(() => 0.5));
    close(lossOf(alike, background, near, 0.07), (Math.log(3) + Math.log(3 / 2)) / 2);
  });

  it('is -ln 1e-7 with no gradient where no close neighbour is in the background', () => {
    const none = [
      [0, 0, 1, 0],
      [1, 0, 0, 0],
    ];
    close(lossOf(all, background, none, 0.1), -Math.log(1e-7), 1e-4);
    tf.tidy(() => {
      const masks = { background: tf.tensor2d(background), close: tf.tensor2d(none) };
      const gradient = tf.grad((s) => localAggregationLoss({ all: s as Tensor2D, ...masks }, 0.1).loss)(
        tf.tensor2d(all),
      );
      assert.ok(gradient.dataSync().every((value) => value === 0));
    });
  });

  it('has the numeric gradient: close neighbours are drawn near, the rest of the background is pushed away, and no others', () => {
    const tau = 0.3;
    const masks = () => ({ background: tf.tensor2d(background), close: tf.tensor2d(near) });
    const gradient = tf.tidy(
      () =>
        tf
          .grad((s) => localAggregationLoss({ all: s as Tensor2D, ...masks() }, tau).loss)(tf.tensor2d(all))
          .arraySync() as number[][],
    );
    const h = 1e-5;
    all.forEach((row, i) =>
      row.forEach((_, k) => {
        const moved = (by: number): number[][] => all.map((r, j) => r.map((v, m) => (j === i && m === k ? v + by : v)));
        const at = (by: number): number => slowLoss(moved(by), background, near, tau);
        close(gradient[i]![k]!, (at(h) - at(-h)) / (2 * h), 1e-4);
        const sign = background[i]![k] === 0 ? 0 : near[i]![k] === 1 ? -1 : 1;
        assert.ok(Math.sign(gradient[i]![k]!) === sign, `row ${i}, neighbour ${k}`);
      }),
    );
  });

  it('stays finite at temperatures at which exponentials would overflow', () => {
    assert.ok(Number.isFinite(lossOf(all, background, near, 0.001)));
  });
});

describe('background neighbours', () => {
  before(() => openRuntime({ threads: 1 }));

  const mask = (count: number): number[][] => tf.tidy(() => backgroundNeighbors(tf.tensor2d(all), count).arraySync());

  it('are the most similar rows of each embedding', () => {
    assert.deepEqual(mask(1), [
      [1, 0, 0, 0],
      [0, 0, 1, 0],
    ]);
    assert.deepEqual(mask(3), [
      [1, 1, 0, 1],
      [1, 1, 1, 0],
    ]);
  });

  it('are all rows where there are no more', () => {
    for (const count of [4, 4096]) assert.deepEqual(mask(count), [new Array(4).fill(1), new Array(4).fill(1)]);
  });
});

describe('close neighbours', () => {
  before(() => openRuntime({ threads: 1 }));

  // Two clusterings of five samples.
  const neighbors = new CloseNeighbors(Int32Array.of(0, 0, 1, 1, 2, 7, 3, 3, 1, 1), 2);

  it('are the samples of the own cluster in any of the clusterings, the sample itself among them', () => {
    const mask = neighbors.mask(Int32Array.of(1, 0, 3));
    assert.deepEqual(
      [0, 1, 2].map((row) => [...mask.subarray(row * 5, row * 5 + 5)]),
      [
        [1, 1, 1, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 1, 1],
      ],
    );
  });

  it('are counted once each', () => {
    const mask = neighbors.mask(Int32Array.of(0, 1, 2, 3, 4));
    const counts = [0, 1, 2, 3, 4].map((row) => mask.subarray(row * 5, row * 5 + 5).reduce((a, b) => a + b));
    assert.deepEqual([...neighbors.sizes()], counts);
  });

  it('of points in clear clusters are the other points of the cluster', () => {
    const random = RandomStream.of(3, 'points');
    const truth = Int32Array.from({ length: 60 }, (_, i) => i % 3);
    const data = Float32Array.from(
      { length: 180 },
      (_, at) => (at % 3 === truth[Math.floor(at / 3)] ? 1 : 0) + random.normal(0, 0.05),
    );
    const options = { clusterings: 1, clusters: 3, iterations: 20 };
    // A start may put two centroids into one cluster; the union of some clusterings has every true neighbour all the same.
    const found = CloseNeighbors.find({ rows: 60, dim: 3, data }, { ...options, clusterings: 6 }, RandomStream.of(4));
    const mask = found.mask(Int32Array.of(0));
    truth.forEach((cluster, i) => {
      if (cluster === 0) assert.equal(mask[i], 1, `sample ${i} is missing`);
    });
    const [one, same, other] = [4, 4, 5].map((seed) =>
      CloseNeighbors.find({ rows: 60, dim: 3, data }, { ...options, clusters: 9 }, RandomStream.of(seed)),
    );
    assert.deepEqual(one!.assignments, same!.assignments);
    assert.notDeepEqual(one!.assignments, other!.assignments);
  });

  it('of more clusterings are never fewer', () => {
    const random = RandomStream.of(8, 'points');
    const points = { rows: 80, dim: 2, data: Float32Array.from({ length: 160 }, () => random.normal()) };
    const sizes = [1, 5].map((clusterings) =>
      CloseNeighbors.find(points, { clusterings, clusters: 10, iterations: 5 }, RandomStream.of(9)).sizes(),
    );
    assert.ok(sizes[0]!.every((size, i) => size <= sizes[1]![i]!));
    assert.ok(sizes[0]!.some((size, i) => size < sizes[1]![i]!));
  });

  it('need as many assignments in every clustering', () => {
    assert.throws(
      () => new CloseNeighbors(Int32Array.of(1, 2, 3), 2),
      /Expected 2 clusterings of the same samples, got 3/,
    );
  });
});

describe('local aggregation', () => {
  before(() => openRuntime({ threads: 1 }));

  const dim = 4;
  /** Embeds a picture of four values as their unit row. */
  const trunk = {
    layers: [{ name: 'embedding', channels: dim }],
    embed: (images: Tensor4D) => {
      const rows = tf.reshape(images, [-1, dim]) as Tensor2D;
      return tf.div(rows, tf.norm(rows, 2, 1, true)) as Tensor2D;
    },
  } as unknown as Trunk;
  const samples = 12;
  const images = (rows: number): Tensor4D => {
    const random = RandomStream.of(6, 'images');
    return tf.tensor4d(
      Array.from({ length: rows * dim }, () => random.normal()),
      [rows, 1, 1, dim],
    );
  };
  const batchOf = (step: number, epoch = 0, indices = [0, 3, 5]): Batch => ({
    indices: Int32Array.from(indices),
    videos: Int32Array.from(indices),
    step,
    epoch,
    random: RandomStream.of(3, 'step', step),
  });
  const aggregation = (options: Partial<LocalAggregationOptions<string>> = {}): Method<string> => {
    const method = createLocalAggregation<string>({
      drawView: () => 'a',
      steps: 10,
      warmUp: 0,
      estimator: 'softmax',
      clusterings: 2,
      samplesPerCluster: 3,
      background: 8,
      tau: 0.5,
      ...options,
    });
    method.init(trunk, { length: samples } as Source<string>, RandomStream.of(1));
    return method;
  };
  const run = (method: Method<string>, batch: Batch): number =>
    tf.tidy(() => {
      const { loss, commit } = method.step([images(batch.indices.length)], batch);
      commit!();
      return loss.dataSync()[0]!;
    });
  const clustersOf = (method: Method<string>): number[] => [...(method.save()['clusters']?.data ?? [])];

  it('begins as instance discrimination: same losses, same bank', () => {
    const ours = aggregation({ warmUp: 0.3 });
    const npid = createNpid<string>({ drawView: () => 'a', estimator: 'softmax', tau: 0.5 });
    npid.init(trunk, { length: samples } as Source<string>, RandomStream.of(1));
    for (const step of [0, 1, 2]) {
      assert.equal(run(ours, batchOf(step)), run(npid, batchOf(step)));
      assert.deepEqual(ours.save()['bank'], npid.save()['bank']);
      assert.equal(ours.uniformLoss(step), Math.log(samples));
      assert.deepEqual(clustersOf(ours), []);
    }
    assert.notEqual(run(ours, batchOf(3)), run(npid, batchOf(3)));
    assert.ok(clustersOf(ours).length > 0, 'no clusters after the warm-up');
  });

  it('compares with the bank as it was, the background and the clusters of it', () => {
    const method = aggregation({ background: 5 });
    const { data } = method.save()['bank']!;
    const rows = tf.tidy(() => trunk.embed(images(3), 'train').arraySync());
    const batch = batchOf(0);
    const loss = run(method, batch);
    const clusters = clustersOf(method);
    const similarities = rows.map((row) =>
      Array.from({ length: samples }, (_, j) => row.reduce((sum, value, k) => sum + value * data[j * dim + k]!, 0)),
    );
    const top = similarities.map((row) => {
      const least = [...row].sort((a, b) => b - a)[4]!;
      return row.map((s) => (s >= least ? 1 : 0));
    });
    const beside = [...batch.indices].map((i) =>
      Array.from({ length: samples }, (_, j) =>
        [0, 1].some((h) => clusters[h * samples + i] === clusters[h * samples + j]) ? 1 : 0,
      ),
    );
    close(loss, slowLoss(similarities, top, beside, 0.5), 1e-4);
  });

  it('clusters the bank anew at every epoch, or after so many', () => {
    const found = [1, 2].map((refreshEpochs) => {
      const method = aggregation({ refreshEpochs });
      return [0, 1, 2].map((epoch) => {
        for (const at of [0, 1])
          run(method, batchOf(2 * epoch + at, epoch, [at, 2 + at, 4 + at, 6 + at, 8 + at, 10 + at]));
        return clustersOf(method).join();
      });
    });
    assert.equal(new Set(found[0]).size, 3, 'the same clusters in two epochs');
    assert.equal(found[1]![0], found[1]![1]);
    assert.notEqual(found[1]![1], found[1]![2]);
  });

  it('within an epoch keeps its clusters, through save and load as well', () => {
    const method = aggregation();
    run(method, batchOf(0));
    const before = clustersOf(method);
    const other = aggregation();
    other.load(method.save());
    assert.equal(run(method, batchOf(1)), run(other, batchOf(1)));
    assert.deepEqual(clustersOf(method), before);
    assert.deepEqual(other.save(), method.save());
  });

  it('moves the bank by its momentum, and clusters for as many rounds as it is told', () => {
    const moved = [0, 0.9].map((momentum) => {
      const method = aggregation({ momentum });
      run(method, batchOf(0));
      return [...method.save()['bank']!.data];
    });
    assert.notDeepEqual(moved[0], moved[1]);
    const rows = tf.tidy(() => [...trunk.embed(images(3), 'train').dataSync()]);
    for (let k = 0; k < dim; k++) close(moved[0]![3 * dim + k]!, rows[dim + k]!);
    const found = [1, 20].map((iterations) => {
      const method = createLocalAggregation<string>({
        drawView: () => 'a',
        steps: 10,
        warmUp: 0,
        clusterings: 3,
        samplesPerCluster: 10,
        iterations,
      });
      method.init(trunk, { length: 200 } as Source<string>, RandomStream.of(1));
      run(method, batchOf(0));
      return clustersOf(method).join();
    });
    assert.notEqual(found[0], found[1]);
  });

  it('has as many clusters as its samples ask for', () => {
    for (const [samplesPerCluster, clusters] of [
      [3, 4],
      [6, 2],
      [100, 1],
    ] as const) {
      const method = aggregation({ samplesPerCluster, clusterings: 1 });
      run(method, batchOf(0));
      assert.equal(new Set(clustersOf(method)).size, clusters);
    }
  });

  it('names the loss of equal features: the share that close neighbours have of all samples', () => {
    const method = aggregation({ clusterings: 1 });
    run(method, batchOf(0));
    const clusters = clustersOf(method);
    const expected = clusters.map((own) => Math.log(samples / clusters.filter((other) => other === own).length));
    close(method.uniformLoss(0), expected.reduce((a, b) => a + b) / samples);
    // A bank of equal rows gives it, where the batch is all samples.
    const equal = aggregation({ clusterings: 1 });
    const state = {
      ...method.save(),
      bank: { shape: [samples, dim], data: new Float32Array(samples * dim).fill(0.5) },
    };
    equal.load(state);
    close(run(equal, batchOf(1, 0, [...Array(samples).keys()])), method.uniformLoss(0), 1e-4);
  });

  it('resumes exactly, in the warm-up and after it, with batch norm in its head', () =>
    assertExactResume(() =>
      createLocalAggregation<TestView>({
        drawView: drawTestView(),
        steps: 5,
        warmUp: 0.4,
        bankStart: 'features',
        noise: 5,
        clusterings: 2,
        samplesPerCluster: 3,
        background: 6,
        projector: mlp({ hidden: [8], dim: 8, batchNorm: 'hidden' }),
      }),
    ));

  it('teaches convolutions and head', () => {
    const small = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
    const source = testSource();
    const method = createLocalAggregation<TestView>({
      drawView: drawTestView(),
      steps: 10,
      warmUp: 0,
      samplesPerCluster: 3,
      background: 6,
      projector: mlp({ hidden: [], dim: 8, batchNorm: 'none' }),
    });
    method.init(small, source, RandomStream.of(2));
    const view = source.plain(Int32Array.of(0, 3, 5));
    assertLearns(method, small, [view], batchOf(0));
    view.dispose();
    method.dispose();
    small.dispose();
  });

  it('refuses options out of range, by name', () => {
    for (const name of ['background', 'clusterings', 'iterations', 'refreshEpochs', 'noise'] as const) {
      assert.throws(() => aggregation({ [name]: 0.5 }), new RegExp(`Expected \`${name}\` to be a whole number`));
    }
    for (const name of ['warmUp', 'momentum'] as const) {
      assert.throws(
        () => aggregation({ [name]: 1 }),
        new RegExp(`Expected \`${name}\` to be a number from 0 to below 1`),
      );
    }
    assert.throws(() => aggregation({ samplesPerCluster: 0.5 }), /Expected `samplesPerCluster`/);
    assert.throws(() => aggregation({ tau: -1 }), /Expected `tau`/);
  });
});
