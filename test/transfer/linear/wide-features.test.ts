import assert from 'node:assert/strict';
import { RandomStream } from '../../../src/numeric/random.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { tf } from '../../../src/runtime/tensors.js';
import {
  chooseStrength,
  classify,
  evaluateLinear,
  fitLogisticRegression,
} from '../../../src/transfer/linear/logistic-regression.js';
import { evaluateMultiLayer, goyalProbe, trainProbe } from '../../../src/transfer/linear/multi-layer.js';
import { reduceToSpan } from '../../../src/transfer/linear/span-reduction.js';
import { fitStandardisation, standardise } from '../../../src/transfer/standardise.js';
import { measure } from '../../../src/transfer/statistics/image-scores.js';
import { drawClouds } from '../svm/svm-data.js';

const product = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, j) => sum + value * b[j]!, 0);

describe('rows in their span', () => {
  const { train, test } = drawClouds(3, 120, 6, 5, 3);
  const row = ({ data, dim }: typeof train, i: number): Float32Array => data.subarray(i * dim, (i + 1) * dim);
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('keep their scalar products, with each other and with other rows', () => {
    const before = tf.memory().numTensors;
    const { features, project } = reduceToSpan(train);
    const others = project(test);
    assert.equal(tf.memory().numTensors, before);
    assert.equal(features.dim, 18);
    for (let i = 0; i < train.rows; i++) {
      for (let j = 0; j < train.rows; j++) {
        const expected = product(row(train, i), row(train, j));
        assert.ok(Math.abs(product(row(features, i), row(features, j)) - expected) < 1e-4 * 240);
      }
      for (let j = 0; j < test.rows; j++) {
        const expected = product(row(train, i), row(test, j));
        assert.ok(Math.abs(product(row(features, i), row(others, j)) - expected) < 1e-4 * 240);
      }
    }
  });

  it('take fewer coordinates where a row stands twice', () => {
    const twice = { ...train, data: train.data.map((value, i) => (i < 120 ? train.data[i + 120]! : value)) };
    assert.equal(reduceToSpan(twice).features.dim, 17);
  });

  it('stay as they are where the span is no smaller or all are zero, and refuse rows of another width', () => {
    const narrow = { rows: 60, dim: 36, data: train.data };
    assert.equal(reduceToSpan(narrow).features, narrow);
    const zero = { ...train, data: new Float32Array(train.data.length) };
    assert.equal(reduceToSpan(zero).features, zero);
    assert.throws(() => reduceToSpan(train).project(narrow), /dimension 120, got 36/);
  });
});

describe('linear probe of a wide layer', () => {
  const data = drawClouds(3, 150, 12, 12, 4);
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('names the classes that the same problem gives without reduction', () => {
    const l2 = 0.05;
    const scaling = fitStandardisation(data.train);
    const full = fitLogisticRegression(standardise(data.train, scaling), data.trainLabels, 3, l2, { tolerance: 1e-6 });
    const named = classify(full, standardise(data.test, scaling));
    const { images, top1 } = evaluateLinear(data, { strengths: [l2], solver: { tolerance: 1e-6 } });
    assert.deepEqual(images.kind === 'mean' && images.values.map((value) => value === 100), [
      ...Array.from(named, (label, i) => label === data.testLabels[i]),
    ]);
    assert.ok(Math.abs(measure(images) - top1) < 1e-9);
  });

  it('finds the same strength whether or not weaker ones are on the list', () => {
    const strengths = [100, 10, 1, 0.1];
    const chosen = chooseStrength(data.train, data.trainLabels, 3, { strengths });
    const all = chooseStrength(data.train, data.trainLabels, 3, { strengths: [...strengths, 0.01, 1e-3, 1e-4] });
    assert.ok(chosen >= 0.1 && chosen <= all * 1e3, `${chosen} ${all}`);
    if (chosen > 0.1) assert.equal(all, chosen);
  });
});

