import { checkMatrix, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { RandomStream } from '../../numeric/random.js';

const iterations = 40;

/** Inner products of all rows, `[rows, rows]`. */
const gramOf = ({ rows, dim, data }: { rows: number; dim: number; data: Float64Array }): Float64Array => {
  const gram = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = i; j < rows; j++) {
      let sum = 0;
      for (let k = 0, a = i * dim, b = j * dim; k < dim; k++) sum += data[a + k]! * data[b + k]!;
      gram[i * rows + j] = sum;
      gram[j * rows + i] = sum;
    }
  }
  return gram;
};

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Makes vectors orthonormal, in place and in their order (modified Gram-Schmidt); one that depends on earlier ones becomes zero. */
const orthonormalise = (vectors: readonly Float64Array[]): void => {
  for (const [k, vector] of vectors.entries()) {
    const before = Math.sqrt(dot(vector, vector));
    // Twice: once leaves rounding errors as large as what remains.
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < k; j++) {
        const share = dot(vector, vectors[j]!);
        for (let i = 0; i < vector.length; i++) vector[i]! -= share * vectors[j]![i]!;
      }
    }
    const length = Math.sqrt(dot(vector, vector));
    if (length > 1e-10 * before && length > 0) for (let i = 0; i < vector.length; i++) vector[i]! /= length;
    else vector.fill(0);
  }
};

/**
 * Scores of the rows on their first `count` principal components, `[rows, count]`, largest variance first: the rows less their
 * mean, projected. By subspace iteration on the inner products of the rows (there are few rows and many values), begun from
 * seeded deviates; each component's largest score is positive, so that equal data give equal signs. Components beyond the rank are 0.
 */
export const principalComponents = (features: FeatureMatrix, count: number, seed = 1): Float64Array => {
  checkMatrix('features', features);
  const { rows, dim } = features;
  const centred = Float64Array.from(features.data);
  for (let k = 0; k < dim; k++) {
    let mean = 0;
    for (let i = 0; i < rows; i++) mean += centred[i * dim + k]! / rows;
    for (let i = 0; i < rows; i++) centred[i * dim + k]! -= mean;
  }
  const gram = gramOf({ rows, dim, data: centred });
  const random = RandomStream.of(seed, 'principal-components');
  let basis = Array.from({ length: Math.min(count, rows) }, () =>
    Float64Array.from({ length: rows }, () => random.normal()),
  );
  orthonormalise(basis);
  for (let step = 0; step < iterations; step++) {
    basis = basis.map((vector) => multiply(gram, vector));
    orthonormalise(basis);
  }
  const scores = new Float64Array(rows * count);
  for (const [k, vector] of basis.entries()) {
    const variance = Math.max(0, dot(vector, multiply(gram, vector)));
    const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) + 1e-12 ? value : best), 0);
    const scale = Math.sqrt(variance) * (largest < 0 ? -1 : 1);
    for (let i = 0; i < rows; i++) scores[i * count + k] = vector[i]! * scale;
  }
  return scores;
};

const multiply = (gram: Float64Array, vector: Float64Array): Float64Array<ArrayBuffer> => {
  const rows = vector.length;
  const result = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0, at = i * rows; j < rows; j++) sum += gram[at + j]! * vector[j]!;
    result[i] = sum;
  }
  return result;
};
