import { createRaster, pasteRaster } from '../../drawing/primitives.js';
import { resizeRaster } from '../../drawing/resize.js';
import type { Trunk } from '../../network/trunk.js';
import type { Raster } from '../../numeric/raster.js';

/** How filters are laid out. */
export type FilterOptions = {
  /** Filters in a row. @default 12 */
  readonly columns?: number;
  /** Screen pixels a weight, repeated and not smoothed. @default 4 */
  readonly scale?: number;
};

const gap = 3;

/** Largest magnitude and energy (sum of squares) of each of `filters` filters; `weights` is `[height, width, in, filters]`. */
const measure = (weights: Float32Array, filters: number): { peak: Float64Array; energy: Float64Array } => {
  const peak = new Float64Array(filters);
  const energy = new Float64Array(filters);
  for (let i = 0; i < weights.length; i++) {
    const filter = i % filters;
    const value = weights[i]!;
    peak[filter] = Math.max(peak[filter]!, Math.abs(value));
    energy[filter]! += value * value;
  }
  return { peak, energy };
};

/**
 * The kernels of a first convolution as a contact sheet, in RGB: each filter scaled by its own largest magnitude, with zero as
 * middle grey (`127.5 + 127.5 w / max|w|`), and sorted by energy (`sum w^2`), largest first, so that filters that never learned
 * stand together at the end. One input channel is shown grey.
 *
 * @param weights `[height, width, in, filters]`, as tensors lie in memory; `in` is 1 or 3
 * @param shape those four numbers
 * @param reversed whether the channels are blue, green, red
 * @throws RangeError where the shape is another, or a weight is not finite
 */
export const drawFilters = (
  weights: Float32Array,
  shape: readonly number[],
  { columns = 12, scale = 4, reversed = false }: FilterOptions & { readonly reversed?: boolean } = {},
): Raster => {
  const [height = 0, width = 0, channels = 0, filters = 0] = shape;
  const expected = height * width * channels * filters;
  if (shape.length !== 4 || (channels !== 1 && channels !== 3) || expected < 1 || weights.length !== expected) {
    throw new RangeError(
      `Expected \`weights\` of shape [height, width, 1 or 3, filters], got [${shape.join(', ')}] and ${weights.length} numbers`,
    );
  }
  if (!weights.every(Number.isFinite)) throw new RangeError('Expected finite weights, got one that is not');
  const { peak, energy } = measure(weights, filters);
  const order = Array.from({ length: filters }, (_, k) => k).sort((a, b) => energy[b]! - energy[a]! || a - b);
  const across = Math.min(columns, filters);
  const [cellWidth, cellHeight] = [width * scale + gap, height * scale + gap];
  const sheet = createRaster(gap + across * cellWidth, gap + Math.ceil(filters / across) * cellHeight);
  for (const [place, filter] of order.entries()) {
    const data = new Uint8Array(height * width * 3);
    for (let i = 0; i < height * width; i++) {
      for (let k = 0; k < 3; k++) {
        const channel = channels === 1 ? 0 : reversed ? 2 - k : k;
        const weight = weights[(i * channels + channel) * filters + filter]!;
        data[i * 3 + k] = Math.round(127.5 + (127.5 * weight) / (peak[filter]! || 1));
      }
    }
    const picture = resizeRaster({ width, height, channels: 3, data }, width * scale, height * scale, 'nearest');
    pasteRaster(sheet, picture, gap + (place % across) * cellWidth, gap + Math.floor(place / across) * cellHeight);
  }
  return sheet;
};

/**
 * The first layer of a network, as {@link drawFilters} shows it. CaffeNet reads blue, green, red; here all are shown as red,
 * green, blue. Throws where the network does not begin with a convolution on 1 or 3 channels.
 */
export const firstLayerFilters = (trunk: Trunk, options: FilterOptions = {}): Raster => {
  const first = [...trunk.variables.values()].find(({ shape }) => shape.length === 4);
  if (!first) throw new RangeError(`Expected \`${trunk.architecture}\` to begin with a convolution, got none`);
  const reversed = trunk.architecture === 'caffenet';
  return drawFilters(first.dataSync() as Float32Array, first.shape, { ...options, reversed });
};
