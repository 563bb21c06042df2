import { tf } from '../runtime/tensors.js';
import type { Tensor2D, Tensor3D, Tensor4D } from '../runtime/tensors.js';
import { identityDraw, type AugmentationDraw } from './augmentation.js';
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation, blendMatrices } from './colour.js';
import type { PixelCache } from './pixel-cache.js';

/** What a network wants to see: side of its input in px, and the normalisation `(pixel / 255 - mean) / std` per channel. A `Trunk` is one. */
export type ImageTarget = {
  readonly inputSize: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
};

/**
 * Renders pictures of a cache as a network's input, `[batch, inputSize, inputSize, 3]` float32: crop and resize (bilinear, at
 * pixel centres), mirror, brightness, contrast, saturation, hue, grey, normalise. Every step runs once over the whole batch
 * with one factor a picture; steps that change nothing in the batch are left out. The caller disposes.
 *
 * @param pictures picture numbers in the cache, `[batch]`
 * @param draws one augmentation a picture
 */
export const renderViews = (
  cache: PixelCache,
  pictures: ArrayLike<number>,
  draws: readonly AugmentationDraw[],
  target: ImageTarget,
): Tensor4D => {
  if (pictures.length !== draws.length) {
    throw new RangeError(`Expected one draw a picture, got ${draws.length} draws for ${pictures.length} pictures`);
  }
  const batch = draws.length;
  const { inputSize } = target;
  return tf.tidy(() => {
    const cropped = cropAndMirror(cache, pictures, draws, inputSize);
    let pixels: Tensor3D = cropped.reshape([batch, inputSize * inputSize, 3]);
    let scale = 255;
    const changes = (of: (draw: AugmentationDraw) => boolean): boolean => draws.some(of);
    const toFlat = (): Tensor2D => pixels.reshape([batch, inputSize * inputSize * 3]);
    const toPixels = (flat: Tensor2D): Tensor3D => flat.reshape([batch, inputSize * inputSize, 3]);
    if (changes((d) => d.brightness !== 1 || d.contrast !== 1 || d.saturation !== 1 || d.hue !== 0)) {
      pixels = toPixels(adjustBrightness(toFlat(), draws, scale));
      scale = 1;
      if (changes((d) => d.contrast !== 1)) pixels = toPixels(adjustContrast(toFlat(), draws));
      if (changes((d) => d.saturation !== 1)) pixels = adjustSaturation(pixels, draws);
      if (changes((d) => d.hue !== 0)) pixels = adjustHue(pixels, draws);
    }
    return normalise(pixels, draws, scale, target).reshape([batch, inputSize, inputSize, 3]) as Tensor4D;
  });
};

/** Pictures of a cache as at test time: the whole picture, resized and normalised; `[batch, inputSize, inputSize, 3]`. The caller disposes. */
export const renderPlain = (cache: PixelCache, pictures: ArrayLike<number>, target: ImageTarget): Tensor4D =>
  renderViews(
    cache,
    pictures,
    Array.from({ length: pictures.length }, () => identityDraw),
    target,
  );

/**
 * The corners `[y1, x1, y2, x2]` for `cropAndResize`, which maps the first and last output pixel onto them in units of
 * `size - 1`. Output pixel i lies at `start + (i + 1/2) extent / inputSize - 1/2` source pixels, kept inside the picture (at
 * most a quarter of a pixel matters, when a crop at the border is enlarged). A mirror image has its x corners swapped.
 */
export const cropCorners = (
  draw: AugmentationDraw,
  size: number,
  inputSize: number,
): [y1: number, x1: number, y2: number, x2: number] => {
  const last = Math.max(1, size - 1);
  const corner = (start: number, extent: number, i: number): number => {
    const at = start * size + ((i + 0.5) * extent * size) / inputSize - 0.5;
    return Math.min(Math.max(at, 0), size - 1) / last;
  };
  const y1 = corner(draw.y, draw.height, 0);
  const y2 = corner(draw.y, draw.height, inputSize - 1);
  const x1 = corner(draw.x, draw.width, 0);
  const x2 = corner(draw.x, draw.width, inputSize - 1);
  return draw.flip ? [y1, x2, y2, x1] : [y1, x1, y2, x2];
};

const cropAndMirror = (
  cache: PixelCache,
  pictures: ArrayLike<number>,
  draws: readonly AugmentationDraw[],
  inputSize: number,
): Tensor4D => {
  const { size } = cache;
  const bytes = size * size * 3;
  const gathered = new Float32Array(pictures.length * bytes);
  for (let i = 0; i < pictures.length; i++) {
    const picture = pictures[i] as number;
    if (!(picture >= 0 && picture < cache.count)) {
      throw new RangeError(`Expected a picture number from 0 to ${cache.count - 1}, got \`${picture}\``);
    }
    gathered.set(cache.pixels.subarray(picture * bytes, (picture + 1) * bytes), i * bytes);
  }
  const images = tf.tensor4d(gathered, [pictures.length, size, size, 3]);
  const whole = draws.every((d) => d.x === 0 && d.y === 0 && d.width === 1 && d.height === 1 && !d.flip);
  if (whole && size === inputSize) return images;
  const corners = Float32Array.from(draws.flatMap((draw) => cropCorners(draw, size, inputSize)));
  const boxes = tf.tensor2d(corners, [draws.length, 4]);
  const owners = tf.tensor1d(
    Int32Array.from(draws, (_, i) => i),
    'int32',
  );
  return tf.image.cropAndResize(images, boxes, owners, [inputSize, inputSize], 'bilinear');
};

/** Grey where drawn, `/ scale`, `- mean`, `/ std`: as one 3x3 matrix a picture where any is grey, else as a scale and a shift. */
const normalise = (
  pixels: Tensor3D,
  draws: readonly AugmentationDraw[],
  scale: number,
  { mean, std }: ImageTarget,
): Tensor3D => {
  const [batch, area] = pixels.shape;
  const divisors = std.map((value) => value * scale);
  const rows = (values: readonly number[]): Tensor2D =>
    tf.tensor2d(
      Float32Array.from({ length: area * 3 }, (_, i) => values[i % 3] as number),
      [1, area * 3],
    );
  const scaled = draws.some(({ grey }) => grey)
    ? pixels
        .matMul<Tensor3D>(blendMatrices(draws, ({ grey }) => (grey ? 0 : 1), divisors))
        .reshape<Tensor2D>([batch, area * 3])
    : pixels.reshape<Tensor2D>([batch, area * 3]).mul<Tensor2D>(rows(divisors.map((value) => 1 / value)));
  return scaled.sub(rows(mean.map((value, c) => value / (std[c] as number)))).reshape([batch, area, 3]);
};
