import type { Box } from '../numeric/box.js';
import { likeness, type PatchLook } from './patch-look.js';

/** How the two ends of a track differ. */
export type PairChange = {
  /** Distance between the centres, pixels of the frame. */
  readonly travelPx: number;
  /** Side of the last box over that of the first. */
  readonly scaleChange: number;
  /** 1 - correlation of the two patches, 0 to 2. */
  readonly appearanceChange: number;
};

/** What counts as a change; any one of the three is enough. */
export type ChangeOptions = {
  /** Travel over the side of the first box. */
  readonly minTravelShare: number;
  /** Ratio of the sides, the larger over the smaller. */
  readonly minScaleChange: number;
  readonly minAppearanceChange: number;
};

/** Measures what changed between the first and the last box of a track. */
export const pairChange = (first: Box, last: Box, lookA: PatchLook, lookB: PatchLook): PairChange => ({
  travelPx: Math.hypot(
    last.x + last.width / 2 - first.x - first.width / 2,
    last.y + last.height / 2 - first.y - first.height / 2,
  ),
  scaleChange: Math.sqrt((last.width * last.height) / (first.width * first.height)),
  appearanceChange: 1 - likeness(lookA, lookB),
});

/**
 * How much a pair changes, 1 where the largest of the three changes is just enough: two ends that are nearly the same picture
 * in the same place teach no more than one picture, augmented.
 */
export const changeScore = (
  { travelPx, scaleChange, appearanceChange }: PairChange,
  side: number,
  options: ChangeOptions,
): number =>
  Math.max(
    ratio(travelPx / side, options.minTravelShare),
    ratio(Math.abs(Math.log(scaleChange)), Math.log(options.minScaleChange)),
    ratio(appearanceChange, options.minAppearanceChange),
  );

/** With nothing asked for, everything is enough. */
const ratio = (value: number, enough: number): number => (enough > 0 ? value / enough : Infinity);
