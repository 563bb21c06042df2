/**
 * Crops and resizes a picture of bytes, `r, g, b` after `r, g, b`, into planes in [0, 1], along its rows first and then down: each
 * output pixel is a weighted sum of `2 pairs` neighbours along each axis, from a first one on. A source row is narrowed when the first
 * output row needs it, and kept until none does, in one of `slots` places (a power of two, at least `2 pairs`).
 *
 * @param source the picture's first byte; `2 pairs` rows beyond the picture may be read, whose weights are 0
 * @param sourceRow bytes of one of its rows
 * @param acrossFirst offset in bytes of the first neighbour of each output column, int32
 * @param acrossWeights float32 `[pairs, columns, 2]`; 0 for columns beyond the picture
 * @param columns a multiple of four
 * @param downFirst number of the first neighbour of each output row, int32, ascending
 * @param downWeights float32 `[rows, pairs, 2]`, none below 0; a byte of 255 is to become 1
 * @param narrowed room for `slots` rows of `columns` pixels of four float32
 * @param to three planes of `rows` rows of `columns`
 */
export function resample(
  source: usize,
  sourceRow: usize,
  acrossFirst: usize,
  acrossWeights: usize,
  acrossPairs: i32,
  columns: usize,
  downFirst: usize,
  downWeights: usize,
  downPairs: i32,
  rows: i32,
  narrowed: usize,
  slots: i32,
  to: usize,
): void {
  const narrowedRow = columns * 16;
  const plane = columns * 4 * <usize>rows;
  let next = load<i32>(downFirst);
  for (let y = 0; y < rows; y++) {
    const first = load<i32>(downFirst);
    const end = first + 2 * downPairs;
    if (next < first) next = first;
    for (; next < end; next++) {
      const row = source + <usize>next * sourceRow;
      const slot = narrowed + <usize>(next & (slots - 1)) * narrowedRow;
      for (let k = 0; k < acrossPairs; k++) {
        narrowRow(row + <usize>k * 6, acrossFirst, acrossWeights + <usize>k * columns * 8, columns, slot, k > 0);
      }
    }
    for (let k = 0; k < downPairs; k++) {
      const upper = narrowed + <usize>((first + 2 * k) & (slots - 1)) * narrowedRow;
      const lower = narrowed + <usize>((first + 2 * k + 1) & (slots - 1)) * narrowedRow;
      blendRows(upper, lower, downWeights, narrowedRow, to, plane, k > 0);
      downWeights += 8;
    }
    downFirst += 4;
    to += columns * 4;
  }
}

/** Two neighbours of each output column, weighed, to (or onto) pixels of four float32 in [0, 255], the last of which is 0. */
function narrowRow(row: usize, first: usize, weights: usize, columns: usize, to: usize, onto: bool): void {
  // Where the bytes of each pixel go: the lowest of each lane of 32 bits, and 0 for the others.
  const left = i8x16(0, -1, -1, -1, 1, -1, -1, -1, 2, -1, -1, -1, -1, -1, -1, -1);
  const right = i8x16(3, -1, -1, -1, 4, -1, -1, -1, 5, -1, -1, -1, -1, -1, -1, -1);
  for (const end = first + columns * 4; first < end; first += 4) {
    const both = v128.load64_zero(row + <usize>load<i32>(first));
    const a = f32x4.mul(f32x4.convert_i32x4_s(i8x16.swizzle(both, left)), v128.load32_splat(weights));
    const b = f32x4.mul(f32x4.convert_i32x4_s(i8x16.swizzle(both, right)), v128.load32_splat(weights, 4));
    let sum = f32x4.add(a, b);
    if (onto) sum = f32x4.add(v128.load(to), sum);
    v128.store(to, sum);
    weights += 8;
    to += 16;
  }
}

/** Two narrowed rows, weighed, to (or onto) one row of each plane; never above 1, which what is added later does not change. */
function blendRows(
  upper: usize,
  lower: usize,
  weights: usize,
  bytes: usize,
  to: usize,
  plane: usize,
  onto: bool,
): void {
  const u = v128.load32_splat(weights);
  const l = v128.load32_splat(weights, 4);
  const one = f32x4.splat(1);
  for (const end = upper + bytes; upper < end; upper += 64) {
    const a = f32x4.add(f32x4.mul(u, v128.load(upper)), f32x4.mul(l, v128.load(lower)));
    const b = f32x4.add(f32x4.mul(u, v128.load(upper, 16)), f32x4.mul(l, v128.load(lower, 16)));
    const c = f32x4.add(f32x4.mul(u, v128.load(upper, 32)), f32x4.mul(l, v128.load(lower, 32)));
    const d = f32x4.add(f32x4.mul(u, v128.load(upper, 48)), f32x4.mul(l, v128.load(lower, 48)));
    // Four pixels of r, g, b, 0 into four reds, greens and blues.
    const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
    const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
    let red = i64x2.shuffle(ab, cd, 0, 2);
    let green = i64x2.shuffle(ab, cd, 1, 3);
    let blue = i64x2.shuffle(i32x4.shuffle(a, b, 2, 6, 3, 7), i32x4.shuffle(c, d, 2, 6, 3, 7), 0, 2);
    if (onto) {
      red = f32x4.add(v128.load(to), red);
      green = f32x4.add(v128.load(to + plane), green);
      blue = f32x4.add(v128.load(to + 2 * plane), blue);
    }
    v128.store(to, f32x4.pmin(one, red));
    v128.store(to + plane, f32x4.pmin(one, green));
    v128.store(to + 2 * plane, f32x4.pmin(one, blue));
    lower += 64;
    to += 16;
  }
}
