import { renderPlain } from '../images/render-views.js';
import { reestimateBatchNorm } from '../network/batch-norm-statistics.js';
import type { Trunk } from '../network/trunk.js';
import { decodePictures, inBatches } from './decode-pictures.js';
import type { Picture } from './picture.js';

/** Pictures that are enough for statistics; a run takes as many. */
export const statisticsPictures = 1024;
const batch = 128;

/**
 * Gives a network's batch norm the statistics of pictures, as every network of a run gets them, its row `random` too: the mean over batches of
 * 128, of the first {@link statisticsPictures}. One picture left over makes no batch.
 *
 * @throws UsageError naming a picture that cannot be read or decoded; RangeError for fewer than two
 */
export const takeStatistics = async (
  trunk: Trunk,
  pictures: Iterable<Picture> | AsyncIterable<Picture>,
): Promise<void> => {
  const groups = [];
  let count = 0;
  for await (const group of inBatches(pictures, batch)) {
    if (group.length > 1) groups.push(await decodePictures(group, trunk.inputSize, count));
    count += group.length;
    if (count >= statisticsPictures) break;
  }
  if (groups.length === 0) throw new RangeError(`Expected at least 2 pictures to take statistics of, got ${count}`);
  reestimateBatchNorm(
    trunk,
    (function* () {
      for (const group of groups)
        yield renderPlain(
          group,
          Int32Array.from({ length: group.count }, (_, i) => i),
          trunk,
        );
    })(),
  );
};
