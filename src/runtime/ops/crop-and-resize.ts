import type { Box } from '../../numeric/box.js';
import { tf, type Tensor4D } from '../tensors.js';

/** One crop: which image of the batch, which part of it (pixels), and whether it is mirrored left to right. */
export type Crop = { readonly image: number; readonly box: Box; readonly flip?: boolean };

/**
 * Cuts boxes out of images and scales each to `size x size` by bilinear interpolation. Pixel centres match as in PyTorch
 * (`align_corners=False`): output pixel `i` reads at `box.y + (i + 0.5) box.height / size - 0.5`. Samples of a box inside the image
 * that would fall up to half a pixel outside are moved to its edge pixels; what a box has outside is `outside`. Scaling down does
 * not smooth: images much larger than `size` should be shrunk before. No gradient.
 *
 * @param images `[batch, height, width, channels]`, float32
 * @returns `[crops, size, size, channels]`
 */
export function cropAndResize(images: Tensor4D, crops: readonly Crop[], size: number, outside = 0): Tensor4D {
  const [, height, width] = images.shape;
  const corners = new Float32Array(crops.length * 4);
  crops.forEach(({ box, flip }, i) => {
    const [top, bottom] = sampleRange(box.y, box.height, height, size);
    const [left, right] = sampleRange(box.x, box.width, width, size);
    // Swapped corners walk the row backwards, which is the mirror image at no cost.
    corners.set(flip ? [top, right, bottom, left] : [top, left, bottom, right], i * 4);
  });
  return tf.tidy(() =>
    tf.image.cropAndResize(
      images,
      tf.tensor2d(corners, [crops.length, 4]),
      tf.tensor1d(
        Int32Array.from(crops, ({ image }) => image),
        'int32',
      ),
      [size, size],
      'bilinear',
      outside,
    ),
  );
}

/** Places of the first and the last sample along one axis, as shares of `[0, side - 1]`, in which TensorFlow gives boxes. */
function sampleRange(start: number, length: number, side: number, size: number): [number, number] {
  const half = (0.5 * length) / size;
  let [first, last] = [start + half - 0.5, start + length - half - 0.5];
  if (start >= 0 && start + length <= side) [first, last] = [Math.max(0, first), Math.min(side - 1, last)];
  const scale = Math.max(1, side - 1);
  return [first / scale, last / scale];
}
