import assert from 'node:assert/strict';
import { batchInstanceLoss, uniformBatchInstanceLoss } from '../../src/contrast/isif/batch-instance-loss.js';
import { createIsif, type IsifOptions } from '../../src/contrast/isif/isif.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { mlp } from '../../src/network/head.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import { assertLearns } from './assert-learns.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

type Weights = { readonly tau: number; readonly negativeWeight?: number };

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** The formula term by term in float64; `keys` are the constant side. */
const slowTerms = (rows: number[][], { tau, negativeWeight = 1 }: Weights, keys = rows): number[] =>
  rows.map((row, i) => {
    const n = rows.length;
    const other = (i + n / 2) % n;
    const e = keys.map((key) => Math.exp(dot(row, key) / tau));
    let divisor = e[other]!;
    for (let j = 0; j < n; j++) if (j !== i && j !== other) divisor += negativeWeight * e[j]!;
    let term = -Math.log(e[other]! / divisor);
    for (let j = 0; j < n; j++) if (j !== i && j !== other) term -= negativeWeight * Math.log(1 - e[j]! / divisor);
    return term;
  });
const slowLoss = (rows: number[][], weights: Weights, keys = rows): number =>
  slowTerms(rows, weights, keys).reduce((a, b) => a + b, 0) / rows.length;

const lossOf = (rows: number[][], weights: Weights): number =>
  tf.tidy(() => batchInstanceLoss(tf.tensor2d(rows), weights).loss.dataSync()[0]!);

const golden = [
  [1, 0],
  [0, 1],
  [0.8, 0.6],
  [0.6, 0.8],
];

const unitRows = (count: number, dim: number): number[][] => {
  const random = RandomStream.of(5, 'rows');
  return Array.from({ length: count }, () => {
    const row = Array.from({ length: dim }, () => random.normal());
    return row.map((value) => value / Math.hypot(...row));
  });
};