describe('multi-layer probe', () => {
  const data = drawClouds(3, 150, 12, 12, 5);
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('takes the step of the gradient worked out by hand', () => {
    const features = { rows: 3, dim: 2, data: Float32Array.of(1, 2, -1, 0.5, 0.3, -2) };
    const labels = [0, 1, 1];
    const schedule = { ...goyalProbe, learningRate: 0.5, batch: 256, epochs: 1, drops: [] };
    const { weights, bias } = trainProbe(features, labels, 2, schedule, RandomStream.of(1));
    // At zero all classes have probability 1/2; the first Nesterov step is rate * (1 + momentum) * gradient.
    for (let c = 0; c < 2; c++) {
      const gradient = [0, 0, 0];
      labels.forEach((label, i) => {
        const residual = (0.5 - (label === c ? 1 : 0)) / 3;
        [features.data[i * 2]!, features.data[i * 2 + 1]!, 1].forEach((x, j) => (gradient[j]! += residual * x));
      });
      [weights[c]!, weights[2 + c]!, bias[c]!].forEach((value, j) =>
        assert.ok(Math.abs(value + 0.5 * 1.9 * gradient[j]!) < 1e-6, `${value}`),
      );
    }
  });

  it('continues with velocity, decay and the lower rate as PyTorch does', () => {
    // One row, one value, two classes: worked through step by step.
    const features = { rows: 1, dim: 1, data: Float32Array.of(2) };
    const schedule = { learningRate: 2.56, batch: 1, momentum: 0.9, weightDecay: 0.1, epochs: 3, drops: [2] };
    const { weights, bias } = trainProbe(
      features,
      [0],
      2,
      { ...schedule, batch: 256, learningRate: 0.01 },
      RandomStream.of(1),
    );
    let [w, b, vw, vb] = [0, 0, 0, 0];
    for (let epoch = 0; epoch < 3; epoch++) {
      const rate = 0.01 * (epoch >= 2 ? 0.1 : 1);
      const residual = 1 / (1 + Math.exp(-2 * (2 * w + b))) - 1;
      const [gw, gb] = [2 * residual + 0.1 * w, residual + 0.1 * b];
      [vw, vb] = [0.9 * vw + gw, 0.9 * vb + gb];
      [w, b] = [w - rate * (gw + 0.9 * vw), b - rate * (gb + 0.9 * vb)];
    }
    assert.ok(Math.abs(weights[0]! - w) < 1e-6 && Math.abs(bias[0]! - b) < 1e-6, `${weights[0]} ${w}`);
    assert.ok(Math.abs(weights[1]! + w) < 1e-6);
  });

  it('is as good in the span of the rows as in all dimensions: training never leaves it', () => {
    const scaling = fitStandardisation(data.train);
    const whole = standardise(data.train, scaling);
    const reduced = reduceToSpan(whole);
    const [full, small] = [whole, reduced.features].map((rows) =>
      trainProbe(rows, data.trainLabels, 3, goyalProbe, RandomStream.of(1)),
    );
    const judged = standardise(data.test, scaling);
    const projected = reduced.project(judged);
    for (let i = 0; i < judged.rows; i++) {
      for (let c = 0; c < 3; c++) {
        const score = ({ weights, bias }: typeof full & object, rows: typeof judged): number => {
          let sum = bias[c]!;
          for (let j = 0; j < rows.dim; j++) sum += rows.data[i * rows.dim + j]! * weights[j * 3 + c]!;
          return sum;
        };
        assert.ok(Math.abs(score(full!, judged) - score(small!, projected)) < 1e-3);
      }
    }
  });

  it('is the same for the same seed, keeps no tensor, and says which images are right', () => {
    const before = tf.memory().numTensors;
    const { top1, images } = evaluateMultiLayer(data, { seed: 2 });
    assert.equal(tf.memory().numTensors, before);
    assert.ok(top1 > 60, `${top1}`);
    assert.ok(Math.abs(measure(images) - top1) < 1e-9);
    assert.deepEqual(evaluateMultiLayer(data, { seed: 2 }).images, images);
  });
});
