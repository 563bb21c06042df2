import { symmetricEigen, type SymmetricEigen } from '../numeric/symmetric-eigen.js';
import { isNative, nativeOp } from '../runtime/ops/native-op.js';
import { takeAllValues } from '../runtime/take-values.js';
import { tf } from '../runtime/tensors.js';

/** Below this share of the largest eigenvalue, float32 leaves too few digits of one: it is worked out in float64. */
const leastExact = 1e-2;

/**
 * The `count` largest eigenvalues of a covariance and their unit eigenvectors as rows, a vector's value of largest magnitude positive. Native
 * TensorFlow finds the vectors in float32, in a twentieth of the time of `symmetricEigen`, which serves where there is no
 * TensorFlow; each value is then the Rayleigh quotient `v C v / v v` of its vector, whose error is the square of the vector's.
 *
 * @param covariance `[dim, dim]`, symmetric, finite
 */
export const principalAxes = (covariance: Float64Array, dim: number, count: number): SymmetricEigen => {
  if (!isNative()) {
    const { values, vectors } = symmetricEigen(covariance, dim);
    return { values: values.slice(0, count), vectors: vectors.slice(0, count * dim) };
  }
  const [axes, images] = takeAllValues(() => {
    const matrix = tf.tensor2d(Float32Array.from(covariance), [dim, dim]);
    const columns = nativeOp('SelfAdjointEigV2', { compute_v: { bool: true }, T: { type: 'float32' } }, [matrix], 2)[1];
    // Eigenvalues rise from column to column.
    const rows = tf.reverse(tf.slice(tf.transpose(columns), [dim - count, 0], [count, dim]), 0);
    return [rows, tf.matMul(rows, matrix)];
  });
  const vectors = Float64Array.from(axes);
  const values = new Float64Array(count);
  let largest = 0;
  for (let k = 0; k < count; k++) {
    const axis = vectors.subarray(k * dim, (k + 1) * dim);
    pointUp(axis, axes.subarray(k * dim, (k + 1) * dim));
    let value = 0;
    for (let j = 0; j < dim; j++) value += axes[k * dim + j] * images[k * dim + j];
    const squares = axis.reduce((sum, v) => sum + v * v, 0);
    largest = Math.max(largest, value / squares);
    values[k] = value / squares < leastExact * largest ? quotient(covariance, axis) / squares : value / squares;
    for (let j = 0; j < dim; j++) axis[j] /= Math.sqrt(squares);
  }
  return { values, vectors };
};

/** `v C v` in float64. */
const quotient = (covariance: Float64Array, v: Float64Array): number => {
  const dim = v.length;
  let total = 0;
  for (let i = 0; i < dim; i++) {
    let sum = 0;
    for (let j = 0, at = i * dim; j < dim; j++, at++) sum += covariance[at] * v[j];
    total += sum * v[i];
  }
  return total;
};

/** Turns an axis so that its value of largest magnitude is positive; a margin keeps rounding from choosing between equals. */
const pointUp = (axis: Float64Array, given: Float32Array): void => {
  let largest = 0;
  for (let j = 0; j < axis.length; j++) if (Math.abs(given[j]) > Math.abs(largest) * (1 + 1e-4)) largest = given[j];
  if (largest < 0) for (let j = 0; j < axis.length; j++) axis[j] = -axis[j];
};
