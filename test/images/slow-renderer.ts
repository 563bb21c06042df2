// Views as they are defined, in float64 and with plain loops over pixels: what the render kernel is checked against. A picture is `r, g, b`
// after `r, g, b`, all in [0, 1].
import { blurReferenceSize, type AugmentationDraw } from '../../src/images/augmentation.js';
import { gaussianKernel } from '../../src/images/gaussian-kernel.js';
import { cropAxes, type ResampleAxis } from '../../src/images/resample-axis.js';

const clip = (value: number): number => Math.min(1, Math.max(0, value));
const grey = ([red, green, blue]: readonly number[]): number => 0.2989 * red! + 0.587 * green! + 0.114 * blue!;

const pixelsOf = (picture: Float64Array): number[][] =>
  Array.from({ length: picture.length / 3 }, (_, i) => [...picture.subarray(3 * i, 3 * i + 3)]);
const eachPixel = (picture: Float64Array, of: (pixel: readonly number[]) => readonly number[]): Float64Array =>
  Float64Array.from(pixelsOf(picture).flatMap((pixel) => of(pixel)));

/** All neighbours of each output pixel in both dimensions at once; above 1 is 1. */
export const slowResample = (
  source: Uint8Array,
  size: number,
  across: ResampleAxis,
  down: ResampleAxis,
  factor = 1,
): Float64Array => {
  const n = across.first.length;
  return Float64Array.from({ length: n * n * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 3 / n), Math.floor(i / 3) % n, i % 3];
    let sum = 0;
    for (let j = 0; j < down.taps; j++) {
      for (let k = 0; k < across.taps; k++) {
        const weight = down.weights[y * down.taps + j]! * across.weights[x * across.taps + k]!;
        if (weight > 0) sum += weight * source[((down.first[y]! + j) * size + across.first[x]! + k) * 3 + c]!;
      }
    }
    return Math.min(1, (factor * sum) / 255);
  });
};

/** Mean over the pixels of their grey. */
export const slowMeanGrey = (picture: Float64Array): number =>
  pixelsOf(picture).reduce((sum, pixel) => sum + grey(pixel), 0) / (picture.length / 3);

/** `clip(f x)`. */
export const slowBrightness = (picture: Float64Array, factor: number): Float64Array =>
  picture.map((value) => clip(factor * value));

/** `clip(f x + (1 - f) m)`. */
export const slowContrast = (picture: Float64Array, factor: number): Float64Array => {
  const mean = slowMeanGrey(picture);
  return picture.map((value) => clip(factor * value + (1 - factor) * mean));
};

/** `clip(f x + (1 - f) g)`. */
export const slowSaturation = (picture: Float64Array, factor: number): Float64Array =>
  eachPixel(picture, (pixel) => pixel.map((value) => clip(factor * value + (1 - factor) * grey(pixel))));

/** Through hue, saturation and value, the hue of grey 0. */
export const slowHue = (picture: Float64Array, turns: number): Float64Array =>
  eachPixel(picture, (pixel) => {
    const [red, green, blue] = pixel as [number, number, number];
    const value = Math.max(red, green, blue);
    const chroma = value - Math.min(red, green, blue);
    if (chroma === 0) return pixel;
    const sixths =
      value === red
        ? (green - blue) / chroma
        : value === green
          ? 2 + (blue - red) / chroma
          : 4 + (red - green) / chroma;
    // Value less chroma times a trapezoid: 5, 3 and 1 sixths apart for red, green and blue.
    return [5, 3, 1].map((ahead) => {
      const at = (ahead + sixths + 6 * turns + 12) % 6;
      return value - chroma * Math.max(0, Math.min(at, 4 - at, 1));
    });
  });

/** The grey of each pixel in all its channels. */
export const slowGrey = (picture: Float64Array): Float64Array =>
  eachPixel(picture, (pixel) => [grey(pixel), grey(pixel), grey(pixel)]);

/** `x >= threshold ? 1 - x : x`. */
export const slowSolarize = (picture: Float64Array, threshold: number): Float64Array =>
  picture.map((value) => (value >= threshold ? 1 - value : value));

/** Both dimensions at once; beyond the border the picture is mirrored, its edge not repeated. */
export const slowBlur = (picture: Float64Array, kernel: ArrayLike<number>): Float64Array => {
  const n = Math.sqrt(picture.length / 3);
  const radius = kernel.length - 1;
  const mirrored = (at: number): number => (at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at);
  return picture.map((_, i) => {
    const [y, x, c] = [Math.floor(i / 3 / n), Math.floor(i / 3) % n, i % 3];
    let sum = 0;
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        const weight = kernel[Math.abs(dy)]! * kernel[Math.abs(dx)]!;
        sum += weight * picture[(mirrored(y + dy) * n + mirrored(x + dx)) * 3 + c]!;
      }
    }
    return sum;
  });
};

/** A whole view of `n` px before it is normalised. */
export const slowView = (source: Uint8Array, size: number, draw: AugmentationDraw, n: number): Float64Array => {
  const { across, down } = cropAxes(draw, size, n);
  let picture = slowResample(source, size, across, down);
  for (const step of draw.colourOrder) {
    if (step === 'brightness') picture = slowBrightness(picture, draw.brightness);
    else if (step === 'contrast') picture = slowContrast(picture, draw.contrast);
    else if (step === 'saturation') picture = slowSaturation(picture, draw.saturation);
    else if (draw.hue !== 0) picture = slowHue(picture, draw.hue);
  }
  if (draw.grey) picture = slowGrey(picture);
  if (draw.blurSigma > 0) picture = slowBlur(picture, gaussianKernel((draw.blurSigma * n) / blurReferenceSize));
  return draw.solarize === null ? picture : slowSolarize(picture, draw.solarize);
};
