import { blurReferenceSize, type AugmentationDraw } from './augmentation.js';
import { gaussianKernel } from './gaussian-kernel.js';
import { PicturePlanes } from './picture-planes.js';
import { cropAxes } from './resample-axis.js';

/**
 * Renders views of square pictures, one after the other, into a float32 buffer: the inner loop of `renderViews`. Each picture
 * is sampled once and its colours are changed while it is still in the processor's cache; the same steps as whole-batch tensor
 * ops write the whole batch to memory at every step. What shrinks by much is averaged instead of sampled.
 *
 * With `x` in [0, 1], `g` the grey of a pixel and `m` the mean grey of the picture at that point, the steps are those of
 * torchvision's ColorJitter in their drawn order: brightness `clip(f x)`, contrast `clip(f x + (1 - f) m)`, saturation
 * `clip(f x + (1 - f) g)`, hue `h + f mod 1` through HSV; then grey, Gaussian blur, solarize `x >= t ? 1 - x : x`, and
 * `(x - mean) / std`.
 */
export class PictureRenderer {
  readonly #inputSize: number;
  readonly #picture: PicturePlanes;
  readonly #scale: readonly [number, number, number];
  readonly #shift: readonly [number, number, number];

  constructor(inputSize: number, mean: readonly [number, number, number], std: readonly [number, number, number]) {
    this.#inputSize = inputSize;
    this.#picture = new PicturePlanes(inputSize);
    this.#scale = [1 / std[0], 1 / std[1], 1 / std[2]];
    this.#shift = [-mean[0] / std[0], -mean[1] / std[1], -mean[2] / std[2]];
  }

  /**
   * Renders one view. `source` holds the picture's `size * size * 3` bytes; the result goes to `target` from `offset`,
   * `[inputSize, inputSize, 3]`.
   *
   * @throws RangeError for a blur whose kernel is wider than the view
   */
  render(source: Uint8Array, size: number, draw: AugmentationDraw, target: Float32Array, offset: number): void {
    const picture = this.#picture;
    const steps = draw.colourOrder.filter((step) => draw[step] !== (step === 'hue' ? 0 : 1));
    // A brightness that comes first is a factor of the samples.
    const early = steps[0] === 'brightness';
    const { across, down } = cropAxes(draw, size, this.#inputSize);
    picture.resample(source, size, across, down, early ? draw.brightness : 1);
    for (const step of early ? steps.slice(1) : steps) {
      if (step === 'brightness') picture.adjustBrightness(draw.brightness);
      else if (step === 'contrast') picture.adjustContrast(draw.contrast);
      else if (step === 'saturation') picture.adjustSaturation(draw.saturation);
      else picture.adjustHue(draw.hue);
    }
    if (draw.grey) picture.turnGrey();
    if (draw.blurSigma > 0) picture.blur(gaussianKernel((draw.blurSigma * this.#inputSize) / blurReferenceSize));
    if (draw.solarize !== null) picture.solarize(draw.solarize);
    picture.normaliseInto(target, offset, this.#scale, this.#shift);
  }
}
