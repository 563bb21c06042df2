/**
 * The discrete Fourier transform along the middle axis of `[outer, length, inner]`, in place, by the passes of a plan (Stockham's
 * self-sorting algorithm, radices 2 to 5). For the inverse swap `re` and `im`, and divide by the length.
 *
 * @param passes 3 int32 a pass: its radix, how many parts remain after it, and the address of its twiddle factors: float32 pairs (cos, sin),
 *   `radix - 1` of them a part
 * @param workRe as long as `re`; `workIm` too
 * @param inner a multiple of four
 */
export function transform(
  re: usize,
  im: usize,
  workRe: usize,
  workIm: usize,
  outer: i32,
  length: i32,
  inner: i32,
  passes: usize,
  passCount: i32,
): void {
  const block = (<usize>(length * inner)) << 2;
  let fromRe = re;
  let fromIm = im;
  let toRe = workRe;
  let toIm = workIm;
  let stride = (<usize>inner) << 2;
  for (let pass = 0; pass < passCount; pass++) {
    const radix = load<i32>(passes);
    const parts = load<i32>(passes, 4);
    const twiddles = <usize>load<i32>(passes, 8);
    passes += 12;
    for (let o: usize = 0, end = <usize>outer * block; o < end; o += block) {
      if (radix == 4) pass4(fromRe + o, fromIm + o, toRe + o, toIm + o, parts, twiddles, stride);
      else if (radix == 2) pass2(fromRe + o, fromIm + o, toRe + o, toIm + o, parts, twiddles, stride);
      else if (radix == 3) pass3(fromRe + o, fromIm + o, toRe + o, toIm + o, parts, twiddles, stride);
      else pass5(fromRe + o, fromIm + o, toRe + o, toIm + o, parts, twiddles, stride);
    }
    stride *= <usize>radix;
    const keptRe = fromRe;
    const keptIm = fromIm;
    fromRe = toRe;
    fromIm = toIm;
    toRe = keptRe;
    toIm = keptIm;
  }
  if (fromRe != re) {
    memory.copy(re, fromRe, <usize>outer * block);
    memory.copy(im, fromIm, <usize>outer * block);
  }
}

/** Stores `(a + i b) (cos + i sin)`. */
function storeTurned(toRe: usize, toIm: usize, a: v128, b: v128, cos: v128, sin: v128): void {
  v128.store(toRe, f32x4.sub(f32x4.mul(a, cos), f32x4.mul(b, sin)));
  v128.store(toIm, f32x4.add(f32x4.mul(a, sin), f32x4.mul(b, cos)));
}

function pass2(xr: usize, xi: usize, yr: usize, yi: usize, parts: i32, twiddles: usize, stride: usize): void {
  const skip = stride * <usize>parts;
  for (let p = 0; p < parts; p++) {
    const cos = v128.load32_splat(twiddles);
    const sin = v128.load32_splat(twiddles, 4);
    for (let q: usize = 0; q < stride; q += 16) {
      const ar = v128.load(xr + q);
      const ai = v128.load(xi + q);
      const br = v128.load(xr + skip + q);
      const bi = v128.load(xi + skip + q);
      v128.store(yr + q, f32x4.add(ar, br));
      v128.store(yi + q, f32x4.add(ai, bi));
      storeTurned(yr + stride + q, yi + stride + q, f32x4.sub(ar, br), f32x4.sub(ai, bi), cos, sin);
    }
    twiddles += 8;
    xr += stride;
    xi += stride;
    yr += 2 * stride;
    yi += 2 * stride;
  }
}

