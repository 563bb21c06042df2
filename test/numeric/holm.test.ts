import assert from 'node:assert/strict';
import { holm } from '../../src/numeric/holm.js';

describe("Holm's correction", () => {
  it('multiplies the smallest by all, the next by one less, and keeps the order', () => {
    const rounded = holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(6)));
    assert.deepEqual(rounded, [0.03, 0.06, 0.06, 0.02]);
  });

  it('never goes above 1, and leaves one test and none as they are', () => {
    assert.deepEqual(holm([0.9, 0.8, 0.7]), [1, 1, 1]);
    assert.deepEqual(holm([0.2]), [0.2]);
    assert.deepEqual(holm([]), []);
  });
});
