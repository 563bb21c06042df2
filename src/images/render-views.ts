import { tf } from '../runtime/tensors.js';
import type { Tensor4D } from '../runtime/tensors.js';
import { identityDraw, type AugmentationDraw } from './augmentation.js';
import type { PixelCache } from './pixel-cache.js';
import { PictureRenderer } from './render-picture.js';

/** What a network wants to see: side of its input in px, and the normalisation `(pixel / 255 - mean) / std` per channel. A `Trunk` is one. */
export type ImageTarget = {
  readonly inputSize: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
};

/**
 * Renders pictures of a cache as a network's input, `[batch, size, size, 3]` float32: crop and resize (bilinear, at
 * pixel centres), mirror, colours in their drawn order, grey, blur, solarize, normalise. One tensor is made, at the end; no result
 * depends on the backend. The caller disposes.
 *
 * @param pictures picture numbers in the cache, `[batch]`
 * @param draws one augmentation a picture
 * @param size side of the views, px; the network's input unless given
 */
export const renderViews = (
  cache: PixelCache,
  pictures: ArrayLike<number>,
  draws: readonly AugmentationDraw[],
  { inputSize, mean, std }: ImageTarget,
  size: number = inputSize,
): Tensor4D => {
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`Expected \`size\` to be a whole number of px above 0, got \`${size}\` (${typeof size})`);
  }
  const batch = draws.length;
  if (pictures.length !== batch || batch === 0) {
    throw new RangeError(`Expected one draw a picture, and some, got ${batch} draws for ${pictures.length} pictures`);
  }
  const bytes = cache.size * cache.size * 3;
  const values = size * size * 3;
  const rendered = new Float32Array(batch * values);
  const renderer = new PictureRenderer(size, mean, std);
  for (let i = 0; i < batch; i++) {
    const picture = pictures[i] as number;
    if (!(Number.isInteger(picture) && picture >= 0 && picture < cache.count)) {
      throw new RangeError(`Expected a picture number from 0 to ${cache.count - 1}, got \`${picture}\``);
    }
    const source = cache.pixels.subarray(picture * bytes, (picture + 1) * bytes);
    renderer.render(source, cache.size, draws[i] as AugmentationDraw, rendered, i * values);
  }
  return tf.tensor4d(rendered, [batch, size, size, 3]);
};

/** Pictures of a cache as at test time: the whole picture, resized and normalised; `[batch, inputSize, inputSize, 3]`. The caller disposes. */
export const renderPlain = (cache: PixelCache, pictures: ArrayLike<number>, target: ImageTarget): Tensor4D =>
  renderViews(
    cache,
    pictures,
    Array.from({ length: pictures.length }, () => identityDraw),
    target,
  );
