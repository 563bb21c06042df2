import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import type { FeatureMatrix } from '../../src/neighbors/feature-matrix.js';
import { evaluateKnn, knnWeights } from '../../src/transfer/knn/weighted-knn.js';
import { minimise } from '../../src/transfer/linear/lbfgs.js';
import {
  chooseStrength,
  classify,
  evaluateLinear,
  fitLogisticRegression,
  stratifiedFolds,
} from '../../src/transfer/linear/logistic-regression.js';
import { fitStandardisation, standardise } from '../../src/transfer/standardise.js';

const matrix = (rows: readonly (readonly number[])[]): FeatureMatrix => ({
  rows: rows.length,
  dim: rows[0]!.length,
  data: Float32Array.from(rows.flat()),
});

/** Clouds around one centre a class, `spread` wide. */
const clouds = (perClass: number, classes: number, dim: number, spread: number, seed: number) => {
  const centres = RandomStream.of(99, 'centres');
  const centre = Array.from({ length: classes }, () => Array.from({ length: dim }, () => centres.normal()));
  const random = RandomStream.of(seed);
  const labels = Array.from({ length: perClass * classes }, (_, i) => i % classes);
  return { features: matrix(labels.map((c) => centre[c]!.map((v) => v + random.normal(0, spread)))), labels };
};

describe('weighted k-NN', () => {
  const bank = matrix([
    [1, 0],
    [0.8, 0.6],
    [0, 1],
    [0.6, 0.8],
  ]);
  const labels = [0, 0, 1, 1];
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('gives the golden class weights', () => {
    const weights = knnWeights(matrix([[0.96, 0.28]]), bank, labels, 2, { k: 3, sigma: 0.07 });
    assert.ok(Math.abs(weights[0]! - 0.943856) < 2e-6 && Math.abs(weights[1]! - 0.056144) < 2e-6, weights.join());
  });

  it('does not care how long a feature is, nor overflow at a tiny temperature', () => {
    const long = matrix([[9.6, 2.8]]);
    assert.ok(Math.abs(knnWeights(long, bank, labels, 2, { k: 3 })[0]! - 0.943856) < 2e-6);
    assert.deepEqual([...knnWeights(long, bank, labels, 2, { k: 4, sigma: 1e-4 })], [1, 0]);
  });

  it('counts votes alone at a very large temperature', () => {
    const weights = knnWeights(matrix([[0.96, 0.28]]), bank, labels, 2, { k: 3, sigma: 1e9 });
    assert.ok(Math.abs(weights[0]! - 2 / 3) < 1e-6);
  });

  it('fails loudly where k is larger than the bank: no vote of fewer than asked for', () => {
    assert.throws(() => knnWeights(bank, bank, labels, 2, { k: 5 }), /from 1 to 4, the size of the bank/);
    assert.throws(() => knnWeights(bank, bank, labels, 2), /got `20`/);
    assert.throws(() => knnWeights(bank, bank, labels, 2, { k: 1, sigma: 0 }), /`sigma`/);
    assert.throws(() => knnWeights(bank, bank, [0, 1], 2, { k: 1 }), /one label a bank row/);
  });

  it('works for one query as for many, over exactly k neighbours', () => {
    const many = knnWeights(
      matrix([
        [1, 0.1],
        [0.1, 1],
        [0.5, 0.4],
      ]),
      bank,
      labels,
      2,
      { k: 2 },
    );
    const one = knnWeights(matrix([[0.5, 0.4]]), bank, labels, 2, { k: 2 });
    assert.ok(Math.abs(many[4]! - one[0]!) < 1e-6);
  });

  it('tells separated clouds apart, and is at chance for shuffled labels', () => {
    const train = clouds(30, 4, 16, 0.3, 1);
    const test = clouds(50, 4, 16, 0.3, 2);
    const data = {
      train: train.features,
      trainLabels: train.labels,
      test: test.features,
      testLabels: test.labels,
      classes: 4,
    };
    assert.equal(evaluateKnn(data, { k: 10 }).top1, 100);
    const shuffled = RandomStream.of(3).shuffle([...test.labels]);
    assert.ok(Math.abs(evaluateKnn({ ...data, testLabels: shuffled }, { k: 10 }).top1 - 25) < 12);
  });
});

