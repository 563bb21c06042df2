import assert from 'node:assert/strict';
import { deepClusterMethod } from '../../pipelines/methods/deepcluster.js';
import { createDeepCluster, type DeepClusterOptions } from '../../src/contrast/deepcluster/deepcluster.js';
import { clusterSizes, pseudoLabels, uniformOverClusters } from '../../src/contrast/deepcluster/pseudo-labels.js';
import { sobelEdges } from '../../src/contrast/deepcluster/sobel.js';
import { TopLayer } from '../../src/contrast/deepcluster/top-layer.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { mlp } from '../../src/network/head.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { softmaxCrossEntropy } from '../../src/runtime/ops/softmax-cross-entropy.js';
import { tf, type Scalar, type Tensor, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch, Method } from '../../src/training/method.js';
import { epochOrder } from '../../src/training/data-order.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

describe('pseudo-labels', () => {
  before(() => openRuntime({ threads: 1 }));

  /** Three groups, of unlike size, far apart in a few of the directions, beside one direction of large variance that is noise. */
  const groups = () => {
    const random = RandomStream.of(1, 'groups');
    const truth = Int32Array.from({ length: 60 }, (_, i) => (i < 40 ? 0 : i < 52 ? 1 : 2));
    const data = Float32Array.from(
      [...truth].flatMap((group) => [
        5 * random.normal(),
        (group === 1 ? 8 : 0) + 0.1 * random.normal(),
        (group === 2 ? 8 : 0) + 0.1 * random.normal(),
        0.1 * random.normal(),
      ]),
    );
    return { truth, features: { rows: 60, dim: 4, data } };
  };

  it('find groups, whatever the scale of the directions, and use every cluster', () => {
    const { truth, features } = groups();
    const labels = pseudoLabels(features, { clusters: 5, components: 3, iterations: 20, random: RandomStream.of(2) });
    assert.equal(new Set(labels).size, 5);
    // No cluster has points of two groups.
    const groupsOf = new Map<number, Set<number>>();
    labels.forEach((label, i) => groupsOf.set(label, (groupsOf.get(label) ?? new Set()).add(truth[i]!)));
    const mixed = [...groupsOf.values()].filter((found) => found.size > 1);
    assert.equal(mixed.length, 0);
  });

  it('do not change when a direction is stretched: features are whitened', () => {
    const { features } = groups();
    const of = (data: Float32Array): Int32Array =>
      pseudoLabels({ ...features, data }, { clusters: 3, components: 4, iterations: 20, random: RandomStream.of(3) });
    const stretched = features.data.map((value, at) => (at % 4 === 3 ? value * 64 : value));
    const [a, b] = [of(features.data), of(stretched)];
    const same = (labels: Int32Array): boolean[] => [...labels].map((label, i) => label === labels[(i * 7 + 1) % 60]);
    assert.deepEqual(same(a), same(b));
  });

  it('depend on the number of components, and are the same for the same stream', () => {
    const { features } = groups();
    const of = (components: number, seed: number): number[] => [
      ...pseudoLabels(features, { clusters: 4, components, iterations: 20, random: RandomStream.of(seed) }),
    ];
    assert.deepEqual(of(3, 1), of(3, 1));
    assert.notDeepEqual(of(1, 1), of(3, 1));
  });

  it('are drawn so that every cluster comes as often', () => {
    const assignment = Int32Array.from({ length: 100 }, (_, i) => (i < 80 ? 0 : i < 98 ? 1 : 2));
    assert.deepEqual([...clusterSizes(assignment, 3)], [80, 18, 2]);
    const weights = uniformOverClusters(assignment, 3);
    close(
      weights.slice(0, 80).reduce((a, b) => a + b),
      1,
      1e-12,
    );
    close(
      weights.slice(98).reduce((a, b) => a + b),
      1,
      1e-12,
    );
    const drawn = new Int32Array(3);
    for (let epoch = 0; epoch < 30; epoch++) {
      for (const sample of epochOrder(100, 1, epoch, weights)) drawn[assignment[sample]!]!++;
    }
    for (const count of drawn) close(count / 3000, 1 / 3, 0.04);
  });
});