function pass3(xr: usize, xi: usize, yr: usize, yi: usize, parts: i32, twiddles: usize, stride: usize): void {
  const skip = stride * <usize>parts;
  const half = f32x4.splat(0.5);
  const sin60 = f32x4.splat(0.8660254);
  for (let p = 0; p < parts; p++) {
    const cos1 = v128.load32_splat(twiddles);
    const sin1 = v128.load32_splat(twiddles, 4);
    const cos2 = v128.load32_splat(twiddles, 8);
    const sin2 = v128.load32_splat(twiddles, 12);
    for (let q: usize = 0; q < stride; q += 16) {
      const ar = v128.load(xr + q);
      const ai = v128.load(xi + q);
      const br = v128.load(xr + skip + q);
      const bi = v128.load(xi + skip + q);
      const cr = v128.load(xr + 2 * skip + q);
      const ci = v128.load(xi + 2 * skip + q);
      const sr = f32x4.add(br, cr);
      const si = f32x4.add(bi, ci);
      const mr = f32x4.sub(ar, f32x4.mul(half, sr));
      const mi = f32x4.sub(ai, f32x4.mul(half, si));
      const tr = f32x4.mul(sin60, f32x4.sub(bi, ci));
      const ti = f32x4.mul(sin60, f32x4.sub(cr, br));
      v128.store(yr + q, f32x4.add(ar, sr));
      v128.store(yi + q, f32x4.add(ai, si));
      storeTurned(yr + stride + q, yi + stride + q, f32x4.add(mr, tr), f32x4.add(mi, ti), cos1, sin1);
      storeTurned(yr + 2 * stride + q, yi + 2 * stride + q, f32x4.sub(mr, tr), f32x4.sub(mi, ti), cos2, sin2);
    }
    twiddles += 16;
    xr += stride;
    xi += stride;
    yr += 3 * stride;
    yi += 3 * stride;
  }
}

function pass4(xr: usize, xi: usize, yr: usize, yi: usize, parts: i32, twiddles: usize, stride: usize): void {
  const skip = stride * <usize>parts;
  for (let p = 0; p < parts; p++) {
    const cos1 = v128.load32_splat(twiddles);
    const sin1 = v128.load32_splat(twiddles, 4);
    const cos2 = v128.load32_splat(twiddles, 8);
    const sin2 = v128.load32_splat(twiddles, 12);
    const cos3 = v128.load32_splat(twiddles, 16);
    const sin3 = v128.load32_splat(twiddles, 20);
    for (let q: usize = 0; q < stride; q += 16) {
      const ar = v128.load(xr + q);
      const ai = v128.load(xi + q);
      const br = v128.load(xr + skip + q);
      const bi = v128.load(xi + skip + q);
      const cr = v128.load(xr + 2 * skip + q);
      const ci = v128.load(xi + 2 * skip + q);
      const dr = v128.load(xr + 3 * skip + q);
      const di = v128.load(xi + 3 * skip + q);
      const sr = f32x4.add(ar, cr);
      const si = f32x4.add(ai, ci);
      const tr = f32x4.sub(ar, cr);
      const ti = f32x4.sub(ai, ci);
      const ur = f32x4.add(br, dr);
      const ui = f32x4.add(bi, di);
      // -i (b - d)
      const vr = f32x4.sub(bi, di);
      const vi = f32x4.sub(dr, br);
      v128.store(yr + q, f32x4.add(sr, ur));
      v128.store(yi + q, f32x4.add(si, ui));
      storeTurned(yr + stride + q, yi + stride + q, f32x4.add(tr, vr), f32x4.add(ti, vi), cos1, sin1);
      storeTurned(yr + 2 * stride + q, yi + 2 * stride + q, f32x4.sub(sr, ur), f32x4.sub(si, ui), cos2, sin2);
      storeTurned(yr + 3 * stride + q, yi + 3 * stride + q, f32x4.sub(tr, vr), f32x4.sub(ti, vi), cos3, sin3);
    }
    twiddles += 24;
    xr += stride;
    xi += stride;
    yr += 4 * stride;
    yi += 4 * stride;
  }
}

