import type { RandomStream } from '../numeric/random.js';
import { drawAugmentation, type AugmentationPolicy, type ViewSpec } from './augmentation.js';

/** So many crops of one kind. */
export type CropGroup = {
  readonly count: number;
  readonly policy: AugmentationPolicy;
  /** Side of the rendered crops, px. @default the trunk's `inputSize` */
  readonly size?: number;
};

/**
 * Multi-crop (Caron et al. 2020, section 3.2): some large views and more small ones that see a part of the picture, at a fraction of
 * the cost. Groups come in the given order, every crop drawn by itself; end `a` unless another is named.
 */
export const drawMultiCrop = (
  groups: readonly CropGroup[],
  random: RandomStream,
  end: ViewSpec['end'] = 'a',
): ViewSpec[] =>
  groups.flatMap(({ count, policy, size }) =>
    Array.from({ length: count }, () => ({
      end,
      augmentation: drawAugmentation(policy, random),
      ...(size === undefined ? {} : { size }),
    })),
  );
