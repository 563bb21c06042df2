import { tf } from '../runtime/tensors.js';
import type { Tensor4D } from '../runtime/tensors.js';
import { identityDraw, type AugmentationDraw } from './augmentation.js';
import type { PixelCache } from './pixel-cache.js';
import { renderAlone, renderJob, type ImageTarget } from './render-job.js';

export type { ImageTarget } from './render-job.js';

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
  target: ImageTarget,
  size: number = target.inputSize,
): Tensor4D => {
  const job = renderJob(cache, pictures, draws, target, { size });
  return tf.tensor4d(renderAlone(job, cache), [draws.length, size, size, 3]);
};

/** Pictures of a cache as at test time: the whole picture, resized and normalised; `[batch, inputSize, inputSize, 3]`. The caller disposes. */
export const renderPlain = (cache: PixelCache, pictures: ArrayLike<number>, target: ImageTarget): Tensor4D =>
  renderViews(
    cache,
    pictures,
    Array.from({ length: pictures.length }, () => identityDraw),
    target,
  );
