import assert from 'node:assert/strict';
import { mocoV2Method } from '../../pipelines/methods/moco-v2.js';
import { compareQueries, infoNce } from '../../src/contrast/info-nce.js';
import { createMoco, type MocoOptions } from '../../src/contrast/moco/moco.js';
import { inShuffledGroups } from '../../src/contrast/moco/shuffled-groups.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { mlp } from '../../src/network/head.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { l2Normalize } from '../../src/runtime/ops/l2-normalize.js';
import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import { assertNumericGradient, assertSameGradients, numbers } from '../runtime/gradient-check.js';
import { assertExactResume, drawTestView } from './resume.js';
import { batchOf, noise, rowsOf, runStep, smallTrunk, sourceOf } from './run-step.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Equation 1 of MoCo, query by query, in float64. */
const slowInfoNce = (queries: number[][], keys: number[][], negatives: number[][], temperature: number): number[] =>
  queries.map((query, i) => {
    const own = Math.exp(dot(query, keys[i]!) / temperature);
    const others = negatives.reduce((sum, key) => sum + Math.exp(dot(query, key) / temperature), 0);
    return -Math.log(own / (own + others));
  });

const unit = (rows: number, dim: number, seed: number): Tensor2D => l2Normalize(numbers([rows, dim], seed) as Tensor2D);
const loss = (queries: Tensor, keys: Tensor, negatives: Tensor, temperature: number): Tensor =>
  infoNce(compareQueries(queries as Tensor2D, keys as Tensor2D, negatives as Tensor2D), temperature);

describe('InfoNCE', () => {
  before(() => openRuntime({ threads: 1 }));

  it('agrees with the formula query by query, over batches, queues and temperatures', () => {
    for (const [batch, queue, dim] of [
      [1, 1, 2],
      [3, 5, 4],
      [4, 2, 7],
    ] as const) {
      for (const temperature of [0.07, 0.2, 1]) {
        tf.tidy(() => {
          const [queries, keys, negatives] = [unit(batch, dim, 1), unit(batch, dim, 2), unit(queue, dim, 3)];
          const losses = loss(queries, keys, negatives, temperature).dataSync();
          const slow = slowInfoNce(rowsOf(queries), rowsOf(keys), rowsOf(negatives), temperature);
          slow.forEach((value, i) => close(losses[i]!, value, 2e-5));
        });
      }
    }
  });

  it('gives what the cross-entropy of PyTorch gives', () => {
    tf.tidy(() => {
      const queries = tf.tensor2d([1, 0, 0.6, 0.8, 0, 1], [3, 2]);
      const keys = tf.tensor2d([0.8, 0.6, 0, 1, -0.6, 0.8], [3, 2]);
      const negatives = tf.tensor2d([1, 0, 0, -1, -0.8, 0.6, 0.6, -0.8], [4, 2]);
      close(tf.mean(loss(queries, keys, negatives, 0.2)).dataSync()[0]!, 0.689703);
      close(tf.mean(loss(queries, keys, negatives, 0.07)).dataSync()[0]!, 1.00927);
    });
  });

  it('is ln(1 + K) for equal features, and ln(1 + K exp(-1 / tau)) where the own key is the query and the others are orthogonal', () => {
    tf.tidy(() => {
      const same = (rows: number): Tensor2D => tf.tile(tf.tensor2d([[0.6, 0.8]]), [rows, 1]);
      for (const value of loss(same(3), same(3), same(7), 0.07).dataSync()) close(value, Math.log(8));
      const query = tf.tensor2d([[1, 0]]);
      const orthogonal = tf.tile(tf.tensor2d([[0, 1]]), [5, 1]);
      close(loss(query, query, orthogonal, 0.5).dataSync()[0]!, Math.log(1 + 5 * Math.exp(-2)));
    });
  });

  it('permuting the batch permutes its terms; permuting the queue changes nothing', () => {
    tf.tidy(() => {
      const [queries, keys, negatives] = [unit(4, 5, 1), unit(4, 5, 2), unit(6, 5, 3)];
      const losses = loss(queries, keys, negatives, 0.3).dataSync();
      const order = [3, 1, 0, 2];
      const moved = (rows: Tensor2D): Tensor => tf.gather(rows, tf.tensor1d(order, 'int32'));
      const permuted = loss(moved(queries), moved(keys), negatives, 0.3).dataSync();
      order.forEach((from, to) => close(permuted[to]!, losses[from]!));
      const turned = loss(queries, keys, tf.reverse(negatives, 0), 0.3).dataSync();
      losses.forEach((value, i) => close(turned[i]!, value));
    });
  });

  it('has the gradient of the formula', () => {
    tf.tidy(() => {
      const inputs = [unit(3, 4, 1), unit(3, 4, 2), unit(5, 4, 3)];
      const ours = (...[q, k, n]: Tensor[]): Tensor => loss(q!, k!, n!, 0.4);
      assertNumericGradient(ours, inputs);
      const plain = (...[q, k, n]: Tensor[]): Tensor => {
        const own = tf.exp(tf.div(tf.sum(tf.mul(q!, k!), 1), 0.4));
        const others = tf.sum(tf.exp(tf.div(tf.matMul(q as Tensor2D, n as Tensor2D, false, true), 0.4)), 1);
        return tf.neg(tf.log(tf.div(own, tf.add(own, others))));
      };
      assertSameGradients(ours, plain, inputs);
    });
  });
});

