import assert from 'node:assert/strict';
import { fourierPasses, nextFastLength } from '../../src/numeric/fft.js';

describe('Passes of a Fourier transform', () => {
  it('say which lengths they take', () => {
    assert.deepEqual([1, 7, 11, 13, 17, 23, 31].map(nextFastLength), [1, 8, 12, 15, 18, 24, 32]);
    assert.throws(() => fourierPasses(14), /Expected `length` to be a product of 2, 3 and 5, got `14` \(number\)/);
    assert.throws(() => fourierPasses(0), RangeError);
  });

  it('take a length apart by 4, 2, 3 and 5, each pass what the one before left', () => {
    const passes = fourierPasses(120).map(({ radix, size }) => [radix, size]);
    assert.deepEqual(passes, [
      [4, 120],
      [2, 30],
      [3, 15],
      [5, 5],
    ]);
    assert.deepEqual(fourierPasses(1), []);
  });

  it('hold the roots of unity of their size', () => {
    const [first] = fourierPasses(20);
    const close = (got: number, wanted: number): void => assert.ok(Math.abs(got - wanted) < 1e-15);
    // Part 3, j = 2: exp(-2 pi i 6 / 20).
    close(first!.cos[3 * 3 + 1]!, Math.cos((12 * Math.PI) / 20));
    close(first!.sin[3 * 3 + 1]!, -Math.sin((12 * Math.PI) / 20));
  });
});