describe('L-BFGS', () => {
  it('reaches the minimum of the Rosenbrock function', () => {
    const end = minimise(
      (x, gradient) => {
        const [a, b] = [x[0]!, x[1]!];
        gradient[0] = -2 * (1 - a) - 400 * a * (b - a * a);
        gradient[1] = 200 * (b - a * a);
        return (1 - a) ** 2 + 100 * (b - a * a) ** 2;
      },
      Float64Array.of(-1.2, 1),
      { tolerance: 1e-8 },
    );
    assert.ok(end.converged && Math.abs(end.x[0]! - 1) < 1e-6 && Math.abs(end.x[1]! - 1) < 1e-6);
  });

  it('says so when the iterations run out', () => {
    const steep = (x: Float64Array, g: Float64Array): number => (
      x.forEach((v, i) => (g[i] = 2 * (i + 1) * v)),
      x.reduce((s, v, i) => s + (i + 1) * v * v, 0)
    );
    assert.equal(minimise(steep, Float64Array.of(3, 4, 5), { maxIterations: 1, tolerance: 1e-9 }).converged, false);
  });
});

describe('linear probe', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('ends where the gradient of its objective, worked out by hand, is zero', () => {
    const { features, labels } = clouds(8, 3, 4, 1.2, 5);
    const l2 = 0.05;
    const { weights, bias, converged } = fitLogisticRegression(features, labels, 3, l2, { tolerance: 1e-5 });
    assert.ok(converged);
    const gradient = Float64Array.from(weights, (w) => l2 * w);
    const biasGradient = [0, 0, 0];
    for (let i = 0; i < features.rows; i++) {
      const x = [...features.data.subarray(i * 4, i * 4 + 4)];
      const scores = [0, 1, 2].map((c) =>
        Math.exp(bias[c]! + x.reduce((sum, v, j) => sum + v * weights[j * 3 + c]!, 0)),
      );
      const total = scores.reduce((a, b) => a + b);
      for (let c = 0; c < 3; c++) {
        const residual = (scores[c]! / total - (labels[i] === c ? 1 : 0)) / features.rows;
        biasGradient[c]! += residual;
        x.forEach((v, j) => (gradient[j * 3 + c]! += residual * v));
      }
    }
    for (const value of [...gradient, ...biasGradient]) assert.ok(Math.abs(value) < 3e-5, `${value}`);
  });

  it('gives the class shares where features say nothing', () => {
    const features = matrix([[0], [0], [0], [0]]);
    const { bias } = fitLogisticRegression(features, [0, 0, 0, 1], 2, 0.1, { tolerance: 1e-7 });
    assert.ok(Math.abs(bias[0]! - bias[1]! - Math.log(3)) < 1e-5);
  });

  it('is the same to the last bit when run again', () => {
    const { features, labels } = clouds(10, 3, 5, 1, 6);
    const run = () => fitLogisticRegression(features, labels, 3, 0.01).weights;
    assert.deepEqual(run(), run());
  });

  it('shrinks its weights under a stronger penalty', () => {
    const { features, labels } = clouds(10, 3, 5, 1, 7);
    const size = (l2: number): number => Math.hypot(...fitLogisticRegression(features, labels, 3, l2).weights);
    assert.ok(size(1) < size(0.1) && size(0.1) < size(0.01));
  });

  it('deals every class evenly over the folds', () => {
    const labels = [0, 0, 1, 0, 1, 1, 0, 0, 1, 0];
    assert.deepEqual([...stratifiedFolds(labels, 2)], [0, 1, 0, 0, 1, 0, 1, 0, 1, 1]);
  });

  it('holds out no more folds than the smallest class has samples, and with one a class takes the strongest but one', () => {
    const pair = clouds(2, 4, 6, 0.1, 3);
    assert.equal(
      chooseStrength(pair.features, pair.labels, 4),
      chooseStrength(pair.features, pair.labels, 4, { folds: 2 }),
    );
    const single = clouds(1, 4, 6, 0.1, 3);
    assert.equal(chooseStrength(single.features, single.labels, 4), 0.1);
    assert.equal(chooseStrength(single.features, single.labels, 4, { strengths: [5, 7, 9] }), 7);
    const test = clouds(5, 4, 6, 0.1, 4);
    const data = { test: test.features, testLabels: test.labels, classes: 4 };
    const { top1 } = evaluateLinear({ ...data, train: single.features, trainLabels: single.labels });
    assert.ok(top1 > 90, `${top1}`);
    // One rare class leaves two folds to the others.
    const rare = clouds(4, 3, 6, 0.1, 5);
    const kept = rare.labels.flatMap((label, i) => (label === 2 && i > 2 ? [] : [i]));
    const rows = kept.map((i) => [...rare.features.data.subarray(i * 6, i * 6 + 6)]);
    assert.ok(
      [1, 0.1, 0.01, 0.001].includes(
        chooseStrength(
          matrix(rows),
          kept.map((i) => rare.labels[i]!),
          3,
        ),
      ),
    );
    assert.throws(() => chooseStrength(pair.features, pair.labels, 4, { folds: 1 }), /`folds`.*got `1`/);
  });

  it('chooses a strong penalty for noise and a weak one for clear classes', () => {
    const random = RandomStream.of(8);
    const labels = Array.from({ length: 60 }, (_, i) => i % 2);
    const noise = matrix(labels.map(() => Array.from({ length: 40 }, () => random.normal())));
    assert.equal(chooseStrength(noise, labels, 2), 1);
    const clear = clouds(30, 2, 40, 0.2, 9);
    assert.ok(chooseStrength(clear.features, clear.labels, 2) < 0.01);
  });

  it('tells overlapping clouds apart nearly as well as can be, whatever the scale of a feature', () => {
    const train = clouds(60, 3, 6, 0.8, 10);
    const test = clouds(60, 3, 6, 0.8, 11);
    const data = {
      train: train.features,
      trainLabels: train.labels,
      test: test.features,
      testLabels: test.labels,
      classes: 3,
    };
    const { top1, converged } = evaluateLinear(data);
    assert.ok(converged && top1 > 85, `${top1}`);
    const scaled = (m: FeatureMatrix): FeatureMatrix => ({
      ...m,
      data: m.data.map((v, i) => (i % 6 === 0 ? v * 1000 + 5 : v)),
    });
    assert.ok(
      Math.abs(evaluateLinear({ ...data, train: scaled(data.train), test: scaled(data.test) }).top1 - top1) < 1.2,
    );
  });

  it('fails for labels that are no class', () => {
    assert.throws(() => fitLogisticRegression(matrix([[1], [2]]), [0, 2], 2, 0.1), /from 0 to 1, got `2`/);
    assert.throws(
      () => classify(fitLogisticRegression(matrix([[1], [2]]), [0, 1], 2, 0.1), matrix([[1, 2]])),
      /dimension 1, got 2/,
    );
  });
});

describe('standardise', () => {
  it('gives the training part mean 0 and deviation 1, and leaves a constant column at 0', () => {
    const part = matrix([
      [1, 7],
      [3, 7],
      [5, 7],
    ]);
    const scaled = standardise(part, fitStandardisation(part)).data;
    assert.ok(Math.abs(scaled[0]! + Math.sqrt(1.5)) < 1e-6 && scaled[2] === 0);
    assert.deepEqual([scaled[1], scaled[3], scaled[5]], [0, 0, 0]);
  });
});
