/**
 * Blurs a picture, down first and then along each row. Beyond its border it goes on as its mirror image, the edge not repeated.
 *
 * @param kernel float32 `[radius + 1]`, from the middle outwards
 * @param radius from 1 to n - 1
 * @param to another picture
 * @param line room for a row and `radius` values, at least, on both sides of it
 * @param places room for 2 radius + 1 addresses
 */
export function blur(
  picture: usize,
  row: usize,
  n: i32,
  kernel: usize,
  radius: i32,
  to: usize,
  line: usize,
  places: usize,
): void {
  // Each row begins where whole vectors do.
  const own = line + ((((<usize>radius) << 2) + 15) & ~15);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < n; y++) {
      store<usize>(places, picture + <usize>y * row);
      for (let k = 1; k <= radius; k++) {
        store<usize>(places + ((<usize>k) << 3) - 4, picture + <usize>mirrored(y - k, n) * row);
        store<usize>(places + ((<usize>k) << 3), picture + <usize>mirrored(y + k, n) * row);
      }
      weigh(places, kernel, radius, own, row);
      continueRow(own, n, radius);
      store<usize>(places, own);
      for (let k = 1; k <= radius; k++) {
        store<usize>(places + ((<usize>k) << 3) - 4, own - ((<usize>k) << 2));
        store<usize>(places + ((<usize>k) << 3), own + ((<usize>k) << 2));
      }
      weigh(places, kernel, radius, to, row);
      to += row;
    }
    picture += <usize>n * row;
  }
}

/** The row that stands for number `at` of `n`. */
function mirrored(at: i32, n: i32): i32 {
  return at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at;
}

/** Mirrors both ends of a row of n values into the `radius` values beyond them. */
function continueRow(row: usize, n: i32, radius: i32): void {
  const last = row + ((<usize>(n - 1)) << 2);
  for (let k: usize = 4; k <= (<usize>radius) << 2; k += 4) {
    store<f32>(row - k, load<f32>(row + k));
    store<f32>(last + k, load<f32>(last - k));
  }
}

/**
 * Adds up a row of values at the first place and, by the kernel, those at the two places of each distance; sixteen at a time while there
 * are as many, then four.
 */
function weigh(places: usize, kernel: usize, radius: i32, to: usize, bytes: usize): void {
  const middle = v128.load32_splat(kernel);
  const own = load<usize>(places);
  const taps = kernel + ((<usize>radius) << 2);
  let x: usize = 0;
  for (; x + 64 <= bytes; x += 64) {
    let a = f32x4.mul(middle, v128.load(own + x));
    let b = f32x4.mul(middle, v128.load(own + x, 16));
    let c = f32x4.mul(middle, v128.load(own + x, 32));
    let d = f32x4.mul(middle, v128.load(own + x, 48));
    for (let tap = kernel, place = places; tap < taps; tap += 4, place += 8) {
      const weight = v128.load32_splat(tap, 4);
      const near = load<usize>(place, 4) + x;
      const far = load<usize>(place, 8) + x;
      a = f32x4.add(a, f32x4.mul(weight, f32x4.add(v128.load(near), v128.load(far))));
      b = f32x4.add(b, f32x4.mul(weight, f32x4.add(v128.load(near, 16), v128.load(far, 16))));
      c = f32x4.add(c, f32x4.mul(weight, f32x4.add(v128.load(near, 32), v128.load(far, 32))));
      d = f32x4.add(d, f32x4.mul(weight, f32x4.add(v128.load(near, 48), v128.load(far, 48))));
    }
    v128.store(to + x, a);
    v128.store(to + x, b, 16);
    v128.store(to + x, c, 32);
    v128.store(to + x, d, 48);
  }
  for (; x < bytes; x += 16) {
    let sum = f32x4.mul(middle, v128.load(own + x));
    for (let tap = kernel, place = places; tap < taps; tap += 4, place += 8) {
      const near = v128.load(load<usize>(place, 4) + x);
      const far = v128.load(load<usize>(place, 8) + x);
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(tap, 4), f32x4.add(near, far)));
    }
    v128.store(to + x, sum);
  }
}
