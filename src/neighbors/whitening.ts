import { takeValues } from '../runtime/take-values.js';
import { tf } from '../runtime/tensors.js';
import { checkMatrix, meanRow, type FeatureMatrix } from './feature-matrix.js';
import { principalAxes } from './principal-axes.js';

/** Rows that one product takes: their copy as a tensor stays within some MB. */
const tileRows = 4096;

/** Variances below this share of the largest are rounding of float32 sums: such directions carry nothing. */
const leastShare = 1e-6;

/** A whitening learned from points; plain arrays, so that it can be kept, and the map itself. */
export type Whitening = {
  /** `[dim]` */
  readonly mean: Float64Array;
  /** Principal components as unit rows, largest variance first, `[dims, dim]`. */
  readonly components: Float64Array;
  /** Variance of the points along each component (divisor rows - 1), `[dims]`. */
  readonly variances: Float64Array;
  /** What each coordinate is multiplied by, `1 / sqrt(variance + epsilon)`; 0 where the points have no extent. `[dims]` */
  readonly scales: Float64Array;
  /** `scales * components (x - mean)` of each row, `[rows, dims]`. */
  transform(points: FeatureMatrix): FeatureMatrix;
};

/**
 * PCA whitening: points seen from their mean, along the principal components, each divided by its standard deviation, so that their
 * covariance is the identity. DeepCluster (Caron et al. 2018, 4.1) clusters features that are reduced to 256 dimensions, whitened and divided
 * by their lengths; the lengths are left to the caller.
 *
 * @param points `[rows, dim]`, two rows at least; the eigenvectors of the covariance take `dim^3` time
 * @param options.dims components kept, from 1 to `dim`; beyond the rank of the points coordinates are 0. @default dim
 * @param options.epsilon added to each variance. @default 0, as in faiss and scikit-learn
 */
export const fitWhitening = (
  points: FeatureMatrix,
  { dims = points.dim, epsilon = 0 }: { readonly dims?: number; readonly epsilon?: number } = {},
): Whitening => {
  checkMatrix('points', points);
  const { rows, dim } = points;
  if (rows < 2) throw new RangeError(`Expected \`points\` to hold two rows at least, got ${rows}`);
  if (!Number.isInteger(dims) || dims < 1 || dims > dim) {
    throw new RangeError(`Expected \`dims\` to be an integer from 1 to ${dim}, got \`${dims}\` (${typeof dims})`);
  }
  if (!(epsilon >= 0)) throw new RangeError(`Expected \`epsilon\` to be a number from 0 up, got \`${epsilon}\``);
  const { mean, covariance } = covarianceOf(points);
  const { values, vectors: components } = principalAxes(covariance, dim, dims);
  const variances = values.map((value) => Math.max(0, value));
  const scales = variances.map((value) => (value > leastShare * values[0] ? 1 / Math.sqrt(value + epsilon) : 0));
  return { mean, components, variances, scales, transform: (other) => transform(other, { mean, components, scales }) };
};

/** Mean and covariance (divisor rows - 1): products of centred tiles in float32, summed in float64. */
const covarianceOf = (points: FeatureMatrix): { mean: Float64Array; covariance: Float64Array } => {
  const { rows, dim } = points;
  const mean = meanRow(points);
  const covariance = new Float64Array(dim * dim);
  for (const { values, count } of centredTiles(points, mean)) {
    const part = takeValues(() => {
      const tile = tf.tensor2d(values, [count, dim]);
      return tf.matMul(tile, tile, true, false);
    });
    for (let i = 0; i < covariance.length; i++) covariance[i] += part[i] / (rows - 1);
  }
  return { mean, covariance };
};

const transform = (
  points: FeatureMatrix,
  { mean, components, scales }: Pick<Whitening, 'mean' | 'components' | 'scales'>,
): FeatureMatrix => {
  checkMatrix('points', points);
  const [dim, dims] = [mean.length, scales.length];
  if (points.dim !== dim) throw new RangeError(`Expected points of dimension ${dim}, got ${points.dim}`);
  const result = new Float32Array(points.rows * dims);
  // Scales are multiplied in before the product, which then is the whole map.
  const map = new Float32Array(dim * dims);
  for (let j = 0, at = 0; j < dim; j++) {
    for (let k = 0; k < dims; k++, at++) map[at] = components[k * dim + j] * scales[k];
  }
  const right = tf.tensor2d(map, [dim, dims]);
  try {
    for (const { from, values, count } of centredTiles(points, mean)) {
      result.set(
        takeValues(() => tf.matMul(tf.tensor2d(values, [count, dim]), right)),
        from * dims,
      );
    }
  } finally {
    right.dispose();
  }
  return { rows: points.rows, dim: dims, data: result };
};

/** The rows less the mean, tile by tile; values hold until the next tile is asked for. */
function* centredTiles({ rows, dim, data }: FeatureMatrix, mean: Float64Array) {
  const buffer = new Float32Array(Math.min(tileRows, rows) * dim);
  for (let from = 0; from < rows; from += tileRows) {
    const count = Math.min(tileRows, rows - from);
    const values = buffer.subarray(0, count * dim);
    centreRows(values, data, from * dim, mean);
    yield { from, values, count };
  }
}

/** Apart from the generator, whose loops are not compiled as well. */
const centreRows = (values: Float32Array, data: Float32Array, first: number, mean: Float64Array): void => {
  for (let at = 0, a = first; at < values.length;) {
    for (let j = 0; j < mean.length; j++, at++, a++) values[at] = data[a] - mean[j];
  }
};
