import { averageCells } from '../network/average-cells.js';
import type { ForwardMode, Trunk } from '../network/trunk.js';
import { tf, type Tensor2D, type Tensor4D } from '../runtime/tensors.js';
import { representationLayer } from './encoder.js';

/** The last map before pooling, `[batch, height, width, channels]`, of pictures of any size. */
export const lastMap = (trunk: Trunk, images: Tensor4D, mode: ForwardMode): Tensor4D =>
  trunk.features(images, [representationLayer], mode)[representationLayer] as Tensor4D;

/**
 * A map as rows `[batch, cells cells channels]`: averaged over `cells x cells` parts, so that a head still sees where things are. With
 * 1 cell it is the representation that other methods read.
 */
export const pooledRows = (map: Tensor4D, cells: number): Tensor2D =>
  tf.tidy(() => tf.reshape(averageCells(map, cells, cells), [map.shape[0], -1]) as Tensor2D);

/** Mean over cells as unit rows `[batch, channels]`: what the training loop measures spread by. */
export const unitMean = (map: Tensor4D): Tensor2D =>
  tf.tidy(() => {
    const rows = tf.mean(map, [1, 2]) as Tensor2D;
    return tf.div(rows, tf.add(tf.norm(rows, 2, 1, true), 1e-12)) as Tensor2D;
  });