function pass5(xr: usize, xi: usize, yr: usize, yi: usize, parts: i32, twiddles: usize, stride: usize): void {
  const skip = stride * <usize>parts;
  const cos72 = f32x4.splat(0.309017);
  const cos144 = f32x4.splat(-0.809017);
  const sin72 = f32x4.splat(0.95105652);
  const sin144 = f32x4.splat(0.58778525);
  for (let p = 0; p < parts; p++) {
    const cos1 = v128.load32_splat(twiddles);
    const sin1 = v128.load32_splat(twiddles, 4);
    const cos2 = v128.load32_splat(twiddles, 8);
    const sin2 = v128.load32_splat(twiddles, 12);
    const cos3 = v128.load32_splat(twiddles, 16);
    const sin3 = v128.load32_splat(twiddles, 20);
    const cos4 = v128.load32_splat(twiddles, 24);
    const sin4 = v128.load32_splat(twiddles, 28);
    for (let q: usize = 0; q < stride; q += 16) {
      const ar = v128.load(xr + q);
      const ai = v128.load(xi + q);
      const br = v128.load(xr + skip + q);
      const bi = v128.load(xi + skip + q);
      const cr = v128.load(xr + 2 * skip + q);
      const ci = v128.load(xi + 2 * skip + q);
      const dr = v128.load(xr + 3 * skip + q);
      const di = v128.load(xi + 3 * skip + q);
      const er = v128.load(xr + 4 * skip + q);
      const ei = v128.load(xi + 4 * skip + q);
      const s1r = f32x4.add(br, er);
      const s1i = f32x4.add(bi, ei);
      const s2r = f32x4.add(cr, dr);
      const s2i = f32x4.add(ci, di);
      const d1r = f32x4.sub(br, er);
      const d1i = f32x4.sub(bi, ei);
      const d2r = f32x4.sub(cr, dr);
      const d2i = f32x4.sub(ci, di);
      const m1r = f32x4.add(ar, f32x4.add(f32x4.mul(cos72, s1r), f32x4.mul(cos144, s2r)));
      const m1i = f32x4.add(ai, f32x4.add(f32x4.mul(cos72, s1i), f32x4.mul(cos144, s2i)));
      const m2r = f32x4.add(ar, f32x4.add(f32x4.mul(cos144, s1r), f32x4.mul(cos72, s2r)));
      const m2i = f32x4.add(ai, f32x4.add(f32x4.mul(cos144, s1i), f32x4.mul(cos72, s2i)));
      // -i times the odd parts
      const n1r = f32x4.add(f32x4.mul(sin72, d1i), f32x4.mul(sin144, d2i));
      const n1i = f32x4.neg(f32x4.add(f32x4.mul(sin72, d1r), f32x4.mul(sin144, d2r)));
      const n2r = f32x4.sub(f32x4.mul(sin144, d1i), f32x4.mul(sin72, d2i));
      const n2i = f32x4.sub(f32x4.mul(sin72, d2r), f32x4.mul(sin144, d1r));
      v128.store(yr + q, f32x4.add(ar, f32x4.add(s1r, s2r)));
      v128.store(yi + q, f32x4.add(ai, f32x4.add(s1i, s2i)));
      storeTurned(yr + stride + q, yi + stride + q, f32x4.add(m1r, n1r), f32x4.add(m1i, n1i), cos1, sin1);
      storeTurned(yr + 2 * stride + q, yi + 2 * stride + q, f32x4.add(m2r, n2r), f32x4.add(m2i, n2i), cos2, sin2);
      storeTurned(yr + 3 * stride + q, yi + 3 * stride + q, f32x4.sub(m2r, n2r), f32x4.sub(m2i, n2i), cos3, sin3);
      storeTurned(yr + 4 * stride + q, yi + 4 * stride + q, f32x4.sub(m1r, n1r), f32x4.sub(m1i, n1i), cos4, sin4);
    }
    twiddles += 32;
    xr += stride;
    xi += stride;
    yr += 5 * stride;
    yi += 5 * stride;
  }
}
