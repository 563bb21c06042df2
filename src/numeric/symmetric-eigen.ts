/** Eigenvalues, largest first, and their unit eigenvectors as rows: `A = sum values[k] v_k v_k^T`. */
export type SymmetricEigen = {
  /** `[size]` */
  readonly values: Float64Array;
  /** `[size, size]`, row k belongs to `values[k]`. */
  readonly vectors: Float64Array;
};

/** Steps that one eigenvalue may take; two are usual. */
const mostSteps = 60;

/**
 * All eigenvalues and eigenvectors of a symmetric matrix: Householder reflections to tridiagonal form, then implicit QL steps with
 * Wilkinson's shift (Golub & Van Loan, Matrix Computations, 8.3). Some `9 size^3` operations; a vector's value of largest magnitude is positive, so that equal matrices give equal
 * signs.
 *
 * @param matrix `[size, size]`, of which the lower triangle is read
 * @throws RangeError where the matrix is not square or not finite
 */
export const symmetricEigen = (matrix: ArrayLike<number>, size: number): SymmetricEigen => {
  if (matrix.length !== size * size) {
    throw new RangeError(`Expected \`matrix\` to hold ${size} x ${size} values, got ${matrix.length}`);
  }
  const a = Float64Array.from(matrix);
  for (let i = 0; i < size; i++) for (let j = i + 1; j < size; j++) a[i * size + j] = a[j * size + i];
  if (!a.every(Number.isFinite)) throw new RangeError('Expected `matrix` to be finite, got NaN or Infinity');
  const { diagonal, beside, reflections } = tridiagonalise(a, size);
  diagonalise(diagonal, beside, reflections, size);
  return sorted(diagonal, reflections, size);
};

/**
 * `A = H^T T H` with T tridiagonal: T's diagonal, the values beside it (`beside[i]` between i and i + 1), and H, `[size, size]`,
 * the product of the reflections `I - scale u u^T`, step k of which turns column k below the diagonal onto one axis.
 */
const tridiagonalise = (a: Float64Array, size: number) => {
  const beside = new Float64Array(size);
  const scales = new Float64Array(size);
  const directions = new Float64Array(size * size);
  for (let k = 0; k < size - 1; k++) {
    const u = directions.subarray(k * size, (k + 1) * size);
    let below = 0;
    for (let i = k + 1; i < size; i++) {
      u[i] = a[i * size + k];
      if (i > k + 1) below += u[i] ** 2;
    }
    const first = u[k + 1];
    if (below === 0) {
      beside[k] = first;
      continue;
    }
    const length = Math.sqrt(first ** 2 + below);
    // Of the two signs the one that does not cancel.
    beside[k] = first > 0 ? -length : length;
    u[k + 1] = first - beside[k];
    scales[k] = 2 / (u[k + 1] ** 2 + below);
    reflectBlock(a, size, k + 1, u, scales[k]);
  }
  const reflections = new Float64Array(size * size);
  for (let i = 0; i < size; i++) reflections[i * size + i] = 1;
  for (let k = size - 2; k >= 0; k--) {
    if (scales[k] !== 0)
      reflectRows(reflections, size, k + 1, directions.subarray(k * size, (k + 1) * size), scales[k]);
  }
  return { diagonal: Float64Array.from({ length: size }, (_, i) => a[i * size + i]), beside, reflections };
};

/** `B = (I - scale u u^T) B (I - scale u u^T)` for the symmetric block B from row and column `from` on. */
const reflectBlock = (a: Float64Array, size: number, from: number, u: Float64Array, scale: number): void => {
  const image = new Float64Array(size);
  let along = 0;
  for (let i = from; i < size; i++) {
    let sum = 0;
    for (let j = from, at = i * size + from; j < size; j++, at++) sum += a[at] * u[j];
    image[i] = sum * scale;
    along += image[i] * u[i];
  }
  for (let i = from; i < size; i++) image[i] -= ((scale * along) / 2) * u[i];
  for (let i = from; i < size; i++) {
    const ui = u[i];
    const qi = image[i];
    for (let j = from, at = i * size + from; j < size; j++, at++) a[at] -= ui * image[j] + qi * u[j];
  }
};

