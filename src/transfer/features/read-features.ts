import type { PixelCache } from '../../images/pixel-cache.js';
import { renderPlain } from '../../images/render-views.js';
import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import type { Layer, Trunk } from '../../network/trunk.js';
import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import { averageCells } from '../../network/average-cells.js';

/** Features that a protocol wants: those of a layer, its maps averaged to `pool x pool` cells. */
export type Reading = {
  readonly layer: string;
  /** Cells along a side; absent for a layer without height and width, or for maps as they are. */
  readonly pool?: number;
};

/** How features are read. */
export type ReadOptions = {
  /** Pictures a forward pass. @default 64 */
  readonly batch?: number;
  /** Ends the reading between two passes by throwing its reason. */
  readonly signal?: AbortSignal;
  /** Called after each pass with the number of pictures that are done. */
  readonly onProgress?: (done: number) => void;
};

/** `conv5@6` for a reading of 6 x 6 cells, `fc` for one without: its key in {@link readFeatures}, and a name for tables. */
export const readingName = ({ layer, pool }: Reading): string => (pool === undefined ? layer : `${layer}@${pool}`);

/** A layer as it is, or averaged to at most `pool x pool` cells where it has height and width. */
export const pooledReading = (trunk: Trunk, layer: string, pool: number): Reading => {
  const { height, width } = layerOf(trunk, layer);
  return height === undefined || width === undefined ? { layer } : { layer, pool: Math.min(pool, height, width) };
};

/**
 * The reading of the multi-layer probes (Goyal et al. 2019): maps averaged so that about `dims` values are left,
 * `pool = round(sqrt(dims / channels))`, or as they are where they are smaller. With 9216 it gives the sides of the released
 * ResNet-50 configuration: 12, 6, 4, 3 and 2 cells for 64, 256, 512, 1024 and 2048 channels.
 */
export const probeReading = (trunk: Trunk, layer: string, dims = 9216): Reading =>
  pooledReading(trunk, layer, Math.max(1, Math.round(Math.sqrt(dims / layerOf(trunk, layer).channels))));

/**
 * Features of all pictures of a cache, frozen (`eval`), for every protocol at once: one forward pass a picture, whatever is
 * asked for. Reading the union of what all protocols of a run want is how none is computed twice; equal readings count once.
 * Rows are pictures; maps are laid out row, column, channel. Memory: `count * dim * 4` bytes a reading (38 MB for 1040 pictures
 * of 9216 values).
 *
 * @returns features `[count, dim]` by {@link readingName}
 */
export const readFeatures = (
  trunk: Trunk,
  pictures: PixelCache,
  readings: readonly Reading[],
  { batch = 64, signal, onProgress }: ReadOptions = {},
): ReadonlyMap<string, FeatureMatrix> => {
  const wanted = new Map(readings.map((reading) => [readingName(reading), reading]));
  for (const reading of wanted.values()) checkReading(trunk, reading);
  if (!Number.isInteger(batch) || batch < 1) {
    throw new RangeError(`Expected \`batch\` to be an integer from 1, got \`${batch}\` (${typeof batch})`);
  }
  if (pictures.count === 0) throw new RangeError('Expected pictures to read features of, got none');
  const layers = [...new Set(readings.map(({ layer }) => layer))];
  const found = new Map<string, FeatureMatrix>();
  if (layers.length === 0) return found;
  for (let start = 0; start < pictures.count; start += batch) {
    signal?.throwIfAborted();
    const count = Math.min(batch, pictures.count - start);
    const pass = tf.tidy(() => {
      const images = renderPlain(
        pictures,
        Int32Array.from({ length: count }, (_, i) => start + i),
        trunk,
      );
      const features = trunk.features(images, layers, 'eval');
      return [...wanted].map(([name, reading]) => [name, rowsOf(features[reading.layer]!, reading)] as const);
    });
    for (const [name, rows] of pass) {
      let matrix = found.get(name);
      if (matrix === undefined) {
        const dim = rows.shape[1];
        matrix = { rows: pictures.count, dim, data: new Float32Array(pictures.count * dim) };
        found.set(name, matrix);
      }
      matrix.data.set(rows.dataSync<'float32'>(), start * matrix.dim);
      rows.dispose();
    }
    onProgress?.(start + count);
  }
  return found;
};

const rowsOf = (features: Tensor, { pool }: Reading): Tensor2D => {
  const pooled = pool === undefined ? features : averageCells(features as Tensor4D, pool, pool);
  return pooled.reshape<Tensor2D>([features.shape[0]!, -1]).clone();
};

const layerOf = (trunk: Trunk, name: string): Layer => {
  const layer = trunk.layers.find((candidate) => candidate.name === name);
  if (layer) return layer;
  const known = trunk.layers.map((candidate) => candidate.name);
  throw new RangeError(`Expected a layer of ${known.join(', ')}, got \`${name}\``);
};

const checkReading = (trunk: Trunk, reading: Reading): void => {
  const { height, width } = layerOf(trunk, reading.layer);
  const { pool } = reading;
  if (pool === undefined) return;
  if (height === undefined || width === undefined) {
    throw new RangeError(
      `Expected no \`pool\` for \`${reading.layer}\`, which has no height and width, got \`${pool}\``,
    );
  }
  if (!Number.isInteger(pool) || pool < 1 || pool > Math.min(height, width)) {
    throw new RangeError(
      `Expected \`pool\` of \`${reading.layer}\` to be an integer from 1 to ${Math.min(height, width)}, got \`${pool}\``,
    );
  }
};
