/** What may be left out of a kernel's sum: an eighth of one of 256 levels. */
const negligible = 2 ** -11;

/**
 * A Gaussian kernel from its middle outwards, `[radius + 1]`: weights proportional to `exp(-k^2 / (2 sigma^2))` whose sum over both
 * sides is 1. It ends where all that lies further out would add less than an eighth of one of 256 levels, so that it is as the papers'
 * kernels of a tenth of the view's side, and shorter: 1, 3, 5 or 7 taps for the 0.04 to 0.86 px of views of 96 px.
 */
export const gaussianKernel = (sigma: number): Float64Array => {
  const reach = Math.ceil(6 * sigma);
  const weights = Float64Array.from({ length: reach + 1 }, (_, k) => Math.exp(-(k * k) / (2 * sigma * sigma)));
  const whole = sumOf(weights);
  let radius = reach;
  for (let left = 0; radius > 0; radius--) {
    left += (2 * weights[radius]!) / whole;
    if (left > negligible) break;
  }
  const kernel = weights.slice(0, radius + 1);
  const kept = sumOf(kernel);
  return kernel.map((weight) => weight / kept);
};

/** Of both sides. */
const sumOf = (kernel: Float64Array): number => kernel.reduce((sum, weight) => sum + 2 * weight, -kernel[0]!);
