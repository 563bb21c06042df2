import type { LoadedDetection } from '../../images/detection-dataset.js';
import type { Proposals } from './proposals.js';

/** Checks that there is one list of whole boxes a picture. */
export function checkProposals(data: Pick<LoadedDetection, 'train' | 'test'>, proposals: Proposals): void {
  for (const part of ['train', 'test'] as const) {
    if (proposals[part].length !== data[part].length)
      throw new RangeError(
        `Expected proposals of ${data[part].length} ${part} pictures, got those of ${proposals[part].length}`,
      );
    const broken = proposals[part].findIndex(({ length }) => length % 4 !== 0);
    if (broken >= 0)
      throw new RangeError(
        `Expected proposals of ${part} picture ${broken} to be [n, 4], got ${proposals[part][broken]!.length} values`,
      );
  }
}