describe('loss over the instances of a batch', () => {
  before(() => openRuntime({ threads: 1 }));

  it('gives the known losses', () => {
    close(lossOf(golden, { tau: 0.5 }), 1.574229);
    close(lossOf(golden, { tau: 0.1 }), 1.881359);
  });

  it('agrees with the formula term by term, for any temperature and weight of the negatives', () => {
    const rows = unitRows(8, 3);
    for (const tau of [0.1, 0.5, 2]) {
      for (const negativeWeight of [1, 1.5, 3]) {
        close(lossOf(rows, { tau, negativeWeight }), slowLoss(rows, { tau, negativeWeight }), 2e-4);
      }
    }
  });

  it('is its invariance plus, weighed, its spreading', () => {
    tf.tidy(() => {
      const { loss, invariance, spreading } = batchInstanceLoss(tf.tensor2d(unitRows(6, 3)), {
        tau: 0.3,
        negativeWeight: 2,
      });
      const terms = Array.from(invariance.dataSync(), (value, i) => value + 2 * spreading.dataSync()[i]!);
      close(loss.dataSync()[0]!, terms.reduce((a, b) => a + b) / 6);
    });
  });

  it('for equal rows is its uniform loss', () => {
    const same = Array.from({ length: 10 }, () => [0.6, 0.8]);
    for (const negativeWeight of [1, 2]) {
      close(lossOf(same, { tau: 0.1, negativeWeight }), uniformBatchInstanceLoss(5, negativeWeight));
    }
    close(uniformBatchInstanceLoss(5, 1), Math.log(9) - 8 * Math.log(8 / 9), 1e-12);
  });

  it('falls to nothing where views agree and samples are orthogonal, and stays finite where they are mistaken for others', () => {
    const axes = [0, 1, 2].map((k) => [0, 1, 2].map((i) => (i === k ? 1 : 0)));
    assert.ok(lossOf([...axes, ...axes], { tau: 0.05 }) < 1e-6);
    const wrong = [...axes, axes[1]!, axes[2]!, axes[0]!];
    for (const tau of [0.1, 0.01, 0.001]) assert.ok(Number.isFinite(lossOf(wrong, { tau })), `temperature ${tau}`);
  });

  it('moves every row as a query against constants: its gradient is the numeric one with the other side held', () => {
    const rows = unitRows(6, 3);
    for (const weights of [{ tau: 0.3 }, { tau: 0.3, negativeWeight: 2 }]) {
      const gradient = tf.tidy(
        () =>
          tf
            .grad((x) => batchInstanceLoss(x as Tensor2D, weights).loss)(tf.tensor2d(rows))
            .arraySync() as number[][],
      );
      const h = 1e-5;
      let difference = 0;
      rows.forEach((row, i) =>
        row.forEach((_, k) => {
          const moved = (by: number): number[][] =>
            rows.map((r, j) => r.map((v, m) => (j === i && m === k ? v + by : v)));
          const held = (slowLoss(moved(h), weights, rows) - slowLoss(moved(-h), weights, rows)) / (2 * h);
          const free = (slowLoss(moved(h), weights) - slowLoss(moved(-h), weights)) / (2 * h);
          close(gradient[i]![k]!, held, 1e-4);
          difference = Math.max(difference, Math.abs(free - held));
        }),
      );
      assert.ok(difference > 0.01, 'the held side makes no difference here');
    }
  });

  it('permutes with the samples, and is the same with the two views exchanged', () => {
    const rows = unitRows(8, 4);
    const terms = (order: number[]): number[] =>
      tf.tidy(() => {
        const { invariance, spreading } = batchInstanceLoss(tf.tensor2d(order.map((i) => rows[i]!)), { tau: 0.2 });
        return Array.from(tf.add(invariance, spreading).dataSync());
      });
    const whole = terms([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const order of [
      [2, 0, 3, 1, 6, 4, 7, 5],
      [4, 5, 6, 7, 0, 1, 2, 3],
    ]) {
      terms(order).forEach((term, at) => close(term, whole[order[at]!]!));
    }
  });

  it('refuses a batch without pairs or without negatives', () => {
    assert.throws(() => lossOf(unitRows(3, 2), { tau: 1 }), /Expected two views of at least 2 samples.*got 3 rows/);
    assert.throws(() => lossOf(unitRows(2, 2), { tau: 1 }), /got 2 rows/);
  });
});

describe('invariant and spreading instance feature', () => {
  before(() => openRuntime({ threads: 1 }));

  const linear = mlp({ hidden: [], dim: 8, batchNorm: 'none' });
  const isif = (options: Partial<IsifOptions<TestView>> = {}) =>
    createIsif<TestView>({ drawView: drawTestView(), batchSize: 4, projector: linear, ...options });

  it('resumes exactly, with batch norm in its head', () =>
    assertExactResume(() => isif({ projector: mlp({ hidden: [8], dim: 8, batchNorm: 'hidden' }) })));

  it('teaches convolutions and head, and reports what one watches', () => {
    const trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
    const source = testSource();
    const method = isif();
    method.init(trunk, source, RandomStream.of(2));
    const indices = Int32Array.of(0, 1, 2, 3);
    const views = (seed: number): Tensor4D =>
      source.render(
        indices,
        [...indices].map((i) => [{ end: 'a', seed: seed + i }]),
      )[0]!;
    const both = [views(1), views(100)];
    const batch = { indices, videos: indices, step: 0, epoch: 0, random: RandomStream.of(3) };
    assertLearns(method, trunk, both, batch);
    tf.tidy(() => {
      const { signals } = method.step(both, batch);
      const rows = signals['embedding'] as Tensor2D;
      assert.deepEqual(rows.shape, [4, 8]);
      const read = (name: string): number => (signals[name] as Tensor2D).dataSync()[0]!;
      assert.ok(read('positive') > read('negative'), 'views of one sample are less alike than samples');
      assert.ok(read('positive') <= 1 && read('negative') >= -1);
    });
    method.dispose();
    trunk.dispose();
    [...both].forEach((view) => view.dispose());
  });

  it('measures the similarity of different samples alone, in what it reports', () => {
    const random = RandomStream.of(1);
    const trunk = {
      layers: [{ name: 'embedding', channels: 2 }],
      embed: (images: Tensor4D) => tf.reshape(images, [-1, 2]),
    } as never;
    const method = isif({ batchSize: 2, projector: 'embedding' });
    method.init(trunk, testSource(), random);
    const [a, b, c, d] = golden as [number[], number[], number[], number[]];
    const view = (rows: number[][]): Tensor4D => tf.tensor4d(rows.flat(), [2, 1, 1, 2]);
    const { signals } = method.step([view([a, b]), view([c, d])], {} as never);
    close((signals['positive'] as Tensor2D).dataSync()[0]!, (dot(a, c) + dot(b, d)) / 2);
    close((signals['negative'] as Tensor2D).dataSync()[0]!, (dot(a, b) + dot(a, d) + dot(c, b) + dot(c, d)) / 4);
  });

  it('takes two views of a sample', () => {
    assert.equal(isif().views({ index: 0, video: 0, paired: false }, RandomStream.of(1)).length, 2);
  });

  it('names the loss of equal features by its batch', () => {
    close(isif({ batchSize: 16 }).uniformLoss(0), uniformBatchInstanceLoss(16, 1), 1e-12);
  });

  it('refuses options out of range, by name', () => {
    assert.throws(() => isif({ tau: 0 }), /Expected `tau` to be a number above 0, got `0`/);
    assert.throws(() => isif({ negativeWeight: 0.5 }), /Expected `negativeWeight` to be a number from 1, got `0.5`/);
    assert.throws(() => isif({ batchSize: 1 }), /Expected `batchSize` to be a whole number from 2, got `1`/);
    assert.throws(() => isif().step([], {} as never), /Expected `init`/);
  });
});
