import type { ViewSpec } from '../../src/images/augmentation.js';
import type { RandomStream } from '../../src/numeric/random.js';
import type { PretrainParams } from '../benchmark/params.js';

/** The end of a track that a view shows: its own, or with the chance `swapEnd` the other. Draws nothing where the chance is 0. */
export const drawnEnd = (
  own: ViewSpec['end'],
  { swapEnd }: PretrainParams['views'],
  random: RandomStream,
): ViewSpec['end'] => {
  if (swapEnd === 0 || !random.chance(swapEnd)) return own;
  return own === 'a' ? 'b' : 'a';
};
