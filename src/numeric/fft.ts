/** The radices a length is split into, largest first; undefined where another prime divides it. */
const radicesOf = (length: number): number[] | undefined => {
  const radices: number[] = [];
  let rest = length;
  for (const radix of [4, 2, 3, 5]) {
    while (rest % radix === 0) {
      radices.push(radix);
      rest /= radix;
    }
  }
  return rest === 1 ? radices : undefined;
};

/** The smallest integer at or above `length` whose only prime factors are 2, 3 and 5: a length `FourierPlan` takes. */
export const nextFastLength = (length: number): number => {
  let candidate = Math.max(1, Math.ceil(length));
  while (radicesOf(candidate) === undefined) candidate++;
  return candidate;
};

/** One pass of a transform of some length: it takes `size` values apart into `size / radix` parts, whose twiddle factors lie part by part. */
export type FourierPass = {
  readonly radix: number;
  readonly size: number;
  /** `exp(-2 pi i p j / size)` for part `p` and `j` from 1 to `radix - 1`. */
  readonly cos: Float64Array;
  readonly sin: Float64Array;
};

/** The passes of a transform of `length` values. Throws a RangeError for a prime factor above 5 (`nextFastLength` gives a length that fits). */
export const fourierPasses = (length: number): FourierPass[] => {
  const radices = Number.isInteger(length) && length > 0 ? radicesOf(length) : undefined;
  if (radices === undefined) {
    throw new RangeError(`Expected \`length\` to be a product of 2, 3 and 5, got \`${length}\` (${typeof length})`);
  }
  let size = length;
  return radices.map((radix) => {
    const parts = size / radix;
    const cos = new Float64Array(parts * (radix - 1));
    const sin = new Float64Array(parts * (radix - 1));
    for (let p = 0; p < parts; p++) {
      for (let j = 1; j < radix; j++) {
        const angle = (-2 * Math.PI * ((p * j) % size)) / size;
        cos[p * (radix - 1) + j - 1] = Math.cos(angle);
        sin[p * (radix - 1) + j - 1] = Math.sin(angle);
      }
    }
    const pass = { radix, size, cos, sin };
    size = parts;
    return pass;
  });
};

/**
 * A reusable plan for the discrete Fourier transform of one length, `X[k] = sum_n x[n] exp(-2 pi i k n / N)`, along the middle
 * axis of an array `[outer, length, inner]` (Stockham's self-sorting algorithm, radices 4, 2, 3, 5). Because the inner axis is
 * contiguous, one twiddle factor serves `inner` butterflies and no transposition is needed for columns or channels. Nothing
 * is allocated per transform.
 */
export class FourierPlan {
  readonly length: number;
  readonly #passes: readonly FourierPass[];

  /** Throws a RangeError for a length with a prime factor above 5 (`nextFastLength` gives one that fits). */
  constructor(length: number) {
    this.#passes = fourierPasses(length);
    this.length = length;
  }

  /**
   * Transforms `re + i im`, `[outer, length, inner]`, in place; `workRe` and `workIm` need the same size. For the inverse swap
   * `re` and `im` (and the two work arrays) in the call and divide by the length: `inverse(z) = swap(forward(swap(z))) / N`.
   */
  transform(
    re: Float64Array,
    im: Float64Array,
    workRe: Float64Array,
    workIm: Float64Array,
    outer: number,
    inner: number,
  ): void {
    const block = this.length * inner;
    let fromRe = re;
    let fromIm = im;
    let toRe = workRe;
    let toIm = workIm;
    let stride = inner;
    for (const pass of this.#passes) {
      const run = pass.radix === 4 ? pass4 : pass.radix === 2 ? pass2 : pass.radix === 3 ? pass3 : pass5;
      for (let o = 0; o < outer; o++) run(fromRe, fromIm, toRe, toIm, o * block, pass, stride);
      stride *= pass.radix;
      const keptRe = fromRe;
      const keptIm = fromIm;
      fromRe = toRe;
      fromIm = toIm;
      toRe = keptRe;
      toIm = keptIm;
    }
    if (fromRe !== re) {
      const count = outer * block;
      for (let i = 0; i < count; i++) {
        re[i] = fromRe[i];
        im[i] = fromIm[i];
      }
    }
  }
}

