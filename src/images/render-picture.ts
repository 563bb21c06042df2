import { blurReferenceSize, type AugmentationDraw } from './augmentation.js';
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  greyWeights,
  meanGrey,
  solarize,
  turnGrey,
} from './colour-steps.js';
import { GaussianBlur, gaussianKernel } from './gaussian-blur.js';
import { needsAveraging, shrinkInto } from './shrink.js';

const [redShare, greenShare, blueShare] = greyWeights;

/**
 * Renders views of square pictures, one after the other, into a float32 buffer: the inner loop of `renderViews`. Each picture
 * is sampled once and its colours are changed while it is still in the processor's cache; the same steps as whole-batch tensor
 * ops write the whole batch to memory at every step, and took three times as long. What shrinks by much is averaged instead.
 *
 * With `x` in [0, 1], `g` the grey of a pixel and `m` the mean grey of the picture at that point, the steps are those of
 * torchvision's ColorJitter in their drawn order: brightness `clip(f x)`, contrast `clip(f x + (1 - f) m)`, saturation
 * `clip(f x + (1 - f) g)`, hue `h + f mod 1` through HSV; then grey, Gaussian blur, solarize `x >= t ? 1 - x : x`, and
 * `(x - mean) / std`. (Grey is taken after the blur, which makes no difference: both are linear.)
 */
export class PictureRenderer {
  readonly #inputSize: number;
  readonly #picture: Float64Array;
  readonly #blurred: Float64Array;
  readonly #blur: GaussianBlur;
  /** Offset of the left and right (upper and lower) source pixel of each output pixel, and the share of the right one. */
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #along: Float64Array;
  readonly #scale: readonly [number, number, number];
  readonly #shift: readonly [number, number, number];

  constructor(inputSize: number, mean: readonly [number, number, number], std: readonly [number, number, number]) {
    this.#inputSize = inputSize;
    this.#picture = new Float64Array(inputSize * inputSize * 3);
    this.#blurred = new Float64Array(inputSize * inputSize * 3);
    this.#blur = new GaussianBlur(inputSize);
    this.#left = new Int32Array(inputSize);
    this.#right = new Int32Array(inputSize);
    this.#along = new Float64Array(inputSize);
    this.#scale = [1 / std[0], 1 / std[1], 1 / std[2]];
    this.#shift = [-mean[0] / std[0], -mean[1] / std[1], -mean[2] / std[2]];
  }

