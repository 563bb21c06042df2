import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { symmetricEigen } from '../../src/numeric/symmetric-eigen.js';

/** Checks `A v = value v`, unit length, right angles and order; `scale` is the size of the matrix's values. */
const assertDecomposes = (matrix: Float64Array, size: number, scale = 1): void => {
  const { values, vectors } = symmetricEigen(matrix, size);
  for (let k = 0; k < size; k++) {
    if (k > 0) assert.ok(values[k] <= values[k - 1]);
    for (let i = 0; i < size; i++) {
      let [image, inner] = [0, 0];
      for (let j = 0; j < size; j++) {
        image += matrix[i * size + j] * vectors[k * size + j];
        inner += vectors[i * size + j] * vectors[k * size + j];
      }
      assert.ok(Math.abs(image - values[k] * vectors[k * size + i]) < 1e-12 * size * scale, `${size}, ${k}, ${i}`);
      assert.ok(Math.abs(inner - (i === k ? 1 : 0)) < 1e-12 * size, `${size}, ${k}, ${i}`);
    }
  }
};

const drawSymmetric = (size: number, scale = 1): Float64Array => {
  const random = RandomStream.of(size, 'symmetric');
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) matrix[i * size + j] = matrix[j * size + i] = random.normal(0, scale);
  }
  return matrix;
};

describe('symmetricEigen', () => {
  it('takes random matrices of all sizes apart, small and large values alike', () => {
    for (const size of [1, 2, 3, 4, 7, 20, 61]) assertDecomposes(drawSymmetric(size), size, 3);
    assertDecomposes(drawSymmetric(10, 1e-150), 10, 3e-150);
    assertDecomposes(drawSymmetric(10, 1e150), 10, 3e150);
  });

  it('knows a 2 x 2 matrix by hand, and gives its vectors with the largest value positive', () => {
    const { values, vectors } = symmetricEigen([2, 1, 1, 2], 2);
    [3, 1].forEach((value, i) => assert.ok(Math.abs(values[i] - value) < 1e-14));
    [Math.SQRT1_2, Math.SQRT1_2].forEach((value, i) => assert.ok(Math.abs(vectors[i] - value) < 1e-14));
    const negative = symmetricEigen([-1, 0, 0, -5], 2);
    assert.deepEqual([...negative.values, ...negative.vectors], [-1, -5, 1, 0, 0, 1]);
  });

  it('knows the eigenvalues of second differences, 2 - 2 cos(pi k / (n + 1))', () => {
    const size = 30;
    const matrix = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      matrix[i * size + i] = 2;
      if (i > 0) matrix[i * size + i - 1] = matrix[(i - 1) * size + i] = -1;
    }
    const { values } = symmetricEigen(matrix, size);
    values.forEach((value, k) =>
      assert.ok(Math.abs(value - (2 - 2 * Math.cos((Math.PI * (size - k)) / (size + 1)))) < 1e-13),
    );
    assertDecomposes(matrix, size, 4);
  });

  it('takes zeros, the identity, repeated values and low rank', () => {
    const size = 6;
    assertDecomposes(new Float64Array(size * size), size);
    const identity = Float64Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0));
    assertDecomposes(identity, size);
    assertDecomposes(
      Float64Array.from({ length: size * size }, () => 1),
      size,
      6,
    );
    assertDecomposes(
      identity.map((value, at) => value * (Math.floor(at / size) < 3 ? 2 : -1)),
      size,
      2,
    );
  });

  it('reads the lower triangle alone, and leaves the matrix as it was', () => {
    const whole = drawSymmetric(5);
    const lower = whole.map((value, at) => (at % 5 > Math.floor(at / 5) ? 99 : value));
    const kept = lower.slice();
    assert.deepEqual(symmetricEigen(lower, 5), symmetricEigen(whole, 5));
    assert.deepEqual(lower, kept);
  });

  it('fails where the matrix is not square or not finite', () => {
    assert.throws(() => symmetricEigen([1, 2, 3], 2), /2 x 2 values, got 3/);
    assert.throws(() => symmetricEigen([NaN], 1), /finite, got NaN or Infinity/);
  });
});
