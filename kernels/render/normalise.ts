/**
 * `scale x + shift` by channel, from planes into `r, g, b` after `r, g, b`.
 *
 * @param to room for three planes and one value more: a row is written with what pads it, and the next one over that
 */
export function normalise(
  picture: usize,
  row: usize,
  n: i32,
  redScale: f32,
  greenScale: f32,
  blueScale: f32,
  redShift: f32,
  greenShift: f32,
  blueShift: f32,
  to: usize,
): void {
  const plane = row * <usize>n;
  for (let y = 0; y < n; y++) {
    let pixel = to;
    for (let at = picture; at < picture + row; at += 16) {
      const red = f32x4.add(f32x4.mul(f32x4.splat(redScale), v128.load(at)), f32x4.splat(redShift));
      const green = f32x4.add(f32x4.mul(f32x4.splat(greenScale), v128.load(at + plane)), f32x4.splat(greenShift));
      const blue = f32x4.add(f32x4.mul(f32x4.splat(blueScale), v128.load(at + 2 * plane)), f32x4.splat(blueShift));
      const firstTwo = i32x4.shuffle(red, green, 0, 4, 1, 5);
      const lastTwo = i32x4.shuffle(red, green, 2, 6, 3, 7);
      // Each store writes one value too many, which the next one writes over.
      v128.store(pixel, i32x4.shuffle(firstTwo, blue, 0, 1, 4, 4));
      v128.store(pixel, i32x4.shuffle(firstTwo, blue, 2, 3, 5, 5), 12);
      v128.store(pixel, i32x4.shuffle(lastTwo, blue, 0, 1, 6, 6), 24);
      v128.store(pixel, i32x4.shuffle(lastTwo, blue, 2, 3, 7, 7), 36);
      pixel += 48;
    }
    picture += row;
    to += <usize>n * 12;
  }
}
