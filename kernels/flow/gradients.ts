/** 3/32 and 10/32 in units of 2^-15. */
const SIDE: i16 = 3072;
const MIDDLE: i16 = 10240;

/**
 * Gradients of a level by Scharr's filter, `3 10 3` across and `-1 0 1` along, of luma in whole levels: 32 times the slope. They are 0 around the
 * picture, where borders must be zero already but for the eight pixels right of each row.
 */
export function gradientsOf(luma: usize, stride: usize, width: i32, height: i32, gx: usize, gy: usize): void {
  for (let y = 0; y < height; y++) {
    const row = <usize>y * stride;
    for (let x = 0; x < width; x += 8) {
      const at = luma + row + <usize>(2 * x);
      const above = at - stride;
      const below = at + stride;
      const aboveLeft = v128.load(above - 2);
      const aboveRight = v128.load(above + 2);
      const belowLeft = v128.load(below - 2);
      const belowRight = v128.load(below + 2);
      v128.store(
        gx + row + <usize>(2 * x),
        weighted(
          i16x8.add(i16x8.sub(aboveRight, aboveLeft), i16x8.sub(belowRight, belowLeft)),
          i16x8.sub(v128.load(at + 2), v128.load(at - 2)),
        ),
      );
      v128.store(
        gy + row + <usize>(2 * x),
        weighted(
          i16x8.add(i16x8.sub(belowLeft, aboveLeft), i16x8.sub(belowRight, aboveRight)),
          i16x8.sub(v128.load(below), v128.load(above)),
        ),
      );
    }
    v128.store(gx + row + <usize>(2 * width), i16x8.splat(0));
    v128.store(gy + row + <usize>(2 * width), i16x8.splat(0));
  }
}

function weighted(sides: v128, middle: v128): v128 {
  return i16x8.add(i16x8.q15mulr_sat_s(sides, i16x8.splat(SIDE)), i16x8.q15mulr_sat_s(middle, i16x8.splat(MIDDLE)));
}
