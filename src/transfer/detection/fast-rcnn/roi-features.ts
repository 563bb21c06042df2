import type { Layer, Trunk } from '../../../network/trunk.js';
import { roiAlign } from '../../../runtime/ops/roi-align.js';
import { roiMaxPool } from '../../../runtime/ops/roi-max-pool.js';
import { tf, type Tensor2D, type Tensor4D } from '../../../runtime/tensors.js';

/** How regions are read: RoIAlign (He et al. 2017), or RoI pooling of the largest values (Girshick 2015). */
export type RoiPooling = 'align' | 'max';

/** A layer with a map. */
export type SpatialLayer = Layer & Required<Pick<Layer, 'height' | 'width' | 'stride' | 'offset'>>;

/** The named layer, which must have a map. */
export function spatialLayer(trunk: Trunk, name: string): SpatialLayer {
  const spatial = trunk.layers.filter((layer): layer is SpatialLayer => layer.stride !== undefined);
  const found = spatial.find((layer) => layer.name === name);
  if (found) return found;
  throw new RangeError(
    `Expected \`layer\` to be a layer with a map (${spatial.map((layer) => layer.name).join(', ')}), got \`${name}\``,
  );
}

/**
 * Features of regions, `[regions, bins * bins * channels]`, off the map of one picture (`[1, height, width, channels]`).
 * A pixel x of the network's input lies at `(x - offset) / stride + 1/2` cells, so that no region is shifted by the trunk's padding.
 *
 * @param boxes `[regions, 4]`, corners x0 y0 x1 y1 in px of the raster
 * @param scale network px per raster px
 */
export function roiFeatures(
  map: Tensor4D,
  boxes: Float32Array,
  scale: number,
  { stride, offset }: SpatialLayer,
  pooling: RoiPooling,
  bins: number,
): Tensor2D {
  const [, height, width, channels] = map.shape;
  return tf.tidy(() => {
    const inCells = boxes.map((at, i) => {
      const cell = (at * scale - offset) / stride + 0.5;
      return Math.min(Math.max(cell, 0), i % 2 === 0 ? width : height);
    });
    const pooled =
      pooling === 'align'
        ? roiAlign(map, inCells, { bins })
        : // Whole cells, first and last: those whose middles are nearest to the corner pixels' own.
          roiMaxPool(
            map,
            boxes.map((at, i) => ((i % 4 < 2 ? at + 0.5 : at - 0.5) * scale - offset) / stride),
            { bins },
          );
    return pooled.reshape([-1, bins * bins * channels]);
  });
}
