import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf } from '../../src/runtime/tensors.js';
import type { FeatureMatrix } from '../../src/neighbors/feature-matrix.js';
import { fitWhitening } from '../../src/neighbors/whitening.js';

/** Correlated rows far from the origin: normal deviates times a random matrix. */
const drawCorrelated = (rows: number, dim: number, rank = dim): FeatureMatrix => {
  const random = RandomStream.of(1, 'whitening');
  const mix = Float64Array.from({ length: rank * dim }, () => random.normal());
  const data = new Float32Array(rows * dim);
  for (let i = 0; i < rows; i++) {
    const hidden = Array.from({ length: rank }, () => random.normal());
    for (let j = 0; j < dim; j++) {
      data[i * dim + j] = 20 + hidden.reduce((sum, value, r) => sum + value * mix[r * dim + j], 0);
    }
  }
  return { rows, dim, data };
};

/** Covariance with divisor rows - 1, in plain loops. */
const covariance = ({ rows, dim, data }: FeatureMatrix): number[][] => {
  const mean = Array.from({ length: dim }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += data[i * dim + j];
    return sum / rows;
  });
  return mean.map((a, j) =>
    mean.map((b, k) => {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += (data[i * dim + j] - a) * (data[i * dim + k] - b);
      return sum / (rows - 1);
    }),
  );
};

for (const backend of ['tensorflow', 'wasm'] as const)
  describe(`fitWhitening on ${backend}`, () => {
    before(async function () {
      const info = await openRuntime({ threads: 1 });
      if (backend === 'tensorflow' && info.backend !== 'tensorflow') this.skip();
      if (backend === 'wasm' && info.backend === 'tensorflow') await openRuntime({ device: 'wasm' });
    });
    after(async () => {
      await openRuntime({ threads: 1 });
    });

    it('gives the points the identity as covariance, over more than one tile', () => {
      const points = drawCorrelated(5000, 12);
      for (const dims of [12, 5]) {
        const white = fitWhitening(points, { dims }).transform(points);
        assert.equal(white.dim, dims);
        covariance(white).forEach((row, j) =>
          row.forEach((value, k) => assert.ok(Math.abs(value - (j === k ? 1 : 0)) < 1e-4, `${j}, ${k}: ${value}`)),
        );
      }
    });

    it('leaves no tensor behind', () => {
      const points = drawCorrelated(50, 4);
      const before = tf.memory().numTensors;
      fitWhitening(points).transform(points);
      assert.equal(tf.memory().numTensors, before);
    });
  });

describe('fitWhitening', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('equals what is worked out by hand for points on a rectangle', () => {
    // Corners of a 6 x 2 rectangle turned by 45 degrees about (10, 0): variances 12 and 4/3 along (1, 1) and (1, -1).
    const half = Math.SQRT1_2;
    const corners = [
      [3, 1],
      [3, -1],
      [-3, 1],
      [-3, -1],
    ] as const;
    const data = Float32Array.from(corners.flatMap(([u, v]) => [10 + half * (u + v), half * (u - v)]));
    const whitening = fitWhitening({ rows: 4, dim: 2, data }, { epsilon: 0.25 });
    const near = (actual: ArrayLike<number>, expected: readonly number[]): void =>
      expected.forEach((value, i) => assert.ok(Math.abs(actual[i] - value) < 1e-5, `${i}: ${actual[i]}, ${value}`));
    near(whitening.mean, [10, 0]);
    near(whitening.variances, [12, 4 / 3]);
    near(whitening.scales, [1 / Math.sqrt(12.25), 1 / Math.sqrt(4 / 3 + 0.25)]);
    near(whitening.components.subarray(0, 2), [half, half]);
    assert.ok(Math.abs(whitening.components[2] + whitening.components[3]) < 1e-5);
    const { data: white } = whitening.transform({ rows: 1, dim: 2, data: Float32Array.of(10 + 3 * half, 3 * half) });
    near(white, [3 / Math.sqrt(12.25), 0]);
  });

  it('gives zeros along directions in which the points do not differ', () => {
    const points = drawCorrelated(200, 8, 3);
    const { scales, transform } = fitWhitening(points);
    assert.deepEqual(
      Array.from(scales, (scale) => scale > 0),
      [true, true, true, false, false, false, false, false],
    );
    const white = transform(points);
    assert.ok(white.data.every(Number.isFinite));
    assert.equal(white.data[7], 0);
  });

  it('keeps what it has learned for other points', () => {
    const { mean, components, scales, transform } = fitWhitening(drawCorrelated(300, 6), { dims: 2 });
    const other = { rows: 1, dim: 6, data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const { data } = transform(other);
    for (let k = 0; k < 2; k++) {
      const expected = scales[k] * mean.reduce((sum, m, j) => sum + components[k * 6 + j] * (other.data[j] - m), 0);
      assert.ok(Math.abs(data[k] - expected) < 1e-4 * Math.abs(expected));
    }
  });

  it('says what it expected', () => {
    const points = drawCorrelated(10, 3);
    assert.throws(() => fitWhitening(points, { dims: 4 }), /`dims` to be an integer from 1 to 3, got `4`/);
    assert.throws(() => fitWhitening(points, { epsilon: -1 }), /`epsilon` to be a number from 0 up, got `-1`/);
    assert.throws(() => fitWhitening(drawCorrelated(1, 3)), /two rows at least, got 1/);
    assert.throws(() => fitWhitening(points).transform(drawCorrelated(10, 4)), /dimension 3, got 4/);
    const data = points.data.slice();
    data[4] = NaN;
    assert.throws(() => fitWhitening({ ...points, data }), /`points` to be finite, got NaN or Infinity in row 1/);
  });
});
