import assert from 'node:assert/strict';
import { RandomStream } from '../../../src/numeric/random.js';
import type { FeatureMatrix } from '../../../src/neighbors/feature-matrix.js';
import { decisionValues, trainLinearSvm } from '../../../src/transfer/svm/linear-svm.js';

const matrix = (rows: readonly (readonly number[])[]): FeatureMatrix => ({
  rows: rows.length,
  dim: rows[0]!.length,
  data: Float32Array.from(rows.flat()),
});

/** Two overlapping clouds, one positive row in three. */
const clouds = (rows: number, dim: number, seed: number) => {
  const random = RandomStream.of(seed, 'svm clouds');
  const labels = Int8Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? 1 : -1));
  const features = matrix(Array.from(labels, (y) => Array.from({ length: dim }, () => random.normal(0.4 * y))));
  return { features, labels };
};

describe('linear SVM', () => {
  it('finds the closed form of one feature and two rows', () => {
    // w and v minimise (w^2 + v^2) / 2 + c sum (1 - y (w x + v))^2: by symmetry v = 0, w = 4c / (1 + 4c).
    const { weights, bias, converged } = trainLinearSvm(matrix([[1], [-1]]), Int8Array.of(1, -1), {
      c: 0.5,
      tolerance: 1e-10,
    });
    assert.ok(converged);
    assert.ok(Math.abs(weights[0]! - 2 / 3) < 1e-9 && Math.abs(bias) < 1e-9, `${weights[0]} ${bias}`);
  });

  it('ends where the gradient of its objective, worked out by hand, is zero', () => {
    const { features, labels } = clouds(60, 5, 1);
    for (const c of [1e-4, 0.1, 100]) {
      const [positiveWeight, interceptScaling] = [2, 3];
      const { weights, bias } = trainLinearSvm(features, labels, {
        c,
        positiveWeight,
        interceptScaling,
        tolerance: 1e-9,
      });
      const v = bias / interceptScaling;
      const gradient = [...weights, v];
      let scale = 0;
      for (let i = 0; i < features.rows; i++) {
        const x = [...features.data.subarray(i * 5, i * 5 + 5), interceptScaling];
        const score = x.reduce((sum, value, j) => sum + value * (j < 5 ? weights[j]! : v), 0);
        const cost = 2 * c * (labels[i] === 1 ? positiveWeight : 1);
        scale += cost;
        const slack = Math.max(0, 1 - labels[i]! * score);
        x.forEach((value, j) => (gradient[j]! -= cost * labels[i]! * slack * value));
      }
      for (const value of gradient) assert.ok(Math.abs(value) < 1e-8 * Math.max(1, scale), `${c}: ${value}`);
    }
  });

  it('ends at the same place wherever it begins', () => {
    const { features, labels } = clouds(60, 5, 2);
    const options = { c: 1, tolerance: 1e-10 };
    const cold = trainLinearSvm(features, labels, options);
    const warm = trainLinearSvm(features, labels, { ...options, start: trainLinearSvm(features, labels, { c: 0.01 }) });
    assert.ok(Math.abs(cold.bias - warm.bias) < 1e-8);
    cold.weights.forEach((weight, j) => assert.ok(Math.abs(weight - warm.weights[j]!) < 1e-8));
    const again = trainLinearSvm(features, labels, { ...options, start: cold });
    assert.equal(again.iterations, 0);
  });

  it('leaves the bias out where the constant feature is 0', () => {
    const { features, labels } = clouds(30, 3, 3);
    assert.equal(trainLinearSvm(features, labels, { c: 1, interceptScaling: 0 }).bias, 0);
  });

  it('moves the boundary away from the side whose cost is larger', () => {
    const { features, labels } = clouds(60, 5, 4);
    const negatives = (positiveWeight: number): number =>
      decisionValues(trainLinearSvm(features, labels, { c: 1, positiveWeight }), features).filter((s) => s < 0).length;
    assert.ok(negatives(10) < negatives(1));
  });

  it('says what it expected', () => {
    const { features, labels } = clouds(6, 2, 5);
    assert.throws(() => trainLinearSvm(features, labels, { c: 0 }), /Expected `c` to be a number above 0, got `0`/);
    assert.throws(() => trainLinearSvm(features, labels.subarray(1), { c: 1 }), /one label a row, got 5 for 6 rows/);
    assert.throws(() => trainLinearSvm(features, Int8Array.of(1, 0, 1, 1, 1, -1), { c: 1 }), /1 and -1, got `0`/);
    assert.throws(() => trainLinearSvm(features, new Int8Array(6).fill(1), { c: 1 }), /both 1 and -1.*got 1 alone/);
    assert.throws(
      () => decisionValues(trainLinearSvm(features, labels, { c: 1 }), matrix([[1]])),
      /dimension 2, got 1/,
    );
  });
});
