import assert from 'node:assert/strict';
import { deepClusterV2Method } from '../../pipelines/methods/deepcluster-v2.js';
import { clusterPredictionLoss, type ClusterHead } from '../../src/contrast/deepcluster-v2/cluster-prediction.js';
import { createDeepClusterV2, type DeepClusterV2Options } from '../../src/contrast/deepcluster-v2/deepcluster-v2.js';
import { normalisedMutualInformation } from '../../src/contrast/mutual-information.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { mlp } from '../../src/network/head.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch, Method } from '../../src/training/method.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

const unitRows = (rows: number, dim: number, seed: number): number[][] => {
  const random = RandomStream.of(seed, 'rows');
  return Array.from({ length: rows }, () => {
    const row = Array.from({ length: dim }, () => random.normal());
    const length = Math.hypot(...row);
    return row.map((value) => value / length);
  });
};

/** The loss crop by crop, head by head, in float64. */
const slowLoss = (z: number[][], heads: { centroids: number[][]; labels: number[] }[], temperature: number): number => {
  let total = 0;
  for (const { centroids, labels } of heads) {
    z.forEach((row, i) => {
      const scores = centroids.map((c) =>
        Math.exp(c.reduce((sum, value, j) => sum + value * row[j]!, 0) / temperature),
      );
      total -= Math.log(scores[labels[i % labels.length]!]! / scores.reduce((a, b) => a + b, 0)) / z.length;
    });
  }
  return total / heads.length;
};

const tensorsOf = ({ centroids, labels }: { centroids: number[][]; labels: number[] }): ClusterHead => ({
  centroids: tf.tensor2d(centroids),
  labels: tf.tensor1d(labels, 'int32'),
});

describe('cluster prediction', () => {
  before(() => openRuntime({ threads: 1 }));
  const z = unitRows(6, 4, 1);
  const heads = [
    { centroids: unitRows(3, 4, 2), labels: [2, 0] },
    { centroids: unitRows(5, 4, 3), labels: [4, 1] },
  ];
  const lossOf = (rows: number[][], own = heads, temperature = 0.1): number =>
    tf.tidy(() => clusterPredictionLoss(tf.tensor2d(rows), own.map(tensorsOf), temperature).dataSync()[0]!);

  it('agrees with its formula crop by crop and head by head, at any temperature', () => {
    close(lossOf(z), slowLoss(z, heads, 0.1), 1e-4);
    close(lossOf(z, heads, 0.8), slowLoss(z, heads, 0.8));
    close(lossOf(z, heads.slice(1)), slowLoss(z, heads.slice(1), 0.1), 1e-4);
  });

  it('is ln K for rows that are as near to every centroid, and near 0 on the own centroid', () => {
    const axes = [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ];
    const third = Math.sqrt(1 / 3);
    close(lossOf([[third, third, third]], [{ centroids: axes, labels: [1] }]), Math.log(3));
    close(lossOf([axes[2]!, axes[2]!], [{ centroids: axes, labels: [2] }]), Math.log(1 + 2 * Math.exp(-10)), 1e-6);
  });

  it('does not depend on the order of the samples, of the crops, of the heads, nor on the numbers of the clusters', () => {
    const swapped = [z[1]!, z[0]!, z[3]!, z[2]!, z[5]!, z[4]!];
    const turned = heads.map(({ centroids, labels }) => ({ centroids, labels: [...labels].reverse() }));
    close(lossOf(swapped, turned), lossOf(z));
    close(lossOf([...z.slice(2), ...z.slice(0, 2)]), lossOf(z));
    close(lossOf(z, [...heads].reverse()), lossOf(z));
    const renamed = heads.map(({ centroids, labels }) => ({
      centroids: [...centroids].reverse(),
      labels: labels.map((label) => centroids.length - 1 - label),
    }));
    close(lossOf(z, renamed), lossOf(z));
  });

  it('has the gradient of finite differences in the rows', () => {
    tf.tidy(() => {
      const found = tf
        .grad((x) => clusterPredictionLoss(x as Tensor2D, heads.map(tensorsOf), 0.3))(tf.tensor2d(z))
        .arraySync() as number[][];
      const h = 1e-5;
      z.forEach((row, i) =>
        row.forEach((_, j) => {
          const at = (by: number): number =>
            slowLoss(
              z.map((r, k) => r.map((value, m) => (k === i && m === j ? value + by : value))),
              heads,
              0.3,
            );
          close(found[i]![j]!, (at(h) - at(-h)) / (2 * h), 1e-5);
        }),
      );
    });
  });
});

