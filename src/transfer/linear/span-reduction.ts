import { checkMatrix, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { takeValues } from '../../runtime/take-values.js';
import { tf } from '../../runtime/tensors.js';

/** The same rows in as few coordinates as they need. */
export type SpanReduction = {
  readonly features: FeatureMatrix;
  /** Coordinates of other rows within the span; what lies outside it no linear model trained on the span can see. */
  project(others: FeatureMatrix): FeatureMatrix;
};

/**
 * A direction is left out where its share of the largest squared length is smaller: float32 products cannot tell it from zero.
 */
const smallestShare = 1e-6;

/**
 * Rows in an orthonormal basis of what they span: n rows of d values become n rows of at most n values with the same scalar
 * products. Whatever is trained on rows and penalised by `|w|^2` (SVM, logistic regression, SGD that begins at zero) has its
 * solution in that span (representer theorem), so that training on the reduced rows gives the same scores and takes n / d of the
 * time. The coordinates are the rows of the pivoted Cholesky factor of `X X'`; other rows get theirs by forward substitution.
 * Where the rows are not clearly fewer than the values (`3 n > 2 d`), or all are zero, they come back as they are.
 */
export const reduceToSpan = (features: FeatureMatrix): SpanReduction => {
  checkMatrix('features', features);
  const { rows, dim } = features;
  const asTheyAre: SpanReduction = { features, project: (others) => sameDimension(others, dim) };
  if (3 * rows > 2 * dim) return asTheyAre;
  const { factor, rank, pivots } = pivotedCholesky(productsOf(features, features), rows);
  if (rank === 0) return asTheyAre;
  const reduced = new Float32Array(rows * rank);
  for (let i = 0; i < rows; i++) reduced.set(factor.subarray(i * rows, i * rows + rank), i * rank);
  return {
    features: { rows, dim: rank, data: reduced },
    project: (others) => {
      const products = productsOf(sameDimension(others, dim), features);
      const data = new Float32Array(others.rows * rank);
      const coordinates = new Float64Array(rank);
      for (let i = 0; i < others.rows; i++) {
        for (let j = 0; j < rank; j++) {
          const at = pivots[j]! * rows;
          let rest = products[i * rows + pivots[j]!]!;
          for (let k = 0; k < j; k++) rest -= factor[at + k]! * coordinates[k]!;
          coordinates[j] = rest / factor[at + j]!;
        }
        data.set(coordinates, i * rank);
      }
      return { rows: others.rows, dim: rank, data };
    },
  };
};

const sameDimension = (features: FeatureMatrix, dim: number): FeatureMatrix => {
  checkMatrix('features', features);
  if (features.dim !== dim) throw new RangeError(`Expected features of dimension ${dim}, got ${features.dim}`);
  return features;
};

const productsOf = (a: FeatureMatrix, b: FeatureMatrix): Float32Array =>
  takeValues(() => {
    const left = tf.tensor2d(a.data, [a.rows, a.dim]);
    const right = a === b ? left : tf.tensor2d(b.data, [b.rows, b.dim]);
    return left.matMul(right, false, true);
  });

/**
 * `K = F F'` with F `[n, rank]` (held in `[n, n]`), taking the row with the largest rest first and ending where no rest is worth
 * a direction. Row `pivots[j]` of F has nothing after column j.
 */
const pivotedCholesky = (
  products: Float32Array,
  n: number,
): { readonly factor: Float64Array; readonly rank: number; readonly pivots: Int32Array } => {
  const factor = new Float64Array(n * n);
  const rest = Float64Array.from({ length: n }, (_, i) => products[i * n + i]!);
  const enough = smallestShare * rest.reduce((most, value) => Math.max(most, value), 0);
  const taken = new Uint8Array(n);
  const pivots = new Int32Array(n);
  let rank = 0;
  for (; rank < n; rank++) {
    let pivot = -1;
    for (let i = 0; i < n; i++) if (!taken[i] && (pivot < 0 || rest[i]! > rest[pivot]!)) pivot = i;
    if (!(rest[pivot]! > enough)) break;
    const length = Math.sqrt(rest[pivot]!);
    taken[pivot] = 1;
    pivots[rank] = pivot;
    factor[pivot * n + rank] = length;
    for (let i = 0; i < n; i++) {
      if (taken[i]) continue;
      let value = products[i * n + pivot]!;
      for (let k = 0; k < rank; k++) value -= factor[i * n + k]! * factor[pivot * n + k]!;
      value /= length;
      factor[i * n + rank] = value;
      rest[i]! -= value * value;
    }
  }
  return { factor, rank, pivots };
};
