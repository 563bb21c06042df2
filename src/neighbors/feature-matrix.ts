/** Feature vectors of many items as rows: `data[i * dim + j]` is value j of item i. */
export type FeatureMatrix = { readonly rows: number; readonly dim: number; readonly data: Float32Array };

/** Checks shape against data; throws a RangeError that says what `name` should have been. */
export const checkMatrix = (name: string, matrix: FeatureMatrix): void => {
  if (matrix.rows < 1 || matrix.dim < 1 || matrix.data.length !== matrix.rows * matrix.dim) {
    throw new RangeError(
      `Expected \`${name}\` to hold rows x dim values, got ${matrix.data.length} for ${matrix.rows} x ${matrix.dim}`,
    );
  }
};

/**
 * Refuses values that are not finite, which would go through cosines, votes and losses without a word.
 *
 * @param first number of the first row, for the message
 * @throws RangeError naming the first such row
 */
export const checkFinite = (name: string, { dim, data }: FeatureMatrix, first = 0): void => {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new RangeError(`Expected \`${name}\` to be finite, got ${data[i]} in row ${first + Math.floor(i / dim)}`);
  }
};

/** The rows with the given numbers, copied, in that order. */
export const selectRows = (matrix: FeatureMatrix, indices: ArrayLike<number>): FeatureMatrix => {
  const { dim, rows } = matrix;
  const data = new Float32Array(indices.length * dim);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i] as number;
    if (!(row >= 0 && row < rows)) throw new RangeError(`Expected a row from 0 to ${rows - 1}, got \`${row}\``);
    data.set(matrix.data.subarray(row * dim, (row + 1) * dim), i * dim);
  }
  return { rows: indices.length, dim, data };
};

/** Mean of the rows, in float64; a RangeError names the first row with a value that is not finite. */
export const meanRow = ({ rows, dim, data }: FeatureMatrix): Float64Array => {
  const mean = new Float64Array(dim);
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < dim; j++, at++) mean[j]! += data[at]!;
  if (!mean.every(Number.isFinite)) {
    const place = data.findIndex((value) => !Number.isFinite(value));
    throw new RangeError(`Expected \`points\` to be finite, got NaN or Infinity in row ${Math.floor(place / dim)}`);
  }
  return mean.map((value) => value / rows);
};
