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
  const whole = weights.reduce((sum, weight) => sum + 2 * weight, -weights[0]!);
  let radius = reach;
  let left = 0;
  for (; radius > 0; radius--) {
    left += (2 * weights[radius]!) / whole;
    if (left > negligible) break;
  }
  const kernel = weights.slice(0, radius + 1);
  const kept = kernel.reduce((sum, weight) => sum + 2 * weight, -kernel[0]!);
  return kernel.map((weight) => weight / kept);
};

/** The row (or column) that stands for row `at` of `size` where a picture is continued as its mirror image, its edge not repeated. */
const mirrored = (at: number, size: number): number => (at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at);

/**
 * Blurs square RGB pictures of one size, first down and then along each row, as torchvision's `gaussian_blur`: beyond its border a
 * picture goes on as its mirror image.
 */
export class GaussianBlur {
  readonly #size: number;
  /** One row, blurred downwards, with room for its continuation on both sides. */
  #row: Float32Array;

  constructor(size: number) {
    this.#size = size;
    this.#row = new Float32Array(size * 3);
  }

  /** Blurs `from` into `to`, both `[size, size, 3]` and not the same array. Expects a kernel whose radius is below `size`. */
  blur(from: Float32Array, to: Float32Array, kernel: Float64Array): void {
    const width = this.#size * 3;
    const radius = kernel.length - 1;
    const margin = radius * 3;
    if (this.#row.length < width + 2 * margin) this.#row = new Float32Array(width + 2 * margin);
    for (let y = 0; y < this.#size; y++) {
      this.#blurDown(from, y, kernel, margin);
      this.#continueRow(margin, radius);
      this.#blurAlong(to, y * width, kernel, margin);
    }
  }

  #blurDown(from: Float32Array, y: number, kernel: Float64Array, margin: number): void {
    const row = this.#row;
    const size = this.#size;
    const width = size * 3;
    const own = y * width;
    const middle = kernel[0]!;
    for (let i = 0; i < width; i++) row[margin + i] = middle * from[own + i]!;
    for (let k = 1; k < kernel.length; k++) {
      const weight = kernel[k]!;
      const above = mirrored(y - k, size) * width;
      const below = mirrored(y + k, size) * width;
      for (let i = 0; i < width; i++)
        row[margin + i] = row[margin + i]! + weight * (from[above + i]! + from[below + i]!);
    }
  }

  #continueRow(margin: number, radius: number): void {
    const row = this.#row;
    const size = this.#size;
    for (let k = 1; k <= radius; k++) {
      for (let c = 0; c < 3; c++) {
        row[margin - 3 * k + c] = row[margin + 3 * k + c]!;
        row[margin + 3 * (size - 1 + k) + c] = row[margin + 3 * (size - 1 - k) + c]!;
      }
    }
  }

  #blurAlong(to: Float32Array, offset: number, kernel: Float64Array, margin: number): void {
    const row = this.#row;
    const width = this.#size * 3;
    const middle = kernel[0]!;
    for (let i = 0; i < width; i++) to[offset + i] = middle * row[margin + i]!;
    for (let k = 1; k < kernel.length; k++) {
      const weight = kernel[k]!;
      const left = margin - 3 * k;
      const right = margin + 3 * k;
      for (let i = 0; i < width; i++) to[offset + i] = to[offset + i]! + weight * (row[left + i]! + row[right + i]!);
    }
  }
}
