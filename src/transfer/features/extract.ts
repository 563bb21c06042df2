import { tf } from '../../runtime/tensors.js';
import type { Tensor, Tensor2D, Tensor4D } from '../../runtime/tensors.js';
import type { PixelCache } from '../../images/pixel-cache.js';
import { renderPlain } from '../../images/render-views.js';
import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import type { Trunk } from '../../network/trunk.js';

/** How features are read. */
export type ExtractOptions = {
  /**
   * Spatial layers are averaged to `pool x pool` cells (conv5 of 128 channels at 2: 512 values).
   * @default 2
   */
  readonly pool?: number;
  /**
   * Pictures a forward pass.
   * @default 64
   */
  readonly batch?: number;
  /** Called after each pass with the number of pictures that are done. */
  readonly onProgress?: (done: number) => void;
};

/**
 * Mean of each cell when `[batch, height, width, channels]` is cut into `rows x columns` cells, cell i of n reaching from
 * `floor(i size / n)` to `ceil((i + 1) size / n)` (PyTorch's adaptive average pooling: neighbours overlap where the size does
 * not divide). `[batch, rows, columns, channels]`; the caller disposes.
 */
export const averageCells = (maps: Tensor4D, rows: number, columns: number): Tensor4D => {
  const [batch, height, width, channels] = maps.shape;
  if (rows > height || columns > width || rows < 1 || columns < 1) {
    throw new RangeError(`Expected at most ${height} x ${width} cells of a map of that size, got ${rows} x ${columns}`);
  }
  if (rows === height && columns === width) return maps.clone();
  return tf.tidy(() => {
    // Two products with averaging matrices, one an axis: exact for any size, and quick.
    const byColumn = averaging(width, columns);
    const byRow = averaging(height, rows);
    const narrow = tf.matMul<Tensor>(
      byColumn.tile([batch * height, 1, 1]),
      maps.reshape([batch * height, width, channels]),
    );
    const low = tf.matMul<Tensor>(byRow.tile([batch, 1, 1]), narrow.reshape([batch, height, columns * channels]));
    return low.reshape([batch, rows, columns, channels]) as Tensor4D;
  });
};

const averaging = (size: number, cells: number): Tensor => {
  const values = new Float32Array(cells * size);
  for (let cell = 0; cell < cells; cell++) {
    const from = Math.floor((cell * size) / cells);
    const to = Math.ceil(((cell + 1) * size) / cells);
    values.fill(1 / (to - from), cell * size + from, cell * size + to);
  }
  return tf.tensor3d(values, [1, cells, size]);
};

/**
 * Features of all pictures of a cache at the named layers, frozen (`eval`), in one pass: `[count, dim]` each. `fc` and
 * `embedding` as they are; spatial layers averaged to `pool x pool` and laid out row, column, channel.
 */
export const extractFeatures = (
  trunk: Trunk,
  pictures: PixelCache,
  layers: readonly string[],
  { pool = 2, batch = 64, onProgress }: ExtractOptions = {},
): Record<string, FeatureMatrix> =>
  extract(trunk, pictures, layers, batch, onProgress, (features) =>
    features.rank === 4
      ? averageCells(features as Tensor4D, pool, pool).reshape<Tensor2D>([features.shape[0] as number, -1])
      : (features.clone() as Tensor2D),
  );

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
  { batch = 64, onProgress }: ExtractOptions = {},
): FeatureMatrix => {
  const parts = extract(trunk, pictures, layers, batch, onProgress, (features, layer) => {
    if (features.rank !== 4)
      throw new RangeError(`Expected a spatial layer, got \`${layer}\`, which has no height and width`);
    const maps = features as Tensor4D;
    const [count, height, width, channels] = maps.shape;
    const fine = height >= rows && width >= columns;
    const cells = fine
      ? averageCells(maps, rows, columns)
      : tf.image.resizeBilinear(maps, [rows, columns], false, true);
    return cells.reshape<Tensor2D>([count, rows * columns * channels]);
  });
  const cells = pictures.count * rows * columns;
  const dims = layers.map((layer) => (parts[layer] as FeatureMatrix).dim / (rows * columns));
  const dim = dims.reduce((sum, value) => sum + value, 0);
  const data = new Float32Array(cells * dim);
  let offset = 0;
  layers.forEach((layer, l) => {
    const part = (parts[layer] as FeatureMatrix).data;
    const width = dims[l] as number;
    for (let cell = 0; cell < cells; cell++)
      data.set(part.subarray(cell * width, (cell + 1) * width), cell * dim + offset);
    offset += width;
  });
  return { rows: cells, dim, data };
};

const extract = (
  trunk: Trunk,
  pictures: PixelCache,
  layers: readonly string[],
  batch: number,
  onProgress: ((done: number) => void) | undefined,
  shape: (features: Tensor, layer: string) => Tensor2D,
): Record<string, FeatureMatrix> => {
  const known = trunk.layers.map(({ name }) => name);
  for (const layer of layers) {
    if (!known.includes(layer)) throw new RangeError(`Expected a layer of ${known.join(', ')}, got \`${layer}\``);
  }
  if (pictures.count === 0) throw new RangeError('Expected pictures to read features of, got none');
  const result: Record<string, FeatureMatrix> = {};
  for (let start = 0; start < pictures.count; start += batch) {
    const count = Math.min(batch, pictures.count - start);
    const read = tf.tidy(() => {
      const images = renderPlain(
        pictures,
        Int32Array.from({ length: count }, (_, i) => start + i),
        trunk,
      );
      const features = trunk.features(images, layers, 'eval');
      return Object.fromEntries(layers.map((layer) => [layer, shape(features[layer] as Tensor, layer)]));
    });
    for (const layer of layers) {
      const rows = read[layer] as Tensor2D;
      const dim = rows.shape[1];
      const whole = (result[layer] ??= { rows: pictures.count, dim, data: new Float32Array(pictures.count * dim) });
      whole.data.set(rows.dataSync() as Float32Array, start * dim);
    }
    tf.dispose(read);
    onProgress?.(start + count);
  }
  return result;
};