  /**
   * Renders one view. `source` holds the picture's `size * size * 3` bytes; the result goes to `target` from `offset`,
   * `[inputSize, inputSize, 3]`.
   */
  render(source: Uint8Array, size: number, draw: AugmentationDraw, target: Float32Array, offset: number): void {
    const steps = draw.colourOrder.filter((step) => draw[step] !== (step === 'hue' ? 0 : 1));
    const averaged = needsAveraging(draw, size, this.#inputSize);
    const early = !averaged && steps[0] === 'brightness';
    let mean: number | undefined;
    if (averaged) shrinkInto(this.#picture, this.#inputSize, source, size, draw);
    else mean = this.#sample(source, size, draw, early ? draw.brightness : 1);
    for (const step of early ? steps.slice(1) : steps) {
      if (step === 'brightness') adjustBrightness(this.#picture, draw.brightness);
      else if (step === 'contrast') adjustContrast(this.#picture, draw.contrast, mean ?? meanGrey(this.#picture));
      else if (step === 'saturation') adjustSaturation(this.#picture, draw.saturation);
      else adjustHue(this.#picture, draw.hue);
      mean = undefined;
    }
    const blurred = this.#blurredBy(draw.blurSigma);
    if (draw.solarize === null) {
      this.#normalise(blurred, draw.grey, target, offset);
    } else {
      if (draw.grey) turnGrey(blurred);
      solarize(blurred, draw.solarize);
      this.#normalise(blurred, false, target, offset);
    }
  }

  /**
   * Bilinear samples at pixel centres: output pixel i lies at `start + (i + 1/2) extent / inputSize - 1/2` source pixels, kept
   * inside the picture. Brightness on the way. Returns the mean grey.
   */
  #sample(source: Uint8Array, size: number, draw: AugmentationDraw, factor: number): number {
    const n = this.#inputSize;
    const picture = this.#picture;
    const left = this.#left;
    const right = this.#right;
    const along = this.#along;
    for (let i = 0; i < n; i++) {
      const column = draw.flip ? n - 1 - i : i;
      const at = (draw.x + ((column + 0.5) * draw.width) / n) * size - 0.5;
      const inside = at < 0 ? 0 : at > size - 1 ? size - 1 : at;
      const first = Math.floor(inside);
      left[i] = first * 3;
      right[i] = (first + 1 < size ? first + 1 : first) * 3;
      along[i] = inside - first;
    }
    const brightness = factor / 255;
    let greySum = 0;
    let to = 0;
    for (let row = 0; row < n; row++) {
      const at = (draw.y + ((row + 0.5) * draw.height) / n) * size - 0.5;
      const inside = at < 0 ? 0 : at > size - 1 ? size - 1 : at;
      const first = Math.floor(inside);
      const down = inside - first;
      const upper = first * size * 3;
      const lower = (first + 1 < size ? first + 1 : first) * size * 3;
      for (let i = 0; i < n; i++) {
        const l = left[i]!;
        const r = right[i]!;
        const share = along[i]!;
        const lowerRight = share * down * brightness;
        const lowerLeft = down * brightness - lowerRight;
        const upperRight = share * brightness - lowerRight;
        const upperLeft = brightness - upperRight - lowerLeft - lowerRight;
        const a = upper + l;
        const b = upper + r;
        const c = lower + l;
        const d = lower + r;
        const red = upperLeft * source[a]! + upperRight * source[b]! + lowerLeft * source[c]! + lowerRight * source[d]!;
        const green =
          upperLeft * source[a + 1]! +
          upperRight * source[b + 1]! +
          lowerLeft * source[c + 1]! +
          lowerRight * source[d + 1]!;
        const blue =
          upperLeft * source[a + 2]! +
          upperRight * source[b + 2]! +
          lowerLeft * source[c + 2]! +
          lowerRight * source[d + 2]!;
        const redClipped = red > 1 ? 1 : red;
        const greenClipped = green > 1 ? 1 : green;
        const blueClipped = blue > 1 ? 1 : blue;
        picture[to] = Math.fround(redClipped);
        picture[to + 1] = Math.fround(greenClipped);
        picture[to + 2] = Math.fround(blueClipped);
        to += 3;
        greySum += redShare * redClipped + greenShare * greenClipped + blueShare * blueClipped;
      }
    }
    return greySum / (n * n);
  }

  /** The picture, blurred if there is anything to blur. */
  #blurredBy(sigmaAtReference: number): Float64Array {
    const size = this.#inputSize;
    const sigma = (sigmaAtReference * size) / blurReferenceSize;
    if (sigma === 0) return this.#picture;
    const kernel = gaussianKernel(sigma);
    if (kernel.length === 1) return this.#picture;
    if (kernel.length > size) {
      throw new RangeError(
        `Expected a blur of less than the picture's ${size} px, got a radius of ${kernel.length - 1} px`,
      );
    }
    this.#blur.blur(this.#picture, this.#blurred, kernel);
    return this.#blurred;
  }

  /** `(x - mean) / std`, of the grey of each pixel where that is asked for. */
  #normalise(picture: Float64Array, grey: boolean, target: Float32Array, offset: number): void {
    const [redScale, greenScale, blueScale] = this.#scale;
    const [redShift, greenShift, blueShift] = this.#shift;
    for (let i = 0; i < picture.length; i += 3) {
      let red = Math.fround(picture[i]!);
      let green = Math.fround(picture[i + 1]!);
      let blue = Math.fround(picture[i + 2]!);
      if (grey) red = green = blue = redShare * red + greenShare * green + blueShare * blue;
      target[offset + i] = red * redScale + redShift;
      target[offset + i + 1] = green * greenScale + greenShift;
      target[offset + i + 2] = blue * blueScale + blueShift;
    }
  }
}