const pass2 = (
  xr: Float64Array,
  xi: Float64Array,
  yr: Float64Array,
  yi: Float64Array,
  at: number,
  pass: FourierPass,
  stride: number,
): void => {
  const parts = pass.size >> 1;
  for (let p = 0; p < parts; p++) {
    const wr = pass.cos[p];
    const wi = pass.sin[p];
    const x0 = at + stride * p;
    const x1 = x0 + stride * parts;
    const y0 = at + stride * 2 * p;
    const y1 = y0 + stride;
    for (let q = 0; q < stride; q++) {
      const ar = xr[x0 + q];
      const ai = xi[x0 + q];
      const br = xr[x1 + q];
      const bi = xi[x1 + q];
      yr[y0 + q] = ar + br;
      yi[y0 + q] = ai + bi;
      const dr = ar - br;
      const di = ai - bi;
      yr[y1 + q] = dr * wr - di * wi;
      yi[y1 + q] = dr * wi + di * wr;
    }
  }
};

const SIN_60 = Math.sin(Math.PI / 3);

const pass3 = (
  xr: Float64Array,
  xi: Float64Array,
  yr: Float64Array,
  yi: Float64Array,
  at: number,
  pass: FourierPass,
  stride: number,
): void => {
  const parts = pass.size / 3;
  const skip = stride * parts;
  for (let p = 0; p < parts; p++) {
    const w1r = pass.cos[2 * p];
    const w1i = pass.sin[2 * p];
    const w2r = pass.cos[2 * p + 1];
    const w2i = pass.sin[2 * p + 1];
    const x0 = at + stride * p;
    const y0 = at + stride * 3 * p;
    for (let q = 0; q < stride; q++) {
      const i0 = x0 + q;
      const ar = xr[i0];
      const ai = xi[i0];
      const br = xr[i0 + skip];
      const bi = xi[i0 + skip];
      const cr = xr[i0 + 2 * skip];
      const ci = xi[i0 + 2 * skip];
      const sr = br + cr;
      const si = bi + ci;
      const mr = ar - 0.5 * sr;
      const mi = ai - 0.5 * si;
      const tr = SIN_60 * (bi - ci);
      const ti = SIN_60 * (cr - br);
      const o0 = y0 + q;
      yr[o0] = ar + sr;
      yi[o0] = ai + si;
      const ur = mr + tr;
      const ui = mi + ti;
      yr[o0 + stride] = ur * w1r - ui * w1i;
      yi[o0 + stride] = ur * w1i + ui * w1r;
      const vr = mr - tr;
      const vi = mi - ti;
      yr[o0 + 2 * stride] = vr * w2r - vi * w2i;
      yi[o0 + 2 * stride] = vr * w2i + vi * w2r;
    }
  }
};

const pass4 = (
  xr: Float64Array,
  xi: Float64Array,
  yr: Float64Array,
  yi: Float64Array,
  at: number,
  pass: FourierPass,
  stride: number,
): void => {
  const parts = pass.size >> 2;
  const skip = stride * parts;
  for (let p = 0; p < parts; p++) {
    const w1r = pass.cos[3 * p];
    const w1i = pass.sin[3 * p];
    const w2r = pass.cos[3 * p + 1];
    const w2i = pass.sin[3 * p + 1];
    const w3r = pass.cos[3 * p + 2];
    const w3i = pass.sin[3 * p + 2];
    const x0 = at + stride * p;
    const y0 = at + stride * 4 * p;
    for (let q = 0; q < stride; q++) {
      const i0 = x0 + q;
      const ar = xr[i0];
      const ai = xi[i0];
      const br = xr[i0 + skip];
      const bi = xi[i0 + skip];
      const cr = xr[i0 + 2 * skip];
      const ci = xi[i0 + 2 * skip];
      const dr = xr[i0 + 3 * skip];
      const di = xi[i0 + 3 * skip];
      const sr = ar + cr;
      const si = ai + ci;
      const tr = ar - cr;
      const ti = ai - ci;
      const ur = br + dr;
      const ui = bi + di;
      // -i (b - d)
      const vr = bi - di;
      const vi = dr - br;
      const o0 = y0 + q;
      yr[o0] = sr + ur;
      yi[o0] = si + ui;
      const er = tr + vr;
      const ei = ti + vi;
      yr[o0 + stride] = er * w1r - ei * w1i;
      yi[o0 + stride] = er * w1i + ei * w1r;
      const fr = sr - ur;
      const fi = si - ui;
      yr[o0 + 2 * stride] = fr * w2r - fi * w2i;
      yi[o0 + 2 * stride] = fr * w2i + fi * w2r;
      const gr = tr - vr;
      const gi = ti - vi;
      yr[o0 + 3 * stride] = gr * w3r - gi * w3i;
      yi[o0 + 3 * stride] = gr * w3i + gi * w3r;
    }
  }
};