describe('top layer', () => {
  before(() => openRuntime({ threads: 1 }));
  const h = [
    [1, 0.5, 0],
    [0, 2, 1],
    [0.3, 0, 0.7],
    [1, 1, 1],
  ];
  const labels = [1, 0, 1, 3];
  const set = (layer: TopLayer, weight: number[], bias: number[]): void =>
    layer.load({
      'top/weight': { shape: [3, 4], data: Float32Array.from(weight) },
      'top/bias': { shape: [4], data: Float32Array.from(bias) },
    });
  const random = RandomStream.of(5);
  const weight = Array.from({ length: 12 }, () => random.normal());
  const bias = Array.from({ length: 4 }, () => random.normal());
  const slowLogits = (w: number[], b: number[]): number[][] =>
    h.map((row) => b.map((value, k) => value + row.reduce((sum, x, i) => sum + x * w[i * 4 + k]!, 0)));
  const slowLoss = (w: number[], b: number[]): number =>
    slowLogits(w, b).reduce((sum, logits, i) => {
      const total = logits.reduce((a, value) => a + Math.exp(value), 0);
      return sum - Math.log(Math.exp(logits[labels[i]!]!) / total) / h.length;
    }, 0);

  it('is drawn with a standard deviation of 0.01 and no bias', () => {
    const layer = new TopLayer(60, 50);
    layer.redraw(RandomStream.of(1));
    const { 'top/weight': drawn, 'top/bias': zero } = layer.save();
    close(Math.sqrt(Array.from(drawn!.data).reduce((sum, v) => sum + v * v, 0) / 3000), 0.01, 5e-4);
    assert.ok(zero!.data.every((value) => value === 0));
    layer.dispose();
  });

  it('moves by rate times the gradient of the mean cross-entropy, weights and biases shrinking by their decay', () => {
    const layer = new TopLayer(3, 4);
    for (const { rate, decay } of [
      { rate: 0.3, decay: 0 },
      { rate: 0.5, decay: 0.2 },
    ]) {
      set(layer, weight, bias);
      tf.tidy(() => {
        const rows = tf.tensor2d(h);
        const logits = layer.logits(rows);
        const expected = slowLogits(weight, bias);
        logits.arraySync().forEach((row, i) => row.forEach((value, k) => close(value, expected[i]![k]!)));
        layer.learn(rows, logits, tf.tensor1d(labels, 'int32'), { rate, decay });
      });
      const step = 1e-5;
      const slope = (values: number[], at: number, loss: (v: number[]) => number): number => {
        const moved = (by: number): number[] => values.map((value, i) => (i === at ? value + by : value));
        return (loss(moved(step)) - loss(moved(-step))) / (2 * step);
      };
      layer.save()['top/weight']!.data.forEach((value, at) => {
        const gradient = slope(weight, at, (w) => slowLoss(w, bias));
        close(value, weight[at]! - rate * (gradient + decay * weight[at]!), 1e-5);
      });
      layer.save()['top/bias']!.data.forEach((value, at) => {
        const gradient = slope(bias, at, (b) => slowLoss(weight, b));
        close(value, bias[at]! - rate * (gradient + decay * bias[at]!), 1e-5);
      });
    }
    layer.dispose();
  });

  it('lets the gradient through to the features, and is itself constant to the tape', () => {
    const layer = new TopLayer(3, 4);
    set(layer, weight, bias);
    tf.tidy(() => {
      const loss = (x: Tensor): Scalar =>
        tf.mean(softmaxCrossEntropy(layer.logits(x as Tensor2D), tf.tensor1d(labels, 'int32')));
      const found = tf.grad(loss)(tf.tensor2d(h)).arraySync() as number[][];
      const logits = slowLogits(weight, bias);
      found.forEach((row, i) => {
        const total = logits[i]!.reduce((a, value) => a + Math.exp(value), 0);
        row.forEach((value, j) => {
          const expected = logits[i]!.reduce(
            (sum, z, k) => sum + ((Math.exp(z) / total - (k === labels[i] ? 1 : 0)) / 4) * weight[j * 4 + k]!,
            0,
          );
          close(value, expected);
        });
      });
      const free = tf.variable(tf.tensor2d(h));
      const { grads } = tf.variableGrads(() => loss(free));
      assert.deepEqual(
        Object.keys(grads).filter((name) => grads[name]),
        [free.name],
      );
    });
    layer.dispose();
  });
});

describe('Sobel edges', () => {
  before(() => openRuntime({ threads: 1 }));

  it('are 0 on an even picture, and the slope times 8 on a ramp, across and down', () => {
    tf.tidy(() => {
      const picture = (value: (x: number, y: number) => number): Tensor4D =>
        tf.tensor4d(
          Array.from({ length: 25 * 3 }, (_, i) => value(Math.floor(i / 3) % 5, Math.floor(i / 15))),
          [1, 5, 5, 3],
        );
      const inside = (images: Tensor4D): number[] => [
        ...tf.slice(sobelEdges(images), [0, 2, 2, 0], [1, 1, 1, 3]).dataSync(),
      ];
      assert.deepEqual(
        inside(picture(() => 0.7)).map((value) => Math.abs(Math.round(value))),
        [0, 0, 0],
      );
      // As PyTorch correlates: the left column counts positive, the right one negative.
      assert.deepEqual(
        inside(picture((x) => x)).map((value) => value + 0),
        [-8, 0, 0],
      );
      assert.deepEqual(
        inside(picture((_, y) => 2 * y)).map((value) => value + 0),
        [0, -16, 0],
      );
      assert.deepEqual(sobelEdges(picture((x) => x)).shape, [1, 5, 5, 3]);
    });
  });
});