describe('keys in shuffled groups', () => {
  before(() => openRuntime({ threads: 1 }));

  /** One number a picture, which is also its row. */
  const numbered = (count: number): Tensor4D => tf.reshape(tf.range(0, count), [count, 1, 1, 1]) as Tensor4D;
  const record = (groups: number, count: number, seed = 1) => {
    const passes: number[][] = [];
    const rows = tf.tidy(() => [
      ...inShuffledGroups(numbered(count), groups, RandomStream.of(seed), (images) => {
        passes.push([...images.dataSync()]);
        return tf.reshape(images, [-1, 1]) as Tensor2D;
      }).dataSync(),
    ]);
    return { passes, rows };
  };

  it('gives rows in the order of the images, each of which passes once, in groups as even as can be', () => {
    for (const [groups, count, sizes] of [
      [2, 8, [4, 4]],
      [3, 7, [2, 2, 3]],
      [5, 5, [1, 1, 1, 1, 1]],
    ] as const) {
      const { passes, rows } = record(groups, count);
      const order = Array.from({ length: count }, (_, i) => i);
      assert.deepEqual(rows, order);
      assert.deepEqual(
        passes.map(({ length }) => length),
        sizes,
      );
      assert.deepEqual(
        passes.flat().sort((a, b) => a - b),
        order,
      );
    }
  });

  it('the groups are drawn anew, from the stream alone', () => {
    assert.deepEqual(record(2, 8, 1).passes, record(2, 8, 1).passes);
    assert.notDeepEqual(record(2, 8, 1).passes, record(2, 8, 2).passes);
  });

  it('one group is the batch as it is', () => {
    assert.deepEqual(record(1, 4).passes, [[0, 1, 2, 3]]);
  });

  it('refuses more groups than rows', () => {
    assert.throws(() => record(4, 3), /at most as many groups of keys as the batch has rows, 3, got `4`/);
  });
});

