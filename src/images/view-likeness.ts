/** Bits set in a 32-bit word. */
export const bitCount = (word: number): number => {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/** Correlation of two details (see `PictureView`), whose means are near 0, -1 to 1. */
export const similarityOf = (a: Int8Array, b: Int8Array): number => {
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    squaresA += a[i]! * a[i]!;
    squaresB += b[i]! * b[i]!;
  }
  return product / Math.max(1, Math.sqrt(squaresA * squaresB));
};
