/** Values of `[outer, length, inner]` transformed along the middle axis, `X[k] = sum_n x[n] exp(-2 pi i k n / N)`, term by term. */
const along = (
  [re, im]: readonly [Float64Array, Float64Array],
  [outer, length, inner]: readonly [number, number, number],
): [Float64Array, Float64Array] => {
  const result: [Float64Array, Float64Array] = [new Float64Array(re.length), new Float64Array(re.length)];
  const angles = Array.from({ length }, (_, turn) => (-2 * Math.PI * turn) / length);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < length; k++) {
      for (let n = 0; n < length; n++) {
        const [cos, sin] = [Math.cos(angles[(k * n) % length]!), Math.sin(angles[(k * n) % length]!)];
        for (let q = 0; q < inner; q++) {
          const from = (o * length + n) * inner + q;
          const to = (o * length + k) * inner + q;
          result[0][to] += re[from]! * cos - im[from]! * sin;
          result[1][to] += re[from]! * sin + im[from]! * cos;
        }
      }
    }
  }
  return result;
};

/**
 * The two-dimensional Fourier transform of `re + i im`, `[rows, columns, channels]`, by the sum it is defined by: the slow reference. The
 * inverse is that of the two swapped, over `rows * columns`.
 */
export const slowFourier = (
  re: Float64Array,
  im: Float64Array,
  [rows, columns, channels]: readonly [number, number, number],
): [Float64Array, Float64Array] => along(along([re, im], [1, rows, columns * channels]), [rows, columns, channels]);
