import assert from 'node:assert/strict';
import { tf, type Tensor } from '../../src/runtime/tensors.js';

/** Deterministic numbers in [-1, 1), so that a failure can be repeated. */
export function numbers(shape: number[], seed = 1): Tensor {
  let state = seed * 2654435761;
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return tf.tensor(data, shape);
}

/** Largest absolute difference of two tensors of one shape. */
export function difference(a: Tensor, b: Tensor): number {
  assert.deepEqual(a.shape, b.shape);
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]);
}

/**
 * Compares the tape's gradients of `sum(f(inputs) * weights)` (weights fixed, uneven) with those of another formula for the same function.
 * Relative to the largest entry.
 */
export function assertSameGradients(
  f: (...xs: Tensor[]) => Tensor,
  reference: (...xs: Tensor[]) => Tensor,
  inputs: Tensor[],
  tolerance = 2e-5,
): void {
  const weights = numbers(f(...inputs).shape, 7);
  const weigh = (g: typeof f) => tf.grads((...xs: Tensor[]) => tf.sum(tf.mul(g(...xs), weights)))(inputs);
  const [own, other] = [weigh(f), weigh(reference)];
  own.forEach((gradient, i) => {
    const scale = Math.max(1e-3, tf.max(tf.abs(other[i])).dataSync()[0]);
    const off = difference(gradient, other[i]) / scale;
    assert.ok(off < tolerance, `gradient of input ${i} is off by ${off} of its largest entry`);
  });
}

/** Compares the tape's gradient of `sum(f * weights)` with central differences along one uneven direction an input. */
export function assertNumericGradient(
  f: (...xs: Tensor[]) => Tensor,
  inputs: Tensor[],
  { step = 1e-2, tolerance = 1e-2 } = {},
): void {
  const weights = numbers(f(...inputs).shape, 7);
  const value = (xs: Tensor[]): number => {
    const a = Array.from(f(...xs).dataSync());
    const b = weights.dataSync();
    // In double precision: a float32 sum would drown the difference.
    return a.reduce((sum, y, i) => sum + y * b[i], 0);
  };
  const gradients = tf.grads((...xs: Tensor[]) => tf.sum(tf.mul(f(...xs), weights)))(inputs);
  inputs.forEach((input, i) => {
    const direction = numbers(input.shape, 11 + i);
    const moved = (by: number): Tensor[] => inputs.map((x, j) => (i === j ? tf.add(x, tf.mul(direction, by)) : x));
    const numeric = (value(moved(step)) - value(moved(-step))) / (2 * step);
    const taped = tf.sum(tf.mul(gradients[i], direction)).dataSync()[0];
    const off = Math.abs(numeric - taped) / Math.max(0.1, Math.abs(numeric));
    assert.ok(off < tolerance, `input ${i}: ${taped} on the tape, ${numeric} by differences`);
  });
}