describe('normalised mutual information', () => {
  const of = (a: number[], b: number[]): number => normalisedMutualInformation(Int32Array.from(a), Int32Array.from(b));

  it('is 1 for the same clusters under other numbers, and 0 where one says nothing about the other', () => {
    close(of([0, 0, 1, 1, 2], [5, 5, 0, 0, 3]), 1, 1e-12);
    close(of([0, 0, 1, 1], [0, 1, 0, 1]), 0, 1e-12);
    assert.equal(of([0, 0, 0], [0, 1, 2]), 0);
    assert.equal(of([0, 0, 0], [4, 4, 4]), 1);
  });

  it('agrees with the definition over pairs of clusters', () => {
    const a = [0, 0, 0, 1, 1, 2, 2, 2, 2, 1];
    const b = [0, 1, 0, 1, 1, 2, 0, 2, 2, 2];
    const share = (test: (i: number) => boolean): number => a.filter((_, i) => test(i)).length / a.length;
    let information = 0;
    let [ofA, ofB] = [0, 0];
    for (const k of [0, 1, 2]) {
      const [p, q] = [share((i) => a[i] === k), share((i) => b[i] === k)];
      ofA -= p * Math.log(p);
      ofB -= q * Math.log(q);
      for (const l of [0, 1, 2]) {
        const both = share((i) => a[i] === k && b[i] === l);
        if (both > 0) information += both * Math.log(both / (p * share((i) => b[i] === l)));
      }
    }
    close(of(a, b), information / Math.sqrt(ofA * ofB), 1e-12);
    close(of(b, a), of(a, b), 1e-12);
  });

  it('refuses assignments of other samples', () => {
    assert.throws(() => of([0, 1], [0]), /Expected two assignments of the same samples, got 2 and 1/);
    assert.throws(() => of([], []), /got 0 and 0/);
  });
});

