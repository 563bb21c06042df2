import { checkMatrix, type FeatureMatrix } from '../neighbors/feature-matrix.js';

/**
 * Rows divided by their L2 norm + `offset`: their dot products are cosines. Goyal et al. 2019 add 1e-5 before their SVMs. A row of
 * zeros stays one. The features themselves are left as they are.
 */
export const unitRows = (features: FeatureMatrix, offset = 0): FeatureMatrix => {
  checkMatrix('features', features);
  const { rows, dim } = features;
  const data = new Float32Array(features.data.length);
  for (let i = 0; i < rows; i++) {
    let squares = 0;
    for (let j = i * dim; j < (i + 1) * dim; j++) squares += features.data[j]! ** 2;
    const length = Math.sqrt(squares) + offset;
    if (length > 0) for (let j = i * dim; j < (i + 1) * dim; j++) data[j] = features.data[j]! / length;
  }
  return { rows, dim, data };
};
