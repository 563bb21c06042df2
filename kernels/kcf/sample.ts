/**
 * Reads a patch out of a picture of bytes: samples `step` pixels apart from a first one on, bilinear, the picture's edge pixels
 * repeated outside it. Two rows of the picture are blended first, then neighbours in that row.
 *
 * @param picture its first byte; up to three bytes behind its last are read, and not used
 * @param firstX position of the first sample, pixels; a pixel's centre lies at its index
 * @param lefts room for `width + 3` int32, 0 at first: the left neighbour of each sample in the blended row
 * @param weights room for `width + 3` float32: the weight of the right one
 * @param blended room for `pictureWidth + 6` float32: the columns -1 to `pictureWidth` of two rows blended
 * @param to float32 `[height, width]`, and three more: a row is written to a multiple of four, and the next one over that
 */
export function samplePatch(
  picture: usize,
  pictureWidth: i32,
  pictureHeight: i32,
  firstX: f64,
  firstY: f64,
  step: f64,
  lefts: usize,
  weights: usize,
  blended: usize,
  width: i32,
  height: i32,
  to: usize,
): void {
  const lastX = pictureWidth - 1;
  for (let i = 0; i < width; i++) {
    const at = firstX + <f64>i * step;
    const before = Math.floor(at);
    const left = clamp(before, -1, lastX);
    store<i32>(lefts + ((<usize>i) << 2), (left + 1) << 2);
    store<f32>(weights + ((<usize>i) << 2), <f32>(at - before));
  }
  const from = max(0, (load<i32>(lefts) >> 2) - 1);
  const end = min(lastX, load<i32>(lefts + ((<usize>(width - 1)) << 2)) >> 2) + 1;
  for (let j = 0; j < height; j++) {
    const at = firstY + <f64>j * step;
    const before = Math.floor(at);
    const top = clamp(before, 0, pictureHeight - 1);
    const bottom = clamp(before + 1, 0, pictureHeight - 1);
    const upper = picture + <usize>(top * pictureWidth);
    const lower = picture + <usize>(bottom * pictureWidth);
    const weight = f32x4.splat(<f32>(at - before));
    for (let x = from; x < end; x += 4) {
      const a = fourBytes(upper + <usize>x);
      const b = fourBytes(lower + <usize>x);
      v128.store(blended + ((<usize>(x + 1)) << 2), f32x4.add(a, f32x4.mul(f32x4.sub(b, a), weight)));
    }
    if (from == 0) store<f32>(blended, load<f32>(blended, 4));
    const beyond = blended + ((<usize>(end + 1)) << 2);
    if (end > lastX) store<f32>(beyond, load<f32>(beyond - 4));
    for (let i: usize = 0; i < (<usize>width) << 2; i += 16) {
      const offsets = v128.load(lefts + i);
      let firstTwo = v128.load64_zero(blended + <usize>i32x4.extract_lane(offsets, 0));
      let lastTwo = v128.load64_zero(blended + <usize>i32x4.extract_lane(offsets, 2));
      firstTwo = v128.load64_lane(blended + <usize>i32x4.extract_lane(offsets, 1), firstTwo, 1);
      lastTwo = v128.load64_lane(blended + <usize>i32x4.extract_lane(offsets, 3), lastTwo, 1);
      const left = i32x4.shuffle(firstTwo, lastTwo, 0, 2, 4, 6);
      const right = i32x4.shuffle(firstTwo, lastTwo, 1, 3, 5, 7);
      v128.store(to + i, f32x4.add(left, f32x4.mul(f32x4.sub(right, left), v128.load(weights + i))));
    }
    to += (<usize>width) << 2;
  }
}

function clamp(value: f64, low: i32, high: i32): i32 {
  return <i32>Math.max(<f64>low, Math.min(<f64>high, value));
}

function fourBytes(at: usize): v128 {
  return f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))));
}