describe('DeepCluster v2', () => {
  before(() => openRuntime({ threads: 2 }));

  const create = (options: Partial<DeepClusterV2Options<TestView>> = {}): Method<TestView> =>
    createDeepClusterV2({
      drawView: drawTestView({ from: 2, size: 16 }),
      localCrops: 1,
      clusters: 3,
      heads: 3,
      projector: mlp({ hidden: [16], dim: 8, batchNorm: 'hidden' }),
      ...options,
    });
  const source = testSource({ size: 32, samples: 8 });
  const embedAll = (embed?: (images: Tensor4D) => Tensor2D): Tensor2D =>
    tf.tidy(() => embed!(source.plain(Int32Array.from({ length: source.length }, (_, i) => i))));
  const open = (options: Partial<DeepClusterV2Options<TestView>> = {}) => {
    const trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
    const method = create(options);
    method.init(trunk, source, RandomStream.of(1, 'method'));
    return { method, trunk, close: () => [method, trunk].forEach((part) => part.dispose()) };
  };
  const stepOf = (method: Method<TestView>, indices: number[], commit: boolean) => {
    const batch: Batch = {
      indices: Int32Array.from(indices),
      videos: Int32Array.from(indices),
      step: 0,
      epoch: 0,
      random: RandomStream.of(1, 'step'),
    };
    const draws = indices.map((i) => method.views(source.info(i), RandomStream.of(3, i)));
    return tf.tidy(() => {
      const { loss, signals, commit: after } = method.step(source.render(batch.indices, draws), batch);
      const embedding = (signals['embedding'] as Tensor).arraySync() as number[][];
      const accuracy = (signals['accuracy'] as Tensor).dataSync()[0]!;
      if (commit) after!();
      (signals['embedding'] as Tensor).dispose();
      return { loss: loss.dataSync()[0]!, embedding, accuracy };
    });
  };
  const rowsOf = (method: Method<TestView>, name: string): number[][] => {
    const { shape, data } = method.save()[name]!;
    const [rows, dim] = shape as [number, number];
    return Array.from({ length: rows }, (_, i) => [...data.subarray(i * dim, (i + 1) * dim)]);
  };

  it('goes on from any step to the same bytes, within and between epochs', () =>
    assertExactResume(create, { size: 32 }));

  it('begins with the rows of the plain pictures in both memories, clustered by nearest unit centroid', () => {
    const { method, close: end } = open();
    method.beforeEpoch!(0, embedAll);
    assert.deepEqual(rowsOf(method, 'memory/0'), rowsOf(method, 'memory/1'));
    for (const head of [0, 1, 2]) {
      const centroids = rowsOf(method, `centroids/${head}`);
      for (const centroid of centroids) close(Math.hypot(...centroid), 1, 1e-4);
      const assignment = method.save()[`assignment/${head}`]!.data;
      rowsOf(method, 'memory/0').forEach((row, i) => {
        const cosines = centroids.map((c) => c.reduce((sum, value, j) => sum + value * row[j]!, 0));
        close(cosines[assignment[i]!]!, Math.max(...cosines), 1e-5);
      });
      assert.equal(new Set(assignment).size, 3, 'a cluster is empty');
    }
    end();
  });

  it('remembers the two large crops of the batch, after the step, in the rows of its samples and in no other', () => {
    const { method, close: end } = open();
    method.beforeEpoch!(0, embedAll);
    const before = [rowsOf(method, 'memory/0'), rowsOf(method, 'memory/1')];
    stepOf(method, [5, 2], false);
    assert.deepEqual(rowsOf(method, 'memory/0'), before[0], 'moved before the commit');
    const { embedding } = stepOf(method, [5, 2], true);
    for (const crop of [0, 1]) {
      rowsOf(method, `memory/${crop}`).forEach((row, sample) => {
        const at = [5, 2].indexOf(sample);
        const expected = at < 0 ? before[crop]![sample]! : embedding[crop * 2 + at]!;
        row.forEach((value, j) => close(value, expected[j]!, 1e-6));
      });
    }
    end();
  });

  it('holds the centroids within an epoch, and moves them between epochs', () => {
    const { method, close: end } = open();
    method.beforeEpoch!(0, embedAll);
    const before = rowsOf(method, 'centroids/0');
    stepOf(method, [0, 1, 2, 3], true);
    assert.deepEqual(rowsOf(method, 'centroids/0'), before);
    assert.ok([...method.variables().keys()].every((name) => name.startsWith('projector.')));
    method.beforeEpoch!(1, embedAll);
    assert.notDeepEqual(rowsOf(method, 'centroids/0'), before);
    end();
  });

  it('clusters the memory of either large crop by turns', () => {
    const { method, close: end } = open();
    method.beforeEpoch!(0, embedAll);
    const state = { ...method.save() };
    for (const memory of [0, 1]) {
      state[`memory/${memory}`] = { shape: [8, 8], data: Float32Array.from(unitRows(8, 8, memory).flat()) };
    }
    method.load(state);
    method.beforeEpoch!(1, embedAll);
    for (const head of [0, 1, 2]) {
      const centroids = rowsOf(method, `centroids/${head}`);
      const nearest = [0, 1].map((memory) =>
        rowsOf(method, `memory/${memory}`).map((row) => {
          const cosines = centroids.map((c) => c.reduce((sum, value, j) => sum + value * row[j]!, 0));
          return cosines.indexOf(Math.max(...cosines));
        }),
      );
      const assignment = [...method.save()[`assignment/${head}`]!.data];
      assert.deepEqual(nearest[head % 2], assignment);
      assert.notDeepEqual(nearest[1 - (head % 2)], assignment);
    }
    end();
  });

  it('says how far it predicts the labels of the first head', () => {
    const { method, close: end } = open();
    method.beforeEpoch!(0, embedAll);
    const { embedding, accuracy } = stepOf(method, [0, 1, 2, 3], false);
    const assignment = method.save()['assignment/0']!.data;
    const centroids = rowsOf(method, 'centroids/0');
    const right = embedding.filter((row, i) => {
      const cosines = centroids.map((c) => c.reduce((sum, value, j) => sum + value * row[j]!, 0));
      return cosines.indexOf(Math.max(...cosines)) === assignment[i % 4];
    });
    close(accuracy, right.length / 8);
    end();
  });

  it('refuses parameters out of range by name, and more clusters than samples', () => {
    const wrong: Partial<DeepClusterV2Options<TestView>>[] = [
      { localCrops: 0.5 },
      { clusters: 1 },
      { heads: 0 },
      { iterations: 0 },
      { temperature: 0 },
    ];
    for (const options of wrong) {
      assert.throws(() => create(options), new RegExp(`Expected \`${Object.keys(options)[0]}\``));
    }
    assert.throws(() => create({ projector: 'embedding' }), /`localCrops`/);
    assert.throws(() => open({ clusters: 9 }), /Expected `clusters` to be at most the 8 samples there are, got `9`/);
  });

  it('names ln K as the loss of nothing learned, whatever the number of heads', () => {
    close(create().uniformLoss(0), Math.log(3));
    assert.equal(
      deepClusterV2Method.views(deepClusterV2Method.params.parse({ localCrops: 4 }), { inputSize: 96 }).length,
      6,
    );
  });
});
