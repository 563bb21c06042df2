/**
 * Sums of a plane over a grid of `count` x `count` cells, of every `skipX`-th column (1 or 2) and every `skipY`-th row of each.
 *
 * @param across int32 `[2, count]`: the first column of each cell, then the one behind its last
 * @param down the same of rows
 * @param sums int32 `[count, count]`
 */
export function sumCells(
  plane: usize,
  width: i32,
  across: usize,
  down: usize,
  count: i32,
  skipX: i32,
  skipY: i32,
  sums: usize,
): void {
  const taken = skipX == 2 ? i16x8.splat(0xff) : i16x8.splat(-1);
  for (let row = 0; row < count; row++) {
    const top = entry(down, row);
    const bottom = entry(down, count + row);
    for (let column = 0; column < count; column++) {
      const left = entry(across, column);
      const length = entry(across, count + column) - left;
      let sum = i32x4.splat(0);
      for (let y = top; y < bottom; y += skipY) {
        const start = plane + <usize>(y * width + left);
        let x = 0;
        for (; x + 16 <= length; x += 16) sum = addBytes(sum, v128.and(v128.load(start + <usize>x), taken));
        const inside = i8x16.lt_u(places, i8x16.splat(<i8>(length - x)));
        sum = addBytes(sum, v128.and(v128.load(start + <usize>x), v128.and(inside, taken)));
      }
      const total =
        i32x4.extract_lane(sum, 0) +
        i32x4.extract_lane(sum, 1) +
        i32x4.extract_lane(sum, 2) +
        i32x4.extract_lane(sum, 3);
      store<i32>(sums + <usize>(4 * (row * count + column)), total);
    }
  }
}

const places: v128 = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

function entry(table: usize, index: i32): i32 {
  return load<i32>(table + <usize>(4 * index));
}

function addBytes(sum: v128, bytes: v128): v128 {
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes)));
}
