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

/** The row (or column) that stands for number `at` of `size` where a picture goes on as its mirror image, its edge not repeated. */
const mirrored = (at: number, size: number): number => (at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at);

/**
 * Blurs square RGB pictures of one size, first down and then along each row, as torchvision's `gaussian_blur`: beyond its border a
 * picture goes on as its mirror image.
 */
export class GaussianBlur {
  readonly #size: number;
  /** One row, blurred downwards, with room for its continuation on both sides. */
  #row = new Float64Array(0);
  /** Where the values that are added up begin: a line's own, then those of its neighbours, on one side and the other. */
  #places = new Int32Array(0);

  constructor(size: number) {
    this.#size = size;
  }

  /** Blurs `from` into `to`, both `[size, size, 3]` and not the same array. Expects a kernel whose radius is below `size`. */
  blur(from: Float64Array, to: Float64Array, kernel: Float64Array): void {
    const size = this.#size;
    const width = size * 3;
    const radius = kernel.length - 1;
    const margin = radius * 3;
    if (this.#row.length < width + 2 * margin) {
      this.#row = new Float64Array(width + 2 * margin);
      this.#places = new Int32Array(2 * radius + 1);
    }
    const row = this.#row;
    const places = this.#places;
    for (let y = 0; y < size; y++) {
      places[0] = y * width;
      for (let k = 1; k <= radius; k++) {
        places[2 * k - 1] = mirrored(y - k, size) * width;
        places[2 * k] = mirrored(y + k, size) * width;
      }
      weigh(from, places, kernel, row, margin, width);
      continueRow(row, size, radius);
      places[0] = margin;
      for (let k = 1; k <= radius; k++) {
        places[2 * k - 1] = margin - 3 * k;
        places[2 * k] = margin + 3 * k;
      }
      weigh(row, places, kernel, to, y * width, width);
    }
  }
}

/** Mirrors both ends of a row of `size` pixels into the `radius` pixels beyond them. */
const continueRow = (row: Float64Array, size: number, radius: number): void => {
  const first = radius * 3;
  const last = first + 3 * (size - 1);
  for (let k = 3; k <= first; k += 3) {
    for (let c = 0; c < 3; c++) {
      row[first - k + c] = row[first + k + c]!;
      row[last + k + c] = row[last - k + c]!;
    }
  }
};

/** Adds up `count` values and their neighbours by the kernel. Up to three a side are written out: one pass over memory, not four. */
const weigh = (
  from: Float64Array,
  places: Int32Array,
  kernel: Float64Array,
  to: Float64Array,
  at: number,
  count: number,
): void => {
  const own = places[0]!;
  const [a, b, c, d, e, f] = [places[1]!, places[2]!, places[3]!, places[4]!, places[5]!, places[6]!];
  const [middle, first, second, third] = [kernel[0]!, kernel[1]!, kernel[2]!, kernel[3]!];
  if (kernel.length === 2) {
    for (let i = 0; i < count; i++) to[at + i] = middle * from[own + i]! + first * (from[a + i]! + from[b + i]!);
  } else if (kernel.length === 3) {
    for (let i = 0; i < count; i++) {
      to[at + i] =
        middle * from[own + i]! + first * (from[a + i]! + from[b + i]!) + second * (from[c + i]! + from[d + i]!);
    }
  } else {
    for (let i = 0; i < count; i++) {
      to[at + i] =
        middle * from[own + i]! +
        first * (from[a + i]! + from[b + i]!) +
        second * (from[c + i]! + from[d + i]!) +
        third * (from[e + i]! + from[f + i]!);
    }
    for (let k = 4; k < kernel.length; k++)
      addPair(from, places[2 * k - 1]!, places[2 * k]!, kernel[k]!, to, at, count);
  }
};

const addPair = (
  from: Float64Array,
  near: number,
  far: number,
  weight: number,
  to: Float64Array,
  at: number,
  count: number,
): void => {
  for (let i = 0; i < count; i++) to[at + i] = to[at + i]! + weight * (from[near + i]! + from[far + i]!);
};
