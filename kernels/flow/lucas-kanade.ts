/** Bytes of a row of a window of its own, 16 pixels wide, and of that window. */
const ROW: usize = 32;
const WINDOW: usize = 512;
/** From products of luma in 1/32 and gradients times 32 to the unit of the least eigenvalue. */
const SCALE: f64 = 1.0 / 1048576;
/** Where a step undoes the one before to within this, the point swings about the minimum and is put between. */
const SWING_PX: f64 = 0.01;

/**
 * Follows points from one picture into another, level by level from the coarsest (Bouguet 2000): solves `G d = b` for the step `d` until it is
 * short, `G = sum grad grad'`, `b = sum (I - J) grad` over the window. `b` is
 * linear in the four products of the gradients with whole-pixel shifts of `J`, so that as long as a point stays within a pixel a step
 * costs no look at the picture.
 *
 * A point is lost, both coordinates NaN, where its window has no texture in two directions or leaves the picture; NaN stays NaN.
 *
 * @param from of each level the addresses of luma and the two gradients, int32; the lowest first
 * @param to the same of the other picture
 * @param sizes of each level width, height, bytes a row, int32
 * @param points x and y, float32; `ends` likewise, written
 * @param window side of the window, pixels, odd, at most 15
 * @param epsilon length of a step that is the last, pixels
 * @param minEigenvalue of `G`, a pixel of the window
 * @param scratch room for three windows of 16 x 16 int16
 */
export function followPoints(
  from: usize,
  to: usize,
  sizes: usize,
  levels: i32,
  points: usize,
  ends: usize,
  count: i32,
  window: i32,
  steps: i32,
  epsilon: f64,
  minEigenvalue: f64,
  scratch: usize,
): void {
  const half = <f64>((window - 1) >> 1);
  const luma = scratch;
  const gxs = luma + WINDOW;
  const gys = gxs + WINDOW;
  const bytes = <usize>window * ROW;
  for (const last = points + ((<usize>count) << 3); points < last; points += 8, ends += 8) {
    const startX = <f64>load<f32>(points);
    const startY = <f64>load<f32>(points, 4);
    let x = startX;
    let y = startY;
    let lost = startX != startX || startY != startY;
    if (!lost) {
      const coarsest = 1.0 / <f64>(1 << (levels - 1));
      x *= coarsest;
      y *= coarsest;
    }
    for (let level = levels - 1; level >= 0 && !lost; level--) {
      const shrink = 1.0 / <f64>(1 << level);
      const size = sizes + <usize>(12 * level);
      const width = <f64>load<i32>(size);
      const height = <f64>load<i32>(size, 4);
      const stride = <usize>load<i32>(size, 8);
      const first = from + <usize>(12 * level);
      if (level < levels - 1) {
        x *= 2;
        y *= 2;
      }
      const atX = startX * shrink;
      const atY = startY * shrink;
      const left = Math.floor(atX) - half;
      const top = Math.floor(atY) - half;
      if (left < <f64>-window || left >= width || top < <f64>-window || top >= height) {
        lost = level == 0;
        continue;
      }
      const offset = <usize>(<i32>top) * stride + <usize>(2 * <i32>left);
      const weightX = q15(atX - left - half);
      const weightY = q15(atY - top - half);
      readWindow(<usize>load<i32>(first) + offset, stride, window, weightX, weightY, luma);
      readWindow(<usize>load<i32>(first, 4) + offset, stride, window, weightX, weightY, gxs);
      readWindow(<usize>load<i32>(first, 8) + offset, stride, window, weightX, weightY, gys);

      let xx = i32x4.splat(0);
      let xy = xx;
      let yy = xx;
      let ix = xx;
      let iy = xx;
      for (let part = 0; part < window; part += 8) {
        const columns = maskOf(window - part);
        for (let row = <usize>(2 * part), end = row + bytes; row < end; row += ROW) {
          const value = v128.load(luma + row);
          const gx = v128.and(columns, v128.load(gxs + row));
          const gy = v128.and(columns, v128.load(gys + row));
          xx = i32x4.add(xx, i32x4.dot_i16x8_s(gx, gx));
          xy = i32x4.add(xy, i32x4.dot_i16x8_s(gx, gy));
          yy = i32x4.add(yy, i32x4.dot_i16x8_s(gy, gy));
          ix = i32x4.add(ix, i32x4.dot_i16x8_s(value, gx));
          iy = i32x4.add(iy, i32x4.dot_i16x8_s(value, gy));
        }
      }
      const a = sumOf(xx) * SCALE;
      const b = sumOf(xy) * SCALE;
      const c = sumOf(yy) * SCALE;
      const determinant = a * c - b * b;
      const least = (a + c - Math.sqrt((a - c) * (a - c) + 4 * b * b)) / <f64>(2 * window * window);
      if (least < minEigenvalue || determinant < 1.1920929e-7) {
        lost = level == 0;
        continue;
      }
      const firstX = sumOf(ix) * SCALE;
      const firstY = sumOf(iy) * SCALE;
      const second = <usize>load<i32>(to + <usize>(12 * level));

      // Of the pixel that the window's corner lies in, the products of the gradients with `J` there, right of, below, and both.
      let cellX: f64 = NaN;
      let cellY: f64 = NaN;
      let x00: f64 = 0;
      let x01: f64 = 0;
      let x10: f64 = 0;
      let x11: f64 = 0;
      let y00: f64 = 0;
      let y01: f64 = 0;
      let y10: f64 = 0;
      let y11: f64 = 0;
      let beforeX: f64 = 0;
      let beforeY: f64 = 0;
      for (let n = 0; n < steps; n++) {
        const pixelX = Math.floor(x - half);
        const pixelY = Math.floor(y - half);
        if (!(pixelX >= <f64>-window && pixelX < width && pixelY >= <f64>-window && pixelY < height)) {
          lost = level == 0;
          break;
        }
        if (pixelX != cellX || pixelY != cellY) {
          cellX = pixelX;
          cellY = pixelY;
          let sx00 = i32x4.splat(0);
          let sx01 = sx00;
          let sx10 = sx00;
          let sx11 = sx00;
          let sy00 = sx00;
          let sy01 = sx00;
          let sy10 = sx00;
          let sy11 = sx00;
          for (let part = 0; part < window; part += 8) {
            const columns = maskOf(window - part);
            let at = second + <usize>(<i32>pixelY) * stride + <usize>(2 * (<i32>pixelX + part));
            let here = v128.load(at);
            let right = v128.load(at, 2);
            for (let row = <usize>(2 * part), end = row + bytes; row < end; row += ROW) {
              at += stride;
              const gx = v128.and(columns, v128.load(gxs + row));
              const gy = v128.and(columns, v128.load(gys + row));
              sx00 = i32x4.add(sx00, i32x4.dot_i16x8_s(here, gx));
              sy00 = i32x4.add(sy00, i32x4.dot_i16x8_s(here, gy));
              sx01 = i32x4.add(sx01, i32x4.dot_i16x8_s(right, gx));
              sy01 = i32x4.add(sy01, i32x4.dot_i16x8_s(right, gy));
              here = v128.load(at);
              right = v128.load(at, 2);
              sx10 = i32x4.add(sx10, i32x4.dot_i16x8_s(here, gx));
              sy10 = i32x4.add(sy10, i32x4.dot_i16x8_s(here, gy));
              sx11 = i32x4.add(sx11, i32x4.dot_i16x8_s(right, gx));
              sy11 = i32x4.add(sy11, i32x4.dot_i16x8_s(right, gy));
            }
          }
          x00 = sumOf(sx00);
          x01 = sumOf(sx01);
          x10 = sumOf(sx10);
          x11 = sumOf(sx11);
          y00 = sumOf(sy00);
          y01 = sumOf(sy01);
          y10 = sumOf(sy10);
          y11 = sumOf(sy11);
        }
        const u = x - half - pixelX;
        const v = y - half - pixelY;
        const upperX = x00 + u * (x01 - x00);
        const lowerX = x10 + u * (x11 - x10);
        const upperY = y00 + u * (y01 - y00);
        const lowerY = y10 + u * (y11 - y10);
        const p = firstX - (upperX + v * (lowerX - upperX)) * SCALE;
        const q = firstY - (upperY + v * (lowerY - upperY)) * SCALE;
        const dx = (c * p - b * q) / determinant;
        const dy = (a * q - b * p) / determinant;
        x += dx;
        y += dy;
        if (dx * dx + dy * dy <= epsilon * epsilon) break;
        if (n > 0 && Math.abs(dx + beforeX) < SWING_PX && Math.abs(dy + beforeY) < SWING_PX) {
          x -= dx / 2;
          y -= dy / 2;
          break;
        }
        beforeX = dx;
        beforeY = dy;
      }
    }
    store<f32>(ends, lost ? <f32>NaN : <f32>x);
    store<f32>(ends, lost ? <f32>NaN : <f32>y, 4);
  }
}

