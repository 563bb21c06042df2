import type { Trunk } from '../../network/trunk.js';
import { tf, type Tensor2D, type Tensor4D } from '../../runtime/tensors.js';
import { represent } from '../encoder.js';
import { inverseOrder, permuteRows } from './permute-rows.js';

/** Over which patches a trunk's batch norm takes its statistics: those of different pictures only, or all that are there. */
export type PatchStatistics = 'apart' | 'shared';

/** For each row of `count` parts over `batch` pictures, which patch it is: part `j` takes patch `(j + i) mod count` of picture `i`. */
const partOrder = (batch: number, count: number): Int32Array =>
  Int32Array.from({ length: batch * count }, (_, row) => {
    const [part, picture] = [Math.floor(row / batch), row % batch];
    return picture * count + ((part + picture) % count);
  });

/**
 * Representations `[batch count, channels]` of the `count` patches of each picture, in their order, in training mode.
 *
 * A trunk with batch norm would tell every patch something of the others of its picture, by the mean and variance they share: enough to
 * solve the task without learning it (Hénaff 2020 therefore has layer norm throughout). With `apart` batch norm takes its statistics over
 * `count` parts, each with one patch of every picture, from places that differ, as if each part had gone through the trunk alone: no
 * statistic ever holds two patches of one picture. `shared` is one pass over all, quicker and with the leak. For a trunk without batch norm the two are the same.
 *
 * @param patches `[batch count, side, side, 3]`, picture by picture
 */
export function encodePatches(trunk: Trunk, patches: Tensor4D, count: number, statistics: PatchStatistics): Tensor2D {
  if (statistics === 'shared') return represent(trunk, patches, 'train');
  const batch = patches.shape[0] / count;
  const order = partOrder(batch, count);
  return tf.tidy(() => {
    const rows = represent(trunk, permuteRows(patches, order), { trainApart: count });
    return permuteRows(rows, inverseOrder(order));
  });
}
