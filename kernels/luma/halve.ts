/**
 * Half the width and height, without a last odd row or column: each pixel the rounded mean of 2 x 2. Up to 15 bytes behind the last of
 * `to` are written.
 */
export function halve(from: usize, width: i32, height: i32, to: usize): void {
  const halfWidth = width >> 1;
  for (let y = 0; y + 2 <= height; y += 2) {
    const above = from + <usize>(y * width);
    const below = above + <usize>width;
    for (let x = 0; x < halfWidth; x += 16) {
      const at = <usize>(2 * x);
      const low = meanOfPairs(v128.load(above + at), v128.load(below + at));
      const high = meanOfPairs(v128.load(above + at + 16), v128.load(below + at + 16));
      v128.store(to + <usize>x, i8x16.narrow_i16x8_u(low, high));
    }
    to += <usize>halfWidth;
  }
}

function meanOfPairs(above: v128, below: v128): v128 {
  const sums = i16x8.add(i16x8.extadd_pairwise_i8x16_u(above), i16x8.extadd_pairwise_i8x16_u(below));
  return i16x8.shr_u(i16x8.add(sums, i16x8.splat(2)), 2);
}
