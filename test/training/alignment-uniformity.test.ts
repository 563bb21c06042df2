import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf } from '../../src/runtime/tensors.js';
import { alignmentOf, measureUniformity } from '../../src/training/alignment-uniformity.js';

describe('alignment and uniformity', () => {
  before(() => openRuntime({ threads: 1 }));

  it('pairs that are one have alignment 0, opposite ones 4', () => {
    tf.tidy(() => {
      assert.equal(alignmentOf(tf.tensor1d([1, 1])).dataSync()[0], 0);
      assert.equal(alignmentOf(tf.tensor2d([[-1], [-1]])).dataSync()[0], 4);
      assert.equal(alignmentOf(tf.tensor1d([1, 0])).dataSync()[0], 1);
    });
  });

  it('rows that are alike have uniformity 0, rows at right angles -4, whatever their lengths', () => {
    tf.tidy(() => {
      assert.ok(
        Math.abs(
          measureUniformity(
            tf.tensor2d([
              [1, 2],
              [2, 4],
              [0.5, 1],
            ]),
          ),
        ) < 1e-5,
      );
      assert.ok(Math.abs(measureUniformity(tf.mul(tf.eye(6), 3)) + 4) < 1e-5);
      assert.ok(Number.isNaN(measureUniformity(tf.tensor2d([[1, 2]]))));
    });
  });

  it('agrees with the formula written out term by term', () => {
    const random = RandomStream.of(1, 'uniformity');
    const rows = Array.from({ length: 7 }, () => Array.from({ length: 3 }, () => random.normal()));
    const unit = rows.map((row) => row.map((value) => value / Math.hypot(...row)));
    let sum = 0;
    unit.forEach((x, i) =>
      unit.forEach((y, j) => {
        if (i !== j) sum += Math.exp(-2 * x.reduce((s, value, k) => s + (value - y[k]!) ** 2, 0));
      }),
    );
    tf.tidy(() => assert.ok(Math.abs(measureUniformity(tf.tensor2d(rows)) - Math.log(sum / 42)) < 1e-5));
  });
});
