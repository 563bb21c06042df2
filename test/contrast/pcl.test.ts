import assert from 'node:assert/strict';
import { pclV1Method, pclV2Method } from '../../pipelines/methods/pcl.js';
import { clusterConcentration, concentrations } from '../../src/contrast/pcl/concentration.js';
import { createPcl, type PclOptions } from '../../src/contrast/pcl/pcl.js';
import { protoNce, prototypeLogits } from '../../src/contrast/pcl/proto-nce.js';
import { choosePrototypes, findPrototypes, type PrototypeSet } from '../../src/contrast/pcl/prototype-set.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { mlp } from '../../src/network/head.js';
import { RandomStream } from '../../src/numeric/random.js';
import { quantile } from '../../src/numeric/statistics.js';
import { openRuntime } from '../../src/runtime/open.js';
import { l2Normalize } from '../../src/runtime/ops/l2-normalize.js';
import { tf, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { EmbedAll } from '../../src/training/method.js';
import { assertNumericGradient, assertSameGradients, numbers } from '../runtime/gradient-check.js';
import { assertExactResume, drawTestView } from './resume.js';
import { batchOf, noise, rowsOf, runStep, smallTrunk, sourceOf } from './run-step.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};
const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Equation 11 for one granularity, query by query, in float64. */
const slowProtoNce = (queries: number[][], prototypes: number[][], phi: number[], labels: number[]): number[] =>
  queries.map((query, i) => {
    const terms = prototypes.map((prototype, j) => Math.exp(dot(query, prototype) / phi[j]!));
    return -Math.log(terms[labels[i]!]! / terms.reduce((a, b) => a + b, 0));
  });

const unit = (rows: number, dim: number, seed: number): Tensor2D => l2Normalize(numbers([rows, dim], seed) as Tensor2D);

describe("PCL's concentration", () => {
  it('of one cluster is the known value', () => {
    close(clusterConcentration([0.1, 0.2, 0.3, 0.4]), 0.184121, 1e-6);
  });

  it('is lower for many near features, and smoothing evens out small clusters', () => {
    assert.ok(clusterConcentration([0.1, 0.1, 0.1]) < clusterConcentration([0.1, 0.1]));
    assert.ok(clusterConcentration([0.1, 0.1]) < clusterConcentration([0.2, 0.2]));
    const ratio = (smoothing: number): number =>
      clusterConcentration([0.1, 0.1], smoothing) / clusterConcentration(new Array<number>(50).fill(0.1), smoothing);
    assert.ok(ratio(100) < ratio(10));
  });

  const random = RandomStream.of(1, 'distances');
  const squaredDistances = Float32Array.from({ length: 60 }, () => random.uniform(0, 1));
  // Cluster 7 has one feature, cluster 8 none.
  const assignment = Int32Array.from({ length: 60 }, (_, i) => (i === 59 ? 7 : i % 7));
  const options = { temperature: 0.2 };
  const given = { squaredDistances, assignment };

  it('agrees with the released recipe step by step', () => {
    const phi = Array.from({ length: 9 }, (_, c) => {
      const own = [...squaredDistances].filter((_, i) => assignment[i] === c);
      return own.length > 1 ? mean(own.map(Math.sqrt)) / Math.log(own.length + 10) : 0;
    });
    const largest = Math.max(...phi);
    phi[7] = phi[8] = largest;
    const clipped = phi.map((value) => Math.min(Math.max(value, quantile(phi, 0.1)), quantile(phi, 0.9)));
    const expected = clipped.map((value) => (0.2 * value) / mean(clipped));
    concentrations(given, 9, options).forEach((value, c) => close(value, expected[c]!, 1e-6));
  });

  it('has the temperature as its mean, is the largest for a cluster of one, and equal for all where clipped to one quantile', () => {
    const phi = concentrations(given, 9, options);
    close(mean(phi), 0.2, 1e-6);
    assert.equal(phi[7], Math.max(...phi));
    assert.equal(phi[8], Math.max(...phi));
    close(mean(concentrations(given, 9, { temperature: 1 })), 1, 1e-6);
    for (const value of concentrations(given, 9, { ...options, clip: [0.5, 0.5] })) close(value, 0.2, 1e-6);
    const spread = (clip: readonly [number, number]): number => {
      const values = concentrations(given, 9, { ...options, clip });
      return Math.max(...values) - Math.min(...values);
    };
    assert.ok(spread([0, 1]) > spread([0.1, 0.9]) && spread([0.1, 0.9]) > spread([0.3, 0.7]));
    assert.notDeepEqual(concentrations(given, 9, { ...options, smoothing: 1 }), phi);
  });

  it('stays above 0 where clusters hold copies of one picture, or all pictures are alike', () => {
    const copies = squaredDistances.map((value, i) => (assignment[i]! < 3 ? 0 : value));
    const phi = concentrations({ squaredDistances: copies, assignment }, 9, options);
    assert.ok(phi.every((value) => value > 0.001 && Number.isFinite(value)));
    close(mean(phi), 0.2, 1e-6);
    const alike = concentrations({ squaredDistances: new Float32Array(60), assignment }, 9, options);
    assert.ok(alike.every((value) => Math.abs(value - 0.2) < 1e-6));
  });
});

describe("PCL's prototypes", () => {
  before(() => openRuntime({ threads: 1 }));

  it('are unit rows at the middle of clusters, found again from the same stream', () => {
    const random = RandomStream.of(1, 'points');
    const rows = 60;
    const centres = [0, 2, 4].map((angle) => [Math.cos(angle), Math.sin(angle)]);
    const data = Float32Array.from({ length: rows * 2 }, (_, at) => {
      const centre = centres[Math.floor(at / 2) % 3]!;
      return centre[at % 2]! + random.uniform(-0.05, 0.05);
    });
    const find = () =>
      findPrototypes(
        { rows, dim: 2, data },
        { clusters: 3, iterations: 20, runs: 5, temperature: 0.2, random: RandomStream.of(2) },
      );
    const { prototypes, assignment, concentration } = find();
    assert.deepEqual(find(), { prototypes, assignment, concentration });
    for (let i = 0; i < rows; i++) assert.equal(assignment[i], assignment[i % 3]);
    for (let c = 0; c < 3; c++) {
      const prototype = prototypes.data.subarray(assignment[c]! * 2, assignment[c]! * 2 + 2);
      close(Math.hypot(...prototype), 1, 1e-6);
      assert.ok(dot(prototype, centres[c]!) > 0.999);
    }
    close(mean(concentration), 0.2, 1e-6);
  });

  const set: PrototypeSet = {
    prototypes: { rows: 6, dim: 2, data: new Float32Array(12) },
    assignment: Int32Array.of(3, 0, 3, 5, 1),
    concentration: new Float32Array(6),
  };

  it('of a batch are each its own once, with others drawn as negatives, none of them twice', () => {
    const { rows, labels } = choosePrototypes(set, Int32Array.of(0, 2, 1), 2, RandomStream.of(1));
    assert.deepEqual([...labels], [0, 0, 1]);
    assert.deepEqual([...rows.slice(0, 2)], [3, 0]);
    assert.equal(rows.length, 4);
    assert.equal(new Set(rows).size, 4);
    const other = [1, 2, 3, 4, 5, 6].map((seed) =>
      choosePrototypes(set, Int32Array.of(0, 2, 1), 2, RandomStream.of(seed)).rows.join(),
    );
    assert.ok(new Set(other).size > 1, 'negatives are drawn');
  });

  it('are all compared with, where they are no more than are asked for', () => {
    const { rows, labels } = choosePrototypes(set, Int32Array.of(4, 3), 4, RandomStream.of(1));
    assert.deepEqual([...rows].sort(), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(
      [...labels].map((label) => rows[label]),
      [1, 5],
    );
  });
});

describe('ProtoNCE', () => {
  before(() => openRuntime({ threads: 1 }));

  const phiOf = (count: number): number[] => Array.from({ length: count }, (_, i) => 0.1 + 0.15 * (i % 4));
  const loss = (queries: Tensor, prototypes: Tensor, concentration: Tensor, labels: number[]): Tensor =>
    protoNce(
      prototypeLogits({
        queries: queries as Tensor2D,
        prototypes: prototypes as Tensor2D,
        concentration: concentration as Tensor1D,
      }),
      tf.tensor1d(labels, 'int32'),
    );

  it('agrees with the formula query by query, every prototype with a temperature of its own', () => {
    for (const [batch, count, dim] of [
      [1, 2, 2],
      [4, 3, 5],
      [3, 8, 4],
    ] as const) {
      tf.tidy(() => {
        const [queries, prototypes] = [unit(batch, dim, 1), unit(count, dim, 2)];
        const labels = Array.from({ length: batch }, (_, i) => (2 * i) % count);
        const losses = loss(queries, prototypes, tf.tensor1d(phiOf(count)), labels).dataSync();
        slowProtoNce(rowsOf(queries), rowsOf(prototypes), phiOf(count), labels).forEach((value, i) =>
          close(losses[i]!, value, 2e-5),
        );
      });
    }
  });

  it('is the ln of their number where all similarities are 0, whatever their temperatures', () => {
    tf.tidy(() => {
      const [queries, prototypes] = [tf.tensor2d([[0, 0, 1]]), tf.tensor2d([1, 0, 0, 0, 1, 0, -1, 0, 0], [3, 3])];
      close(loss(queries, prototypes, tf.tensor1d([0.1, 0.5, 0.9]), [1]).dataSync()[0]!, Math.log(3));
    });
  });

  it('asks more of a query whose prototype is a loose cluster', () => {
    tf.tidy(() => {
      const [queries, prototypes] = [tf.tensor2d([[1, 0]]), tf.tensor2d([0.8, 0.6, 0.6, 0.8], [2, 2])];
      const value = (own: number): number => loss(queries, prototypes, tf.tensor1d([own, 0.3]), [0]).dataSync()[0]!;
      assert.ok(value(0.1) < value(0.3) && value(0.3) < value(0.6));
    });
  });

  it('permuting the batch permutes its terms; permuting prototypes with their labels changes nothing', () => {
    tf.tidy(() => {
      const [queries, prototypes, phi] = [unit(3, 4, 1), unit(5, 4, 2), tf.tensor1d(phiOf(5))];
      const labels = [4, 0, 2];
      const losses = loss(queries, prototypes, phi, labels).dataSync();
      const order = [2, 0, 1];
      const moved = tf.gather(queries, tf.tensor1d(order, 'int32'));
      const permuted = loss(
        moved,
        prototypes,
        phi,
        order.map((i) => labels[i]!),
      ).dataSync();
      order.forEach((from, to) => close(permuted[to]!, losses[from]!));
      const turned = loss(
        queries,
        tf.reverse(prototypes, 0),
        tf.reverse(phi),
        labels.map((label) => 4 - label),
      ).dataSync();
      losses.forEach((value, i) => close(turned[i]!, value));
    });
  });

  it('has the gradient of the formula in the queries', () => {
    tf.tidy(() => {
      const [prototypes, phi] = [unit(4, 3, 2), tf.tensor1d(phiOf(4))];
      const labels = [1, 3];
      const ours = (queries: Tensor): Tensor => loss(queries, prototypes, phi, labels);
      assertNumericGradient(ours, [unit(2, 3, 1)]);
      const plain = (queries: Tensor): Tensor => {
        const terms = tf.exp(tf.div(tf.matMul(queries as Tensor2D, prototypes, false, true), phi));
        const own = tf.sum(tf.mul(terms, tf.oneHot(tf.tensor1d(labels, 'int32'), 4)), 1);
        return tf.neg(tf.log(tf.div(own, tf.sum(terms, 1))));
      };
      assertSameGradients(ours, plain, [unit(2, 3, 1)]);
    });
  });
});

describe('PCL', () => {
  before(() => openRuntime({ threads: 1 }));

  const samples = 12;
  /** Epochs of 3 steps; the warm-up of a tenth of 12 steps ends before the second. */
  const open = (options: Partial<PclOptions<string>> = {}) => {
    const trunk = smallTrunk();
    const method = createPcl<string>({
      drawView: (_, view) => `view ${view}`,
      steps: 12,
      batchSize: 4,
      projector: mlp({ hidden: [8], dim: 6, batchNorm: 'none' }),
      queue: 6,
      samplesPerPrototype: [6, 3],
      ...options,
    });
    method.init(trunk, sourceOf(samples), RandomStream.of(1));
    const dispose = (): void => {
      method.dispose();
      trunk.dispose();
    };
    return { trunk, method, dispose };
  };
  const views = (): Tensor4D[] => [noise(4), noise(4, 24, 2)];
  const embedAll: EmbedAll = (embed) => tf.tidy(() => embed!(noise(samples, 24, 5)));
  const setsOf = (method: ReturnType<typeof open>['method']): string[] =>
    Object.keys(method.save()).filter((name) => name.endsWith('/prototypes'));

  it('is momentum contrast during its warm-up, and finds prototypes of every granularity as later epochs begin', () => {
    const { trunk, method, dispose } = open();
    method.beforeEpoch!(0, embedAll);
    assert.deepEqual(setsOf(method), []);
    const { signals } = runStep(method, trunk, views(), batchOf([0, 1, 2, 3]));
    assert.ok(!('prototypeLoss' in signals));
    close(method.uniformLoss(0), Math.log(7));
    method.beforeEpoch!(1, embedAll);
    const saved = method.save();
    assert.deepEqual(saved['prototypes/0/prototypes']!.shape, [2, 6]);
    assert.deepEqual(saved['prototypes/1/prototypes']!.shape, [4, 6]);
    dispose();
  });

  it('begins with prototypes where there is no warm-up, and in the last epoch where none begins after it', () => {
    for (const [options, first] of [
      [{ warmUp: 0 }, 0],
      [{ warmUp: 0.25 }, 1],
      [{ warmUp: 0.3 }, 2],
      [{ warmUp: 0.9 }, 3],
      [{ steps: 2 }, 0],
    ] as const) {
      const { method, dispose } = open(options);
      const epoch = [0, 1, 2, 3].find((number) => {
        method.beforeEpoch!(number, embedAll);
        return setsOf(method).length > 0;
      });
      assert.equal(epoch, first, JSON.stringify(options));
      dispose();
    }
  });

  it('adds the mean over granularities of the comparison with prototypes to the loss of keys', () => {
    const { trunk, method, dispose } = open({ temperature: 0.3 });
    method.beforeEpoch!(1, embedAll);
    const saved = method.save();
    const indices = [7, 0, 11, 4];
    const { loss, signals, embedding } = runStep(method, trunk, views(), batchOf(indices));
    const terms = [0, 1].map((granularity) => {
      const [prototypes, assignment, phi] = ['prototypes', 'assignment', 'concentration'].map(
        (name) => saved[`prototypes/${granularity}/${name}`]!,
      );
      const rows = Array.from({ length: phi!.data.length }, (_, r) => [...prototypes!.data.slice(r * 6, r * 6 + 6)]);
      const labels = indices.map((index) => assignment!.data[index]!);
      close(mean(phi!.data), 0.3, 1e-6);
      return mean(slowProtoNce(embedding, rows, [...phi!.data], labels));
    });
    close(signals['prototypeLoss']!, mean(terms), 1e-4);
    close(loss, signals['instanceLoss']! + signals['prototypeLoss']!, 1e-5);
    close(method.uniformLoss(0), Math.log(7) + (Math.log(2) + Math.log(4)) / 2);
    dispose();
  });

  it('compares with no more negatives than asked for', () => {
    const { trunk, method, dispose } = open({ negativePrototypes: 1, samplesPerPrototype: [1] });
    method.beforeEpoch!(1, embedAll);
    runStep(method, trunk, views(), batchOf([0, 1, 2, 3]));
    const own = new Set(method.save()['prototypes/0/assignment']!.data.slice(0, 4)).size;
    close(method.uniformLoss(0), Math.log(7) + Math.log(own + 1));
    dispose();
  });

  it('its prototypes are those of the momentum encoder, as at test time', () => {
    const { method, dispose } = open({ warmUp: 0, samplesPerPrototype: [1] });
    method.beforeEpoch!(0, embedAll);
    const { 'prototypes/0/prototypes': prototypes, 'prototypes/0/assignment': assignment } = method.save();
    // As many prototypes as samples: each is the feature of its sample.
    tf.tidy(() => {
      let features: number[][] = [];
      method.beforeEpoch!(0, (embed) => {
        const rows = embed!(noise(samples, 24, 5));
        features = rowsOf(rows);
        return rows;
      });
      features.forEach((feature, i) => {
        const own = prototypes!.data.slice(assignment!.data[i]! * 6, assignment!.data[i]! * 6 + 6);
        close(dot(feature, own), 1, 1e-4);
      });
      // Batch norm by running statistics: a picture's feature does not depend on its neighbours.
      method.beforeEpoch!(0, (embed) => {
        const rows = embed!(noise(samples, 24, 5));
        const alone = embed!(tf.slice(noise(samples, 24, 5), 0, 1));
        rowsOf(alone)[0]!.forEach((value, j) => close(value, rowsOf(rows)[0]![j]!));
        return rows;
      });
    });
    dispose();
  });

  it('nothing passes back through keys; queries learn from both terms', () => {
    const { method, dispose } = open({ warmUp: 0 });
    method.beforeEpoch!(0, embedAll);
    const [query, key] = views();
    const step = (q: Tensor4D, k: Tensor4D) => method.step([q, k], batchOf([0, 1, 2, 3]));
    tf.tidy(() => {
      for (const part of ['loss', 'instanceLoss', 'prototypeLoss']) {
        const gradient = tf.grad((x) => {
          const { loss, signals } = step(x as Tensor4D, key!);
          return part === 'loss' ? loss : (signals[part] as Tensor);
        })(query!);
        assert.ok(tf.max(tf.abs(gradient)).dataSync()[0]! > 0, part);
      }
      assert.throws(() => tf.grad((x) => step(query!, x as Tensor4D).loss)(key!), /Cannot compute gradient/);
    });
    tf.dispose([query!, key!]);
    dispose();
  });

  it('tells how far an assignment is the one before', () => {
    const { trunk, method, dispose } = open({ warmUp: 0 });
    method.beforeEpoch!(0, embedAll);
    const first = runStep(method, trunk, views(), batchOf([0, 1, 2, 3])).signals['agreement'];
    method.beforeEpoch!(1, embedAll);
    const second = runStep(method, trunk, views(), batchOf([0, 1, 2, 3])).signals['agreement']!;
    assert.equal(first, 0);
    assert.ok(second > 0.4 && second <= 1, `agreement ${second}`);
    dispose();
  });

  it('every constant of the clustering counts', () => {
    const state = (options: Partial<PclOptions<string>>) => {
      const { method, dispose } = open({ warmUp: 0, ...options });
      method.beforeEpoch!(0, embedAll);
      const saved = Object.entries(method.save()).filter(([name]) => name.startsWith('prototypes/'));
      dispose();
      return saved;
    };
    const usual = state({});
    const same = { temperature: 0.2, iterations: 20, runs: 5, smoothing: 10, clip: [0.1, 0.9] as const };
    assert.deepEqual(state(same), usual);
    for (const other of [
      { temperature: 0.1 },
      { iterations: 1, runs: 1 },
      { smoothing: 1 },
      { clip: [0.4, 0.6] as const },
      { samplesPerPrototype: [4] },
    ]) {
      assert.notDeepEqual(state(other), usual, JSON.stringify(other));
    }
  });

  it('nothing stays in memory', () => {
    const { trunk, method, dispose } = open({ warmUp: 0 });
    const epoch = (number: number): void => {
      method.beforeEpoch!(number, embedAll);
      runStep(method, trunk, views(), batchOf([0, 1, 2, 3], number), 0.1);
    };
    epoch(0);
    const count = tf.memory().numTensors;
    for (const number of [1, 2]) epoch(number);
    assert.equal(tf.memory().numTensors, count);
    dispose();
  });

  it('resumes exactly, within the warm-up and after it', () =>
    assertExactResume(
      () =>
        createPcl({
          drawView: drawTestView(),
          steps: 6,
          batchSize: 4,
          queue: 6,
          samplesPerPrototype: [5, 2],
          negativePrototypes: 1,
          projector: mlp({ hidden: [16], dim: 8, batchNorm: 'hidden' }),
        }),
      { steps: 6 },
    ));

  it('refuses parameters out of range', () => {
    assert.throws(() => open({ temperature: 0 }), /Expected `temperature` to be a number above 0, got `0` \(number\)/);
    assert.throws(() => open({ warmUp: 1 }), /Expected `warmUp` to be a number from 0 to below 1, got `1`/);
    assert.throws(() => open({ runs: 0 }), /Expected `runs` to be a whole number above 0, got `0`/);
    assert.throws(() => open({ iterations: 0.5 }), /Expected `iterations`/);
    assert.throws(() => open({ negativePrototypes: 0 }), /Expected `negativePrototypes`/);
    assert.throws(() => open({ batchSize: 0 }), /Expected `batchSize`/);
    assert.throws(() => open({ samplesPerPrototype: [] }), /Expected `samplesPerPrototype` to name a granularity/);
    assert.throws(() => open({ samplesPerPrototype: [0] }), /Expected `samplesPerPrototype` to be a number above 0/);
    assert.throws(() => open({ smoothing: -1 }), /Expected `smoothing`/);
    assert.throws(() => open({ clip: [0.9, 0.1] }), /Expected `clip` to be two ascending quantiles from 0 to 1/);
  });

  it('is known to the pipelines as v1, linear at 0.1 with the mild recipe, and v2, with a hidden layer at 0.2 and that of MoCo v2', () => {
    const [v1, v2] = [pclV1Method, pclV2Method].map((method) => method.params.parse({}) as Record<string, unknown>);
    assert.equal(v1!['temperature'], 0.1);
    assert.equal(v2!['temperature'], 0.2);
    assert.ok(!('hidden' in v1!) && 'hidden' in v2!);
    const policy = (method: typeof pclV1Method) =>
      method.views(method.params.parse({}), { inputSize: 96 }).map((view) => view.policy);
    assert.deepEqual(policy(pclV1Method), [augmentationPolicies.npid, augmentationPolicies.npid]);
    assert.deepEqual(policy(pclV2Method), [augmentationPolicies['moco-v2'], augmentationPolicies['moco-v2']]);
    for (const method of [pclV1Method, pclV2Method]) {
      const made = method.create(method.params.parse({}), {
        drawView: () => assert.fail(),
        inputSize: 96,
        steps: 10,
        batchSize: 4,
        samples: 100,
      });
      assert.equal(made.name, method.name);
    }
  });
});
