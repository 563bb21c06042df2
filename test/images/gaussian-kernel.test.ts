import assert from 'node:assert/strict';
import { gaussianKernel } from '../../src/images/gaussian-kernel.js';

describe('Gaussian kernels', () => {
  it('sum to 1 over both sides, and are a Gaussian to an eighth of a level', () => {
    for (const sigma of [0.05, 0.1, 0.3, 0.5, 0.86, 1, 1.7, 2, 4.2]) {
      const kernel = gaussianKernel(sigma);
      const sum = kernel.reduce((total, weight, k) => total + (k === 0 ? weight : 2 * weight), 0);
      assert.ok(Math.abs(sum - 1) < 1e-12, `${sigma}`);
      const whole = Array.from({ length: 101 }, (_, k) => Math.exp(-((k - 50) ** 2) / (2 * sigma * sigma)));
      const total = whole.reduce((a, b) => a + b);
      kernel.forEach((weight, k) => assert.ok(Math.abs(weight - whole[50 + k]! / total) < 1 / 2048, `${sigma} ${k}`));
    }
  });

  it('have one tap where there is nothing to blur, and more the wider they are', () => {
    assert.deepEqual(
      [0.04, 0.1, 0.2, 0.3, 0.5, 0.86].map((sigma) => gaussianKernel(sigma).length),
      [1, 1, 1, 2, 3, 4],
    );
  });
});
