import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { symmetricEigen } from '../../src/numeric/symmetric-eigen.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf } from '../../src/runtime/tensors.js';
import { principalAxes } from '../../src/neighbors/principal-axes.js';

/** A symmetric matrix with the given eigenvalues: turned by reflections at random directions. */
const withValues = (values: readonly number[]): Float64Array => {
  const dim = values.length;
  const random = RandomStream.of(1, 'principal axes');
  let rows = values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));
  for (let turn = 0; turn < 3; turn++) {
    const u = values.map(() => random.normal());
    const squares = u.reduce((sum, v) => sum + v * v, 0);
    const reflection = u.map((a, i) => u.map((b, j) => (i === j ? 1 : 0) - (2 * a * b) / squares));
    const product = (a: number[][], b: number[][]): number[][] =>
      a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
    rows = product(product(reflection, rows), reflection);
  }
  return Float64Array.from({ length: dim * dim }, (_, at) => {
    const [i, j] = [Math.floor(at / dim), at % dim];
    return (rows[i][j] + rows[j][i]) / 2;
  });
};

for (const backend of ['tensorflow', 'wasm'] as const)
  describe(`principalAxes on ${backend}`, () => {
    before(async function () {
      const info = await openRuntime({ threads: 1 });
      if (backend === 'tensorflow' && info.backend !== 'tensorflow') this.skip();
      if (backend === 'wasm' && info.backend === 'tensorflow') await openRuntime({ device: 'wasm' });
    });
    after(async () => {
      await openRuntime({ threads: 1 });
    });

    const values = Array.from({ length: 24 }, (_, i) => 100 * 0.7 ** i);

    it('gives the eigenvalues that a matrix was made of, large and small ones to the same share', () => {
      const found = principalAxes(withValues(values), 24, 24).values;
      values.forEach((value, k) => assert.ok(Math.abs(found[k] / value - 1) < 1e-5, `${k}: ${found[k]}, ${value}`));
    });

    it('gives the vectors of the largest, of unit length and with the signs of the float64 solver', () => {
      const matrix = withValues(values);
      const exact = symmetricEigen(matrix, 24);
      const { values: some, vectors } = principalAxes(matrix, 24, 5);
      assert.deepEqual([some.length, vectors.length], [5, 5 * 24]);
      vectors.forEach((value, at) => assert.ok(Math.abs(value - exact.vectors[at]) < 1e-5, `${at}: ${value}`));
      for (let k = 0; k < 5; k++) {
        const squares = vectors.subarray(k * 24, (k + 1) * 24).reduce((sum, v) => sum + v * v, 0);
        assert.ok(Math.abs(squares - 1) < 1e-12, `${squares}`);
      }
    });

    it('gives 0 where a matrix has no extent', () => {
      const found = principalAxes(withValues([9, 4, 0, 0]), 4, 4).values;
      [9, 4, 0, 0].forEach((value, k) => assert.ok(Math.abs(found[k] - value) < 1e-5, `${k}: ${found[k]}`));
    });

    it('leaves no tensor behind', () => {
      const before = tf.memory().numTensors;
      principalAxes(withValues([3, 2, 1]), 3, 2);
      assert.equal(tf.memory().numTensors, before);
    });
  });
