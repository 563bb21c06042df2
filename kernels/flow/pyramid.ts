import { PAD, mirrorBorder } from './plane';

/**
 * The lowest level: bytes times 32.
 *
 * @param bytes `[height, width]`; up to seven bytes behind its last are read, and not used
 */
export function loadLuma(bytes: usize, width: i32, height: i32, plane: usize, stride: usize): void {
  for (let y = 0; y < height; y++) {
    const row = plane + <usize>y * stride;
    for (let x = 0; x < width; x += 8) {
      v128.store(row + <usize>(2 * x), i16x8.shl(v128.load8x8_u(bytes + <usize>x), 5));
    }
    bytes += <usize>width;
  }
  mirrorBorder(plane, stride, width, height);
}

/**
 * The next level, `(width + 1) / 2` by `(height + 1) / 2`: blurred by 1 4 6 4 1 over 16 each way, every second pixel. The filter is 1 2 1 over 4
 * twice, whose sums stay within 16 bits.
 *
 * @param column room for a row of `from` with its border: five rows blended
 */
export function halveLuma(
  from: usize,
  fromStride: usize,
  width: i32,
  height: i32,
  column: usize,
  plane: usize,
  stride: usize,
): void {
  const halfWidth = (width + 1) >> 1;
  const halfHeight = (height + 1) >> 1;
  // The pixel 0 of the blended row.
  const blended = column + <usize>(2 * PAD);
  const end = 2 * halfWidth + 10;
  for (let y = 0; y < halfHeight; y++) {
    const row = from + <usize>(2 * y) * fromStride;
    for (let x = -8; x < end; x += 8) {
      const at = row + <usize>(2 * x);
      v128.store(
        blended + <usize>(2 * x),
        smooth(
          v128.load(at - 2 * fromStride),
          v128.load(at - fromStride),
          v128.load(at),
          v128.load(at + fromStride),
          v128.load(at + 2 * fromStride),
        ),
      );
    }
    const to = plane + <usize>y * stride;
    for (let x = 0; x < halfWidth; x += 8) {
      const at = blended + <usize>(4 * x);
      const before = v128.load(at - 4);
      const beforeNext = v128.load(at + 12);
      const here = v128.load(at);
      const hereNext = v128.load(at + 16);
      const after = v128.load(at + 4);
      const afterNext = v128.load(at + 20);
      v128.store(
        to + <usize>(2 * x),
        smooth(
          i16x8.shuffle(before, beforeNext, 0, 2, 4, 6, 8, 10, 12, 14),
          i16x8.shuffle(before, beforeNext, 1, 3, 5, 7, 9, 11, 13, 15),
          i16x8.shuffle(here, hereNext, 0, 2, 4, 6, 8, 10, 12, 14),
          i16x8.shuffle(here, hereNext, 1, 3, 5, 7, 9, 11, 13, 15),
          i16x8.shuffle(after, afterNext, 0, 2, 4, 6, 8, 10, 12, 14),
        ),
      );
    }
  }
  mirrorBorder(plane, stride, halfWidth, halfHeight);
}

/** `(a + 4 b + 6 c + 4 d + e) / 16` */
function smooth(a: v128, b: v128, c: v128, d: v128, e: v128): v128 {
  return around(around(a, b, c), around(b, c, d), around(c, d, e));
}

/** `(a + 2 b + c) / 4`, rounded. */
function around(a: v128, b: v128, c: v128): v128 {
  const sum = i16x8.add(i16x8.add(a, c), i16x8.shl(b, 1));
  return i16x8.shr_s(i16x8.add(sum, i16x8.splat(2)), 2);
}
