/** The radices a length is split into, largest first; undefined where another prime divides it. */
const radicesOf = (length: number): number[] | undefined => {
  const radices: number[] = [];
  let rest = length;
  for (const radix of [4, 2, 3, 5]) {
    while (rest % radix === 0) {
      radices.push(radix);
      rest /= radix;
    }
  }
  return rest === 1 ? radices : undefined;
};

/** The smallest integer at or above `length` whose only prime factors are 2, 3 and 5: a length `fourierPasses` takes. */
export const nextFastLength = (length: number): number => {
  let candidate = Math.max(1, Math.ceil(length));
  while (radicesOf(candidate) === undefined) candidate++;
  return candidate;
};

/** One pass of a transform of some length: it takes `size` values apart into `size / radix` parts, whose twiddle factors lie part by part. */
export type FourierPass = {
  readonly radix: number;
  readonly size: number;
  /** `exp(-2 pi i p j / size)` for part `p` and `j` from 1 to `radix - 1`. */
  readonly cos: Float64Array;
  readonly sin: Float64Array;
};

/** The passes of a transform of `length` values. Throws a RangeError for a prime factor above 5 (`nextFastLength` gives a length that fits). */
export const fourierPasses = (length: number): FourierPass[] => {
  const radices = Number.isInteger(length) && length > 0 ? radicesOf(length) : undefined;
  if (radices === undefined) {
    throw new RangeError(`Expected \`length\` to be a product of 2, 3 and 5, got \`${length}\` (${typeof length})`);
  }
  let size = length;
  return radices.map((radix) => {
    const parts = size / radix;
    const cos = new Float64Array(parts * (radix - 1));
    const sin = new Float64Array(parts * (radix - 1));
    for (let p = 0; p < parts; p++) {
      for (let j = 1; j < radix; j++) {
        const angle = (-2 * Math.PI * ((p * j) % size)) / size;
        cos[p * (radix - 1) + j - 1] = Math.cos(angle);
        sin[p * (radix - 1) + j - 1] = Math.sin(angle);
      }
    }
    const pass = { radix, size, cos, sin };
    size = parts;
    return pass;
  });
};