/** Bilinear samples one pixel apart: `window` rows of 16. */
function readWindow(at: usize, stride: usize, window: i32, weightX: v128, weightY: v128, to: usize): void {
  let upper = between(v128.load(at), v128.load(at, 2), weightX);
  let upperLast = between(v128.load(at, 16), v128.load(at, 18), weightX);
  for (let row = 0; row < window; row++) {
    at += stride;
    const lower = between(v128.load(at), v128.load(at, 2), weightX);
    const lowerLast = between(v128.load(at, 16), v128.load(at, 18), weightX);
    v128.store(to, between(upper, lower, weightY));
    v128.store(to, between(upperLast, lowerLast, weightY), 16);
    upper = lower;
    upperLast = lowerLast;
    to += ROW;
  }
}

function between(a: v128, b: v128, weight: v128): v128 {
  return i16x8.add(a, i16x8.q15mulr_sat_s(i16x8.sub(b, a), weight));
}

/** A share in units of 2^-15. */
function q15(share: f64): v128 {
  return i16x8.splat(<i16>(<i32>min<f64>(32767, Math.round(share * 32768))));
}

/** Ones in the first so many of eight lanes. */
function maskOf(lanes: i32): v128 {
  return i16x8.gt_s(i16x8.splat(<i16>lanes), i16x8(0, 1, 2, 3, 4, 5, 6, 7));
}

function sumOf(v: v128): f64 {
  return (
    <f64>i32x4.extract_lane(v, 0) +
    <f64>i32x4.extract_lane(v, 1) +
    <f64>i32x4.extract_lane(v, 2) +
    <f64>i32x4.extract_lane(v, 3)
  );
}
