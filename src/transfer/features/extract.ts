import { selectPictures, type PixelCache } from '../../images/pixel-cache.js';
import { checkFinite, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import type { Trunk } from '../../network/trunk.js';
import { takeValues } from '../../runtime/take-values.js';
import { tf } from '../../runtime/tensors.js';
import { averageCells } from '../../network/average-cells.js';
import { readFeatures, type ReadOptions } from './read-features.js';

/**
 * Features of all pictures at the named spatial layers on one common grid, side by side: `[count * rows * columns, channels]`,
 * cells row by row. Maps finer than the grid are averaged, coarser ones are enlarged bilinearly.
 */
export const extractCellFeatures = (
  trunk: Trunk,
  pictures: PixelCache,
  layers: readonly string[],
  rows: number,
  columns: number,
  { onProgress, ...options }: ReadOptions = {},
): FeatureMatrix => {
  const shapes = layers.map((name) => {
    const layer = trunk.layers.find((candidate) => candidate.name === name);
    if (layer && (layer.height === undefined || layer.width === undefined)) {
      throw new RangeError(`Expected a spatial layer, got \`${name}\`, which has no height and width`);
    }
    return { height: layer?.height ?? 0, width: layer?.width ?? 0, channels: layer?.channels ?? 0 };
  });
  const dim = shapes.reduce((sum, { channels }) => sum + channels, 0);
  const cells = rows * columns;
  const data = new Float32Array(pictures.count * cells * dim);
  const batch = options.batch ?? 64;
  for (let start = 0; start < pictures.count; start += batch) {
    const count = Math.min(batch, pictures.count - start);
    const part = selectPictures(
      pictures,
      Int32Array.from({ length: count }, (_, i) => start + i),
    );
    const maps = readFeatures(
      trunk,
      part,
      layers.map((layer) => ({ layer })),
      options,
    );
    let offset = 0;
    layers.forEach((layer, l) => {
      checkFinite(`features of ${layer}`, maps.get(layer)!, start);
      const { height, width, channels } = shapes[l]!;
      const values = takeValues(() => {
        const whole = tf.tensor4d(maps.get(layer)!.data, [count, height, width, channels]);
        const fine = height >= rows && width >= columns;
        return fine ? averageCells(whole, rows, columns) : tf.image.resizeBilinear(whole, [rows, columns], false, true);
      });
      for (let cell = 0; cell < count * cells; cell++) {
        data.set(values.subarray(cell * channels, (cell + 1) * channels), (start * cells + cell) * dim + offset);
      }
      offset += channels;
    });
    onProgress?.(start + count);
  }
  return { rows: pictures.count * cells, dim, data };
};
