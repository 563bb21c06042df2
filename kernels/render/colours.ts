/** Kept in [0, 1]. */
function clip(value: v128): v128 {
  return f32x4.pmin(f32x4.splat(1), f32x4.pmax(f32x4.splat(0), value));
}

/** Grey of four pixels by ITU-R 601-2, as torchvision's `rgb_to_grayscale`. */
function greyOf(red: v128, green: v128, blue: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(red, f32x4.splat(0.2989)), f32x4.mul(green, f32x4.splat(0.587))),
    f32x4.mul(blue, f32x4.splat(0.114)),
  );
}

/** Mean grey of the n x n pixels of a picture whose other values are 0: each row in float32, rows in float64. */
export function meanGrey(picture: usize, plane: usize, row: usize, n: i32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let end = picture + row; end <= picture + plane; end += row) {
    let sum = f32x4.splat(0);
    for (let at = end - row; at < end; at += 16) {
      sum = f32x4.add(sum, greyOf(v128.load(at), v128.load(at + plane), v128.load(at + 2 * plane)));
    }
    low = f64x2.add(low, f64x2.promote_low_f32x4(sum));
    high = f64x2.add(high, f64x2.promote_low_f32x4(i64x2.shuffle(sum, sum, 1, 0)));
  }
  const both = f64x2.add(low, high);
  return (f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1)) / <f64>(n * n);
}

/** `clip(f x + b)`: brightness for `b = 0`, contrast for `b = (1 - f) m`. */
export function scale(picture: usize, plane: usize, factor: f32, base: f32): void {
  const f = f32x4.splat(factor);
  const b = f32x4.splat(base);
  for (let at = picture; at < picture + 3 * plane; at += 16) {
    v128.store(at, clip(f32x4.add(f32x4.mul(f, v128.load(at)), b)));
  }
}

/** `clip(f x + (1 - f) g)` for the grey `g` of each pixel. */
export function saturate(picture: usize, plane: usize, factor: f32): void {
  const f = f32x4.splat(factor);
  const rest = f32x4.splat(<f32>1 - factor);
  for (let at = picture; at < picture + plane; at += 16) {
    const red = v128.load(at);
    const green = v128.load(at + plane);
    const blue = v128.load(at + 2 * plane);
    const pull = f32x4.mul(rest, greyOf(red, green, blue));
    v128.store(at, clip(f32x4.add(f32x4.mul(f, red), pull)));
    v128.store(at + plane, clip(f32x4.add(f32x4.mul(f, green), pull)));
    v128.store(at + 2 * plane, clip(f32x4.add(f32x4.mul(f, blue), pull)));
  }
}

/**
 * Turns the hue by `turns` of the colour circle, from -1/2 to 1/2. In HSV each channel is piecewise linear in the sixths of the circle:
 * with the chroma `c = max - min` and the hue `h` in sixths, red is `min + clip(c |h - 3| - c, 0, c)`, green and blue
 * `min + clip(2 c - c |h - 2|, 0, c)` and the same of `h - 4`. All is kept times c, so that nothing is divided and grey stays grey.
 */
export function turnHue(picture: usize, plane: usize, turns: f32): void {
  const turn = f32x4.splat(turns * 6);
  const two = f32x4.splat(2);
  const zero = f32x4.splat(0);
  for (let at = picture; at < picture + plane; at += 16) {
    const red = v128.load(at);
    const green = v128.load(at + plane);
    const blue = v128.load(at + 2 * plane);
    const most = f32x4.pmax(red, f32x4.pmax(green, blue));
    const least = f32x4.pmin(red, f32x4.pmin(green, blue));
    const c = f32x4.sub(most, least);
    const twice = f32x4.mul(c, two);
    const fourfold = f32x4.add(twice, twice);
    const sixfold = f32x4.add(fourfold, twice);
    const ofBlue = f32x4.add(f32x4.sub(red, green), fourfold);
    const ofGreen = f32x4.add(f32x4.sub(blue, red), twice);
    const ofRed = f32x4.sub(green, blue);
    let hue = v128.bitselect(ofGreen, ofBlue, f32x4.eq(most, green));
    hue = v128.bitselect(ofRed, hue, f32x4.eq(most, red));
    hue = f32x4.add(hue, f32x4.mul(c, turn));
    hue = f32x4.add(hue, v128.and(sixfold, f32x4.lt(hue, zero)));
    hue = f32x4.sub(hue, v128.and(sixfold, f32x4.ge(hue, sixfold)));
    const r = f32x4.sub(f32x4.abs(f32x4.sub(hue, f32x4.add(twice, c))), c);
    const g = f32x4.sub(twice, f32x4.abs(f32x4.sub(hue, twice)));
    const b = f32x4.sub(twice, f32x4.abs(f32x4.sub(hue, fourfold)));
    v128.store(at, f32x4.add(least, f32x4.pmin(c, f32x4.pmax(zero, r))));
    v128.store(at + plane, f32x4.add(least, f32x4.pmin(c, f32x4.pmax(zero, g))));
    v128.store(at + 2 * plane, f32x4.add(least, f32x4.pmin(c, f32x4.pmax(zero, b))));
  }
}

/** The grey of each pixel in all its channels. */
export function turnGrey(picture: usize, plane: usize): void {
  for (let at = picture; at < picture + plane; at += 16) {
    const grey = greyOf(v128.load(at), v128.load(at + plane), v128.load(at + 2 * plane));
    v128.store(at, grey);
    v128.store(at + plane, grey);
    v128.store(at + 2 * plane, grey);
  }
}

/** `x >= threshold ? 1 - x : x`. */
export function solarize(picture: usize, plane: usize, threshold: f32): void {
  const from = f32x4.splat(threshold);
  const one = f32x4.splat(1);
  for (let at = picture; at < picture + 3 * plane; at += 16) {
    const value = v128.load(at);
    v128.store(at, v128.bitselect(f32x4.sub(one, value), value, f32x4.ge(value, from)));
  }
}