describe('MoCo v2', () => {
  before(() => openRuntime({ threads: 1 }));

  const open = (options: Partial<MocoOptions<string>> = {}, samples = 10) => {
    const trunk = smallTrunk();
    const method = createMoco<string>({
      drawView: (_, view) => `view ${view}`,
      projector: mlp({ hidden: [8], dim: 6, batchNorm: 'none' }),
      queue: 6,
      ...options,
    });
    method.init(trunk, sourceOf(samples), RandomStream.of(1));
    const dispose = (): void => {
      method.dispose();
      trunk.dispose();
    };
    return { trunk, method, dispose };
  };
  const queueOf = (method: ReturnType<typeof open>['method']): number[][] => {
    const { shape, data } = method.save()['queue']!;
    const [rows, dim] = shape as [number, number];
    return Array.from({ length: rows }, (_, row) => [...data.slice(row * dim, (row + 1) * dim)]);
  };
  const views = (count = 4): Tensor4D[] => [noise(count), noise(count, 24, 2)];

  it('takes two views of a sample', () => {
    const { method, dispose } = open();
    assert.deepEqual(method.views({ index: 0, video: 0, paired: false }, RandomStream.of(1)), ['view 0', 'view 1']);
    dispose();
  });

  it('compares queries with their keys and the queue as it was, then puts the keys in the queue', () => {
    const { trunk, method, dispose } = open({ keyGroups: 1, temperature: 0.3 });
    const before = queueOf(method);
    const { loss, signals, embedding } = runStep(method, trunk, views(), batchOf([0, 1, 2, 3]));
    const after = queueOf(method);
    assert.deepEqual(after.slice(4), before.slice(4), 'only the oldest rows are overwritten');
    const keys = after.slice(0, 4);
    for (const row of [...keys, ...embedding]) close(dot(row, row), 1);
    const slow = slowInfoNce(embedding, keys, before, 0.3);
    close(loss, slow.reduce((a, b) => a + b, 0) / 4, 1e-4);
    close(signals['positive']!, keys.reduce((sum, key, i) => sum + dot(key, embedding[i]!), 0) / 4);
    const cosines = embedding.flatMap((query) => before.map((key) => dot(query, key)));
    close(signals['negative']!, cosines.reduce((a, b) => a + b, 0) / cosines.length);
    close(method.uniformLoss(0), Math.log(7));
    dispose();
  });

  it('its keys are those of the key encoder, which begins as the encoder: equal views have equal rows', () => {
    const { trunk, method, dispose } = open({ keyGroups: 1 });
    const { embedding, signals } = runStep(method, trunk, [noise(4), noise(4)], batchOf([0, 1, 2, 3]));
    const keys = queueOf(method).slice(0, 4);
    embedding.forEach((row, i) => row.forEach((value, j) => close(value, keys[i]![j]!)));
    close(signals['positive']!, 1);
    dispose();
  });

  it('keys in groups have other batch statistics than queries: equal views have unequal rows', () => {
    const { trunk, method, dispose } = open({ keyGroups: 2 });
    const { signals } = runStep(method, trunk, [noise(4), noise(4)], batchOf([0, 1, 2, 3]));
    assert.ok(signals['positive']! < 1 - 1e-4, `cosine ${signals['positive']}`);
    dispose();
  });

  it('nothing passes back through keys, key encoder and queue', () => {
    const known = new Set(Object.values(tf.engine().registeredVariables));
    const { trunk, method, dispose } = open();
    const learning = new Set([...trunk.variables.values(), ...method.variables().values()]);
    const constant = Object.values(tf.engine().registeredVariables).filter((v) => !known.has(v) && !learning.has(v));
    assert.ok(constant.length >= learning.size, 'the key encoder has as many weights as the encoder');
    const [query, key] = views();
    const step = (q: Tensor4D, k: Tensor4D) => tf.tidy(() => method.step([q, k], batchOf([0, 1, 2, 3])).loss);
    tf.tidy(() => {
      const toQuery = tf.grad((x) => step(x as Tensor4D, key!))(query!);
      assert.ok(tf.max(tf.abs(toQuery)).dataSync()[0]! > 0);
      assert.throws(() => tf.grad((x) => step(query!, x as Tensor4D))(key!), /Cannot compute gradient/);
      assert.throws(() => tf.variableGrads(() => step(query!, key!), constant), /Cannot find a connection/);
    });
    tf.dispose([query!, key!]);
    dispose();
  });

  it('the key encoder moves by the share asked for, after the optimiser', () => {
    for (const momentum of [0, 0.75]) {
      const { trunk, method, dispose } = open({ momentum });
      const name = [...method.variables().keys()][0]!;
      const before = method.save()[`momentum/${name}`]!.data;
      runStep(method, trunk, views(), batchOf([0, 1, 2, 3]), 0.5);
      const online = method.variables().get(name)!.dataSync();
      const moved = method.save()[`momentum/${name}`]!.data;
      assert.notDeepEqual(online, before);
      moved.forEach((value, i) => close(value, momentum * before[i]! + (1 - momentum) * online[i]!));
      dispose();
    }
  });

  it('the queue is never longer than there are samples', () => {
    const { method, dispose } = open({ queue: 1000 }, 10);
    assert.equal(queueOf(method).length, 10);
    close(method.uniformLoss(0), Math.log(11));
    dispose();
  });

  it('temperature 0.2, momentum 0.99 and two groups of keys are what it does unless it is said otherwise', () => {
    const state = (options: Partial<MocoOptions<string>>): [number, unknown] => {
      const { trunk, method, dispose } = open(options);
      const { loss } = runStep(method, trunk, views(), batchOf([0, 1, 2, 3]), 0.5);
      const saved = method.save();
      dispose();
      return [loss, saved];
    };
    const usual = state({});
    assert.deepEqual(state({ temperature: 0.2, momentum: 0.99, keyGroups: 2 }), usual);
    for (const other of [{ temperature: 0.07 }, { momentum: 0.9 }, { keyGroups: 1 }]) {
      assert.notDeepEqual(state(other), usual, JSON.stringify(other));
    }
  });

  it('nothing stays in memory', () => {
    const { trunk, method, dispose } = open();
    runStep(method, trunk, views(), batchOf([0, 1, 2, 3]), 0.1);
    // The queue's tensor is made when it is asked for.
    const count = tf.memory().numTensors;
    for (let step = 1; step < 4; step++) runStep(method, trunk, views(), batchOf([0, 1, 2, 3], step), 0.1);
    assert.equal(tf.memory().numTensors, count);
    dispose();
  });

  it('resumes exactly, with batch norm in the head', () =>
    assertExactResume(() =>
      createMoco({
        drawView: drawTestView(),
        queue: 6,
        projector: mlp({ hidden: [16], dim: 8, batchNorm: 'hidden' }),
      }),
    ));

  it('refuses parameters out of range', () => {
    assert.throws(() => open({ temperature: 0 }), /Expected `temperature` to be a number above 0, got `0` \(number\)/);
    assert.throws(() => open({ momentum: 1 }), /Expected `momentum` to be a number from 0 to below 1, got `1`/);
    assert.throws(() => open({ queue: 0.5 }), /Expected `queue` to be a whole number above 0, got `0.5`/);
    assert.throws(() => open({ keyGroups: 0 }), /Expected `keyGroups`/);
  });

  it('is known to the pipelines with two views alike: those of a run, or the recipe of its paper', () => {
    const params = mocoV2Method.params.parse({});
    const views = (base?: typeof augmentationPolicies.full) =>
      mocoV2Method.views(params, { inputSize: 96, ...(base ? { base } : {}) }).map(({ policy }) => policy);
    assert.deepEqual(views(), [augmentationPolicies['moco-v2'], augmentationPolicies['moco-v2']]);
    assert.deepEqual(views(augmentationPolicies.full), [augmentationPolicies.full, augmentationPolicies.full]);
    assert.throws(() => mocoV2Method.params.parse({ momentum: 1 }));
  });
});