const COS_72 = Math.cos((2 * Math.PI) / 5);
const COS_144 = Math.cos((4 * Math.PI) / 5);
const SIN_72 = Math.sin((2 * Math.PI) / 5);
const SIN_144 = Math.sin((4 * Math.PI) / 5);

const pass5 = (
  xr: Float64Array,
  xi: Float64Array,
  yr: Float64Array,
  yi: Float64Array,
  at: number,
  pass: FourierPass,
  stride: number,
): void => {
  const parts = pass.size / 5;
  const skip = stride * parts;
  const { cos, sin } = pass;
  for (let p = 0; p < parts; p++) {
    const w = 4 * p;
    const x0 = at + stride * p;
    const y0 = at + stride * 5 * p;
    for (let q = 0; q < stride; q++) {
      const i0 = x0 + q;
      const ar = xr[i0];
      const ai = xi[i0];
      const br = xr[i0 + skip];
      const bi = xi[i0 + skip];
      const cr = xr[i0 + 2 * skip];
      const ci = xi[i0 + 2 * skip];
      const dr = xr[i0 + 3 * skip];
      const di = xi[i0 + 3 * skip];
      const er = xr[i0 + 4 * skip];
      const ei = xi[i0 + 4 * skip];
      const s1r = br + er;
      const s1i = bi + ei;
      const s2r = cr + dr;
      const s2i = ci + di;
      const d1r = br - er;
      const d1i = bi - ei;
      const d2r = cr - dr;
      const d2i = ci - di;
      const m1r = ar + COS_72 * s1r + COS_144 * s2r;
      const m1i = ai + COS_72 * s1i + COS_144 * s2i;
      const m2r = ar + COS_144 * s1r + COS_72 * s2r;
      const m2i = ai + COS_144 * s1i + COS_72 * s2i;
      const n1r = SIN_72 * d1i + SIN_144 * d2i;
      const n1i = -SIN_72 * d1r - SIN_144 * d2r;
      const n2r = SIN_144 * d1i - SIN_72 * d2i;
      const n2i = -SIN_144 * d1r + SIN_72 * d2r;
      const o0 = y0 + q;
      yr[o0] = ar + s1r + s2r;
      yi[o0] = ai + s1i + s2i;
      let ur = m1r + n1r;
      let ui = m1i + n1i;
      yr[o0 + stride] = ur * cos[w] - ui * sin[w];
      yi[o0 + stride] = ur * sin[w] + ui * cos[w];
      ur = m2r + n2r;
      ui = m2i + n2i;
      yr[o0 + 2 * stride] = ur * cos[w + 1] - ui * sin[w + 1];
      yi[o0 + 2 * stride] = ur * sin[w + 1] + ui * cos[w + 1];
      ur = m2r - n2r;
      ui = m2i - n2i;
      yr[o0 + 3 * stride] = ur * cos[w + 2] - ui * sin[w + 2];
      yi[o0 + 3 * stride] = ur * sin[w + 2] + ui * cos[w + 2];
      ur = m1r - n1r;
      ui = m1i - n1i;
      yr[o0 + 4 * stride] = ur * cos[w + 3] - ui * sin[w + 3];
      yi[o0 + 4 * stride] = ur * sin[w + 3] + ui * cos[w + 3];
    }
  }
};