/** `W = W (I - scale u u^T)`, of which rows and columns before `from` do not change. */
const reflectRows = (w: Float64Array, size: number, from: number, u: Float64Array, scale: number): void => {
  for (let i = from; i < size; i++) {
    let sum = 0;
    for (let j = from, at = i * size + from; j < size; j++, at++) sum += w[at] * u[j];
    sum *= scale;
    for (let j = from, at = i * size + from; j < size; j++, at++) w[at] -= sum * u[j];
  }
};

/** Turns T's diagonal into its eigenvalues and the rows of `vectors` with it, by implicit QL steps. */
const diagonalise = (diagonal: Float64Array, beside: Float64Array, vectors: Float64Array, size: number): void => {
  for (let low = 0; low < size; low++) {
    for (let step = 0; ; step++) {
      let high = low;
      while (high < size - 1) {
        const scale = Math.abs(diagonal[high]) + Math.abs(diagonal[high + 1]);
        if (Math.abs(beside[high]) <= Number.EPSILON * scale) break;
        high++;
      }
      if (high === low) break;
      if (step === mostSteps) throw new Error(`Eigenvalue ${low} of ${size} did not settle in ${mostSteps} steps`);
      stepQl(diagonal, beside, vectors, size, low, high);
    }
  }
};

/** One QL step on the block from `low` to `high`, as rotations of neighbours from its end to its beginning. */
const stepQl = (
  diagonal: Float64Array,
  beside: Float64Array,
  vectors: Float64Array,
  size: number,
  low: number,
  high: number,
): void => {
  const ratio = (diagonal[low + 1] - diagonal[low]) / (2 * beside[low]);
  const shift = diagonal[low] - beside[low] / (ratio + (ratio < 0 ? -1 : 1) * Math.hypot(ratio, 1));
  let [sine, cosine, carried] = [1, 1, 0];
  let bulge = diagonal[high] - shift;
  for (let i = high - 1; i >= low; i--) {
    const [across, along] = [sine * beside[i], cosine * beside[i]];
    const length = Math.hypot(across, bulge);
    beside[i + 1] = length;
    if (length === 0) {
      // The block fell apart: what was carried is put down, and the search for blocks begins again.
      diagonal[i + 1] -= carried;
      beside[high] = 0;
      return;
    }
    sine = across / length;
    cosine = bulge / length;
    const kept = diagonal[i + 1] - carried;
    const mixed = (diagonal[i] - kept) * sine + 2 * cosine * along;
    carried = sine * mixed;
    diagonal[i + 1] = kept + carried;
    bulge = cosine * mixed - along;
    for (let j = 0, a = i * size, b = (i + 1) * size; j < size; j++, a++, b++) {
      const first = vectors[a];
      const second = vectors[b];
      vectors[a] = cosine * first - sine * second;
      vectors[b] = sine * first + cosine * second;
    }
  }
  diagonal[low] -= carried;
  beside[low] = bulge;
  beside[high] = 0;
};

/** Largest eigenvalue first; the largest value of each vector positive. */
const sorted = (diagonal: Float64Array, rows: Float64Array, size: number): SymmetricEigen => {
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[b] - diagonal[a] || a - b);
  const vectors = new Float64Array(size * size);
  order.forEach((row, k) => {
    const vector = rows.subarray(row * size, (row + 1) * size);
    // The margin keeps rounding from choosing between values of equal magnitude.
    const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) * (1 + 1e-9) ? value : best), 0);
    for (let j = 0; j < size; j++) vectors[k * size + j] = largest < 0 ? -vector[j] : vector[j];
  });
  return { values: Float64Array.from(order, (row) => diagonal[row]), vectors };
};
