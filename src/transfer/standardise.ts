import type { FeatureMatrix } from '../neighbors/feature-matrix.js';

/** Mean and standard deviation (divisor n) of each column of a training part. */
export type Standardisation = { readonly mean: Float64Array; readonly std: Float64Array };

/** Learns a standardisation from the training part, and only from it. A constant column has standard deviation 1, so that it becomes zeros. */
export const fitStandardisation = ({ rows, dim, data }: FeatureMatrix): Standardisation => {
  const mean = new Float64Array(dim);
  const std = new Float64Array(dim);
  for (let i = 0; i < rows; i++) for (let j = 0; j < dim; j++) mean[j]! += data[i * dim + j]! / rows;
  for (let i = 0; i < rows; i++) for (let j = 0; j < dim; j++) std[j]! += (data[i * dim + j]! - mean[j]!) ** 2 / rows;
  for (let j = 0; j < dim; j++) {
    const deviation = Math.sqrt(std[j]!);
    std[j] = deviation > 1e-6 * Math.max(1, Math.abs(mean[j]!)) ? deviation : 1;
  }
  return { mean, std };
};

/** `(x - mean) / std`, column by column. */
export const standardise = ({ rows, dim, data }: FeatureMatrix, { mean, std }: Standardisation): FeatureMatrix => {
  if (mean.length !== dim) throw new RangeError(`Expected features of dimension ${mean.length}, got ${dim}`);
  const scaled = new Float32Array(rows * dim);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < dim; j++) scaled[i * dim + j] = (data[i * dim + j]! - mean[j]!) / std[j]!;
  }
  return { rows, dim, data: scaled };
};