describe('DeepCluster', () => {
  before(() => openRuntime({ threads: 2 }));

  const create = (options: Partial<DeepClusterOptions<TestView>> = {}): Method<TestView> =>
    createDeepCluster({
      drawView: drawTestView(),
      clusters: 3,
      components: 4,
      projector: mlp({ hidden: [16], dim: 8, batchNorm: 'hidden' }),
      ...options,
    });
  const source = testSource({ size: 32, samples: 9 });
  const embedAll = (embed?: (images: Tensor4D) => Tensor2D): Tensor2D =>
    tf.tidy(() => embed!(source.plain(Int32Array.from({ length: source.length }, (_, i) => i))));
  const open = (options: Partial<DeepClusterOptions<TestView>> = {}) => {
    const trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
    const method = create(options);
    method.init(trunk, source, RandomStream.of(1, 'method'));
    return { method, trunk, close: () => [method, trunk].forEach((part) => part.dispose()) };
  };
  const stepOf = (method: Method<TestView>, indices: number[], commit: boolean): number => {
    const batch: Batch = {
      indices: Int32Array.from(indices),
      videos: Int32Array.from(indices),
      step: 0,
      epoch: 0,
      random: RandomStream.of(1, 'step'),
    };
    const draws = indices.map((i) => method.views(source.info(i), RandomStream.of(3, i)));
    return tf.tidy(() => {
      const { loss, commit: after } = method.step(source.render(batch.indices, draws), batch);
      if (commit) after!();
      return loss.dataSync()[0]!;
    });
  };

  it('goes on from any step to the same bytes, within and between epochs, on colours', () =>
    assertExactResume(create, { size: 32 }));

  it('goes on to the same bytes where labels are kept for two epochs, on edges', () =>
    assertExactResume(() => create({ reassign: 2, sobel: true }), { size: 32, samples: 4, steps: 4, batchSize: 3 }));

  it('labels all samples before an epoch, every cluster used, with a new top layer; keeps both for `reassign` epochs', () => {
    const { method, close: end } = open({ reassign: 2 });
    method.beforeEpoch!(0, embedAll);
    const first = method.save();
    assert.equal(new Set(first['assignment']!.data).size, 3);
    assert.deepEqual([...method.weights!()], [...uniformOverClusters(Int32Array.from(first['assignment']!.data), 3)]);
    method.beforeEpoch!(1, embedAll);
    assert.deepEqual(method.save(), first);
    method.beforeEpoch!(2, embedAll);
    assert.notDeepEqual(method.save()['top/weight'], first['top/weight']);
    // Of the same network: clusters like those of before.
    assert.ok(method.save()['agreement']!.data[0]! > 0.2);
    end();
  });

  it('starts at ln K, moves the top layer only in the commit, and only as fast as its own rate says', () => {
    const moves = [0.05, 0.1].map((topRate) => {
      const { method, close: end } = open({ topRate, topDecay: 0 });
      method.beforeEpoch!(0, embedAll);
      const before = method.save()['top/bias']!.data;
      close(stepOf(method, [0, 1, 2, 3], false), method.uniformLoss(0), 0.1);
      assert.deepEqual(method.save()['top/bias']!.data, before);
      stepOf(method, [0, 1, 2, 3], true);
      const after = method.save()['top/bias']!.data;
      end();
      return after.map((value, k) => value - before[k]!);
    });
    assert.ok(moves[0]!.some((move) => Math.abs(move) > 1e-4));
    moves[0]!.forEach((move, k) => close(moves[1]![k]!, 2 * move, 1e-5));
  });

  it('gives the optimiser the projector and not the top layer', () => {
    const { method, close: end } = open();
    assert.ok([...method.variables().keys()].every((name) => name.startsWith('projector.')));
    end();
  });

  it('refuses parameters out of range by name, more clusters than samples, more components than values', () => {
    const wrong: Partial<DeepClusterOptions<TestView>>[] = [
      { clusters: 1 },
      { components: 0 },
      { iterations: 0 },
      { reassign: 0.5 },
      { topRate: 0 },
      { topDecay: -1 },
    ];
    for (const options of wrong) {
      assert.throws(() => create(options), new RegExp(`Expected \`${Object.keys(options)[0]}\``));
    }
    assert.throws(() => open({ clusters: 10 }), /Expected `clusters` to be at most the 9 samples there are, got `10`/);
    assert.throws(() => open({ components: 9 }), /Expected `components` to be at most the 8 values of a row, got `9`/);
  });

  it('varies colours where it sees them, and crops alone where it sees edges', () => {
    const { params, views } = deepClusterMethod;
    const policyOf = (sobel: boolean) => views(params.parse({ sobel }), { inputSize: 96 })[0]!.policy;
    assert.ok(policyOf(false).jitter > 0);
    assert.deepEqual([policyOf(true).jitter, policyOf(true).grey], [0, 0]);
  });
});
