import type { PixelCache } from '../../images/pixel-cache.js';
import type { Trunk } from '../../network/trunk.js';
import { withFreshStatistics } from '../../network/with-fresh-statistics.js';
import type { Tensor4D } from '../../runtime/tensors.js';
import { pooledReading, readFeatures, readingName } from '../features/read-features.js';
import { leaveOneOutKnn } from './leave-one-out.js';
import type { KnnOptions } from './weighted-knn.js';

/** A small labelled set that a training is watched by. */
export type WatchedPictures = {
  readonly pictures: PixelCache;
  /** Class of each picture, from 0. */
  readonly labels: Int32Array;
  readonly classes: number;
};

/** How it is read: as the k-NN probe of transfer would. */
export type KnnWatchOptions = Required<KnnOptions> & {
  readonly layer: string;
  /** Cells along a side that a map is averaged to. */
  readonly pooled: number;
  /** Batches that batch-norm statistics are taken over at each reading, always the same; each is disposed. */
  readonly statistics: () => Iterable<Tensor4D>;
};

/**
 * Measures a network while it is trained: leave-one-out k-NN ({@link leaveOneOutKnn}) in percent, over features read with batch-norm
 * statistics of their own ({@link withFreshStatistics}). Leaves the network as it was, bit by bit, and draws nothing by chance, so that a
 * training comes to the same weights with and without it. Where there are fewer pictures than voters, all others vote.
 *
 * The labels are looked at, never learned from; a row whose weights were picked by them would no longer be self-supervised.
 */
export const knnWatch =
  (
    { pictures, labels, classes }: WatchedPictures,
    { layer, pooled, statistics, k, sigma }: KnnWatchOptions,
  ): ((trunk: Trunk) => number) =>
  (trunk) => {
    const reading = pooledReading(trunk, layer, pooled);
    const features = withFreshStatistics(trunk, statistics(), () =>
      readFeatures(trunk, pictures, [reading]).get(readingName(reading))!,
    );
    return leaveOneOutKnn(features, labels, classes, { k: Math.min(k, pictures.count - 1), sigma });
  };
