import type { Trunk } from '../../network/trunk.js';
import type { Raster } from '../../numeric/raster.js';
import { tf, type Tensor4D } from '../../runtime/tensors.js';

/** What is done to a picture on its way into a network. */
export type PictureOptions = {
  /** Its long side is scaled to this, up or down (bilinear); absent: as it is. */
  readonly longSidePx?: number;
  /** Mirrored left to right. */
  readonly flip?: boolean;
};

/** Network px per raster px of a picture scaled to a long side. */
export const pictureScale = ({ width, height }: Raster, longSidePx?: number): number =>
  longSidePx === undefined ? 1 : longSidePx / Math.max(width, height);

/**
 * A picture as a network's input, `[1, height, width, 3]`, normalised as the network wants it, so that 0 is its mean colour. A side
 * shorter than the network's own input is filled up with that at the right or below: maps would be empty otherwise. The caller
 * disposes.
 */
export function pictureTensor(
  raster: Raster,
  trunk: Trunk,
  { longSidePx, flip = false }: PictureOptions = {},
): Tensor4D {
  const { width, height, channels, data } = raster;
  const scale = pictureScale(raster, longSidePx);
  const [rows, columns] = [height, width].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  const { inputSize, mean, std } = trunk;
  return tf.tidy(() => {
    const pixels = tf.tensor4d(Float32Array.from(data), [1, height, width, channels]);
    const sized =
      rows === height && columns === width ? pixels : tf.image.resizeBilinear(pixels, [rows, columns], false, true);
    const coloured = channels === 3 ? sized : tf.tile(sized, [1, 1, 1, 3]);
    const scaled = tf.mul(
      coloured,
      std.map((value) => 1 / (255 * value)),
    );
    const normalised = tf.add<Tensor4D>(
      scaled,
      mean.map((value, i) => -value / std[i]!),
    );
    const turned = flip ? tf.reverse(normalised, 2) : normalised;
    return tf.pad(turned, [
      [0, 0],
      [0, Math.max(0, inputSize - rows)],
      [0, Math.max(0, inputSize - columns)],
      [0, 0],
    ]);
  });
}

/** Boxes of a mirrored picture of the given width: `x0' = width - x1`, `x1' = width - x0`. `[n, 4]`, copied. */
export function flipBoxes(boxes: Float32Array, width: number): Float32Array {
  const flipped = boxes.slice();
  for (let at = 0; at < boxes.length; at += 4) {
    flipped[at] = width - boxes[at + 2]!;
    flipped[at + 2] = width - boxes[at]!;
  }
  return flipped;
}
