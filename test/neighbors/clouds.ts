import { RandomStream } from '../../src/numeric/random.js';
import type { FeatureMatrix } from '../../src/neighbors/feature-matrix.js';

/** Rows drawn around `clouds` centres that lie `spread` apart in each column, and which centre each is of. */
export const drawClouds = (
  rows: number,
  dim: number,
  clouds: number,
  { spread = 8, seed = 1 }: { readonly spread?: number; readonly seed?: number } = {},
): { points: FeatureMatrix; labels: Int32Array } => {
  const random = RandomStream.of(seed, 'clouds');
  const centres = Float64Array.from({ length: clouds * dim }, () => random.normal(0, spread));
  const labels = Int32Array.from({ length: rows }, (_, i) => i % clouds);
  const data = Float32Array.from(
    { length: rows * dim },
    (_, at) => centres[labels[Math.floor(at / dim)] * dim + (at % dim)] + random.normal(),
  );
  return { points: { rows, dim, data }, labels };
};

/** Squared distance of row i of one matrix to row j of another, in float64. */
export const squaredDistance = (a: FeatureMatrix, i: number, b: FeatureMatrix, j: number): number => {
  let sum = 0;
  for (let d = 0; d < a.dim; d++) sum += (a.data[i * a.dim + d] - b.data[j * b.dim + d]) ** 2;
  return sum;
};
