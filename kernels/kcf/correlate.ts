/** Bytes of the 16 real (or imaginary) parts of a cell's spectrum, and of its four windows in a plane. */
const CHANNELS: usize = 64;
const WINDOWS: usize = 16;

/** `sum_c |X_c|^2` of each cell, as window 0 of a plane; the other windows and imaginary parts become 0. */
export function autoSpectrum(re: usize, im: usize, cells: i32, planeRe: usize, planeIm: usize): void {
  for (let i = 0; i < cells; i++) {
    let sum = f32x4.splat(0);
    for (const end = re + CHANNELS; re < end; re += 16, im += 16) {
      const a = v128.load(re);
      const b = v128.load(im);
      sum = f32x4.add(sum, f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b)));
    }
    v128.store(planeRe, f32x4(sumOf(sum), 0, 0, 0));
    v128.store(planeIm, f32x4.splat(0));
    planeRe += WINDOWS;
    planeIm += WINDOWS;
  }
}

/** `sum_c Z_c conj(X_c)` of each cell: of a new window `z` with the template `x`, as one window of a plane, whose first value is at `planeRe`. */
export function crossSpectrum(
  re: usize,
  im: usize,
  templateRe: usize,
  templateIm: usize,
  cells: i32,
  planeRe: usize,
  planeIm: usize,
): void {
  for (let i = 0; i < cells; i++) {
    let sumRe = f32x4.splat(0);
    let sumIm = sumRe;
    for (const end = re + CHANNELS; re < end; re += 16, im += 16, templateRe += 16, templateIm += 16) {
      const a = v128.load(re);
      const b = v128.load(im);
      const c = v128.load(templateRe);
      const d = v128.load(templateIm);
      sumRe = f32x4.add(sumRe, f32x4.add(f32x4.mul(a, c), f32x4.mul(b, d)));
      sumIm = f32x4.add(sumIm, f32x4.sub(f32x4.mul(b, c), f32x4.mul(a, d)));
    }
    store<f32>(planeRe, sumOf(sumRe));
    store<f32>(planeIm, sumOf(sumIm));
    planeRe += WINDOWS;
    planeIm += WINDOWS;
  }
}

/**
 * The Gaussian kernel less 1 of each cell and window, `exp(-max(0, distance) / sigma^2) - 1`, `distance = (energies - 2 correlation) / size`,
 * which is small where windows are alike, so that float32 keeps its digits through the transform that follows.
 *
 * @param planeRe correlations, not yet divided by the number of cells; becomes the kernel, its imaginary part 0
 * @param energies `|x|^2 + |z|^2` of the four windows
 * @param scale `-1 / (size sigma^2)`
 */
export function gaussianOf(planeRe: usize, planeIm: usize, cells: i32, energies: usize, scale: f32): void {
  const energy = v128.load(energies);
  const twice = f32x4.splat(<f32>2 / <f32>cells);
  const factor = f32x4.splat(scale);
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  for (let i = 0; i < cells; i++) {
    const distance = f32x4.sub(energy, f32x4.mul(twice, v128.load(planeRe)));
    const kernel = exponential(f32x4.mul(factor, f32x4.pmax(zero, distance)));
    v128.store(planeRe, f32x4.sub(kernel, one));
    v128.store(planeIm, zero);
    planeRe += WINDOWS;
    planeIm += WINDOWS;
  }
}

/** `e^x` for `x <= 0`, to about 1e-7: `2^n 2^f`, `n` whole, `|f| <= 1/2`, by the Taylor series of `2^f`. */
function exponential(x: v128): v128 {
  const power = f32x4.mul(f32x4.pmax(f32x4.splat(-80), x), f32x4.splat(1.442695));
  const whole = f32x4.nearest(power);
  const rest = f32x4.mul(f32x4.sub(power, whole), f32x4.splat(0.6931472));
  let series = f32x4.splat(1.0 / 720);
  series = f32x4.add(f32x4.mul(series, rest), f32x4.splat(1.0 / 120));
  series = f32x4.add(f32x4.mul(series, rest), f32x4.splat(1.0 / 24));
  series = f32x4.add(f32x4.mul(series, rest), f32x4.splat(1.0 / 6));
  series = f32x4.add(f32x4.mul(series, rest), f32x4.splat(0.5));
  series = f32x4.add(f32x4.mul(series, rest), f32x4.splat(1));
  series = f32x4.add(f32x4.mul(series, rest), f32x4.splat(1));
  const exponent = i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127));
  return f32x4.mul(series, i32x4.shl(exponent, 23));
}

/**
 * The spectra of the responses: those of the kernels (of the Gaussian less 1: the first cell lacks the number of cells) times the real coefficients.
 */
export function respond(planeRe: usize, planeIm: usize, cells: i32, coefficients: usize): void {
  v128.store(planeRe, f32x4.add(v128.load(planeRe), f32x4.splat(<f32>cells)));
  const share = f32x4.splat(<f32>1 / <f32>cells);
  for (let i = 0; i < cells; i++) {
    const factor = f32x4.mul(v128.load32_splat(coefficients), share);
    v128.store(planeRe, f32x4.mul(v128.load(planeRe), factor));
    v128.store(planeIm, f32x4.mul(v128.load(planeIm), factor));
    coefficients += 4;
    planeRe += WINDOWS;
    planeIm += WINDOWS;
  }
}

/** Blends `Y / (K + lambda)` into the coefficients; `K` is window 0 of a plane (of the Gaussian less 1), real as an autocorrelation is even. */
export function learnCoefficients(
  planeRe: usize,
  cells: i32,
  target: usize,
  lambda: f32,
  rate: f32,
  coefficients: usize,
): void {
  store<f32>(planeRe, load<f32>(planeRe) + <f32>cells);
  for (let i = 0; i < cells; i++) {
    const kept = load<f32>(coefficients);
    store<f32>(coefficients, kept + rate * (load<f32>(target) / (load<f32>(planeRe) + lambda) - kept));
    planeRe += WINDOWS;
    target += 4;
    coefficients += 4;
  }
}

/** `to += rate (from - to)`; `bytes` is a multiple of 16. */
export function blend(from: usize, to: usize, bytes: usize, rate: f32): void {
  const share = f32x4.splat(rate);
  for (const end = to + bytes; to < end; to += 16, from += 16) {
    const kept = v128.load(to);
    v128.store(to, f32x4.add(kept, f32x4.mul(share, f32x4.sub(v128.load(from), kept))));
  }
}

/** The sum of squares of `bytes / 4` values; `bytes` is a multiple of 16. */
export function energyOf(from: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (const end = from + bytes; from < end; from += 16) {
    const value = v128.load(from);
    sum = f32x4.add(sum, f32x4.mul(value, value));
  }
  return sumOf(sum);
}

function sumOf(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}
