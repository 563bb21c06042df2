import { tf } from '../runtime/tensors.js';
import type { Tensor2D, Tensor3D } from '../runtime/tensors.js';
import type { AugmentationDraw } from './augmentation.js';

/** Share of red, green and blue in grey (ITU-R 601-2, as torchvision's `rgb_to_grayscale`). */
export const greyWeights = [0.2989, 0.587, 0.114] as const;

/** One number a picture, as a column `[batch, 1]` that spreads over its pixels. */
const column = (draws: readonly AugmentationDraw[], value: (draw: AugmentationDraw) => number): Tensor2D =>
  tf.tensor2d(Float32Array.from(draws, value), [draws.length, 1]);

/**
 * Multiplies by the brightness factor and clips to [0, 1], `clip(f x)`. `flat` is `[batch, pixels * 3]` in units of `scale`
 * (255 for bytes), which is divided out in the same multiplication.
 */
export const adjustBrightness = (flat: Tensor2D, draws: readonly AugmentationDraw[], scale: number): Tensor2D =>
  tf.tidy(() => tf.clipByValue(flat.mul<Tensor2D>(column(draws, ({ brightness }) => brightness / scale)), 0, 1));

/** Blends with the mean grey `m` of the picture, `clip(f x + (1 - f) m)`; `flat` is `[batch, pixels * 3]` in [0, 1]. */
export const adjustContrast = (flat: Tensor2D, draws: readonly AugmentationDraw[]): Tensor2D =>
  tf.tidy(() => {
    const [, length] = flat.shape;
    // The mean of grey as one matrix-vector product, which is far quicker than a reduction over an axis of stride 3.
    const weights = tf.tensor2d(
      Float32Array.from({ length }, (_, i) => ((greyWeights[i % 3] as number) * 3) / length),
      [length, 1],
    );
    const mean = flat.matMul(weights);
    const blended = flat
      .mul<Tensor2D>(column(draws, ({ contrast }) => contrast))
      .add<Tensor2D>(mean.mul(column(draws, ({ contrast }) => 1 - contrast)));
    return tf.clipByValue(blended, 0, 1);
  });

/**
 * Blends each pixel with its own grey, `clip(f x + (1 - f) grey(x))`, as one 3x3 matrix a picture,
 * `f I + (1 - f) w 1^T`. `pixels` is `[batch, pixels, 3]` in [0, 1].
 */
export const adjustSaturation = (pixels: Tensor3D, draws: readonly AugmentationDraw[]): Tensor3D =>
  tf.tidy(() => {
    const blended = tf.matMul<Tensor3D>(
      pixels,
      blendMatrices(draws, ({ saturation }) => saturation),
    );
    return tf.clipByValue(blended, 0, 1);
  });

/** `[batch, 3, 3]` matrices that keep the share `keep` of a pixel (a row) and take the rest from its grey; each column divided by `scale`. */
export const blendMatrices = (
  draws: readonly AugmentationDraw[],
  keep: (draw: AugmentationDraw) => number,
  scale: readonly number[] = [1, 1, 1],
): Tensor3D => {
  const values = new Float32Array(draws.length * 9);
  draws.forEach((draw, i) => {
    const share = keep(draw);
    for (let from = 0; from < 3; from++) {
      for (let to = 0; to < 3; to++) {
        const value = (from === to ? share : 0) + (1 - share) * (greyWeights[from] as number);
        values[i * 9 + from * 3 + to] = value / (scale[to] as number);
      }
    }
  });
  return tf.tensor3d(values, [draws.length, 3, 3]);
};

/**
 * Turns the hue by `draw.hue` turns, through HSV as torchvision's `adjust_hue`. `pixels` is `[batch, pixels, 3]` in [0, 1].
 *
 * With `V = max`, `m = min`, `C = V - m` and the hue `h` in sixths of a turn, the hexcone is piecewise linear in `h`:
 * `R = m + C clip(|h - 3| - 1)`, `G = m + C clip(2 - |h - 2|)`, `B = m + C clip(2 - |h - 4|)`, clipped to [0, 1].
 */
export const adjustHue = (pixels: Tensor3D, draws: readonly AugmentationDraw[]): Tensor3D =>
  tf.tidy(() => {
    const [red, green, blue] = tf.unstack(pixels, 2) as Tensor2D[] as [Tensor2D, Tensor2D, Tensor2D];
    const value = red.maximum(green).maximum(blue);
    const least = red.minimum(green).minimum(blue);
    const chroma = value.sub<Tensor2D>(least);
    const inverse = chroma.maximum(1e-12).reciprocal();
    const turned = column(draws, ({ hue }) => hue * 6);
    const hue = tf
      .where(
        red.equal(value),
        green.sub(blue).mul(inverse),
        tf.where(green.equal(value), blue.sub(red).mul(inverse).add(2), red.sub(green).mul(inverse).add(4)),
      )
      .add(turned)
      .mod(6);
    const channel = (part: typeof hue): Tensor2D => tf.clipByValue(part, 0, 1).mul<Tensor2D>(chroma).add(least);
    return tf.stack(
      [channel(hue.sub(3).abs().sub(1)), channel(tf.sub(2, hue.sub(2).abs())), channel(tf.sub(2, hue.sub(4).abs()))],
      2,
    ) as Tensor3D;
  });
