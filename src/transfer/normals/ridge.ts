import { takeAllValues } from '../../runtime/take-values.js';
import { tf } from '../../runtime/tensors.js';
import { checkMatrix, type FeatureMatrix } from '../../neighbors/feature-matrix.js';

/** A linear map with offset: `y = x W + b`, `W` `[dim, outputs]`. */
export type LinearMap = {
  readonly dim: number;
  readonly outputs: number;
  readonly weights: Float64Array;
  readonly bias: Float64Array;
};

/** Weighted sums that a ridge regression needs of a block of rows; blocks can be added. */
export type Moments = {
  readonly dim: number;
  readonly outputs: number;
  readonly weight: number;
  /** `sum w x x^T`, `[dim, dim]`. */
  readonly xx: Float64Array;
  /** `sum w x y^T`, `[dim, outputs]`. */
  readonly xy: Float64Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
};

/** Sums over rows `from` to `to` (exclusive) of features `[rows, dim]`, targets `[rows, outputs]` and weights `[rows]`. */
export const momentsOf = (
  features: FeatureMatrix,
  targets: Float64Array,
  weights: Float64Array,
  from = 0,
  to = features.rows,
): Moments => {
  checkMatrix('features', features);
  const { dim, data, rows } = features;
  const outputs = targets.length / rows;
  if (!Number.isInteger(outputs) || weights.length !== rows || !(from >= 0 && from < to && to <= rows)) {
    throw new RangeError(`Expected targets and weights of ${rows} rows, and a block of them, got ${from} to ${to}`);
  }
  const count = to - from;
  const x = new Float64Array(dim);
  const y = new Float64Array(outputs);
  const weighted = new Float32Array(count * dim);
  let weight = 0;
  for (let i = 0; i < count; i++) {
    const w = weights[from + i]!;
    weight += w;
    for (let j = 0; j < dim; j++) {
      const value = w * data[(from + i) * dim + j]!;
      weighted[i * dim + j] = value;
      x[j]! += value;
    }
    for (let c = 0; c < outputs; c++) y[c]! += w * targets[(from + i) * outputs + c]!;
  }
  const [xx, xy] = takeAllValues(() => {
    const left = tf.tensor2d(weighted, [count, dim]);
    const right = tf.tensor2d(data.subarray(from * dim, to * dim), [count, dim]);
    const goal = tf.tensor2d(Float32Array.from(targets.subarray(from * outputs, to * outputs)), [count, outputs]);
    return [left.matMul(right, true, false), left.matMul(goal, true, false)];
  });
  return { dim, outputs, weight, xx: Float64Array.from(xx), xy: Float64Array.from(xy), x, y };
};

/** Sums over several blocks together. */
export const addMoments = (blocks: readonly Moments[]): Moments => {
  const [first, ...rest] = blocks;
  if (!first) throw new RangeError('Expected at least one block of sums, got none');
  const total = { ...first, xx: first.xx.slice(), xy: first.xy.slice(), x: first.x.slice(), y: first.y.slice() };
  for (const block of rest) {
    total.weight += block.weight;
    for (const name of ['xx', 'xy', 'x', 'y'] as const) block[name].forEach((value, i) => (total[name][i]! += value));
  }
  return total;
};

/**
 * Weighted ridge regression: minimises `sum w |x W + b - y|^2 / sum w + l2 |W|^2` (the offset is free), by Cholesky
 * factorisation of the centred normal equations in float64.
 */
export const fitRidge = ({ dim, outputs, weight, xx, xy, x, y }: Moments, l2: number): LinearMap => {
  if (!(l2 > 0)) throw new RangeError(`Expected \`l2\` to be a number above 0, got \`${l2}\` (${typeof l2})`);
  if (!(weight > 0)) throw new RangeError('Expected rows of some weight, got none');
  const matrix = new Float64Array(dim * dim);
  for (let i = 0; i < dim; i++) {
    for (let j = 0; j < dim; j++) matrix[i * dim + j] = (xx[i * dim + j]! - (x[i]! * x[j]!) / weight) / weight;
    matrix[i * dim + i]! += l2;
  }
  factorise(matrix, dim);
  const weights = new Float64Array(dim * outputs);
  const bias = new Float64Array(outputs);
  for (let c = 0; c < outputs; c++) {
    const right = Float64Array.from(
      { length: dim },
      (_, i) => (xy[i * outputs + c]! - (x[i]! * y[c]!) / weight) / weight,
    );
    const solution = solveFactorised(matrix, dim, right);
    bias[c] = y[c]! / weight;
    for (let i = 0; i < dim; i++) {
      weights[i * outputs + c] = solution[i]!;
      bias[c]! -= (solution[i]! * x[i]!) / weight;
    }
  }
  return { dim, outputs, weights, bias };
};

/** `x W + b` for rows `from` to `to`, `[rows, outputs]`. */
export const applyMap = (map: LinearMap, features: FeatureMatrix, from = 0, to = features.rows): Float64Array => {
  const { dim, outputs, weights, bias } = map;
  if (features.dim !== dim) throw new RangeError(`Expected features of dimension ${dim}, got ${features.dim}`);
  const result = new Float64Array((to - from) * outputs);
  for (let i = from; i < to; i++) {
    for (let c = 0; c < outputs; c++) {
      let sum = bias[c]!;
      for (let j = 0; j < dim; j++) sum += features.data[i * dim + j]! * weights[j * outputs + c]!;
      result[(i - from) * outputs + c] = sum;
    }
  }
  return result;
};

/** Cholesky in place: the lower triangle becomes L with `L L^T` the matrix. */
const factorise = (matrix: Float64Array, size: number): void => {
  for (let j = 0; j < size; j++) {
    for (let i = j; i < size; i++) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k]! * matrix[j * size + k]!;
      if (i > j) {
        matrix[i * size + j] = sum / matrix[j * size + j]!;
        continue;
      }
      if (!(sum > 0)) throw new Error('The features are too alike for this strength of ridge regression: raise `l2`');
      matrix[j * size + j] = Math.sqrt(sum);
    }
  }
};

const solveFactorised = (lower: Float64Array, size: number, right: Float64Array): Float64Array => {
  const solution = right.slice();
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) solution[i]! -= lower[i * size + k]! * solution[k]!;
    solution[i]! /= lower[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) solution[i]! -= lower[k * size + i]! * solution[k]!;
    solution[i]! /= lower[i * size + i]!;
  }
  return solution;
};
