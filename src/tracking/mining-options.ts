import type { VideoFrame } from '../video/frame.js';
import type { KcfOptions } from './kcf.js';

/**
 * How pairs are mined. Lengths in pixels are those of a frame of 448 x 600 (Wang & Gupta 2015, section 3) and are scaled to the
 * frames at hand by the square root of the areas' ratio.
 */
export type MiningOptions = {
  /** A time-step every so many frames; 4 gives about five times the pairs. @default 15 */
  readonly stepFrames?: number;
  /** Length of a track, frames. @default 30 */
  readonly trackFrames?: number;
  /** Windows that do not overlap, a time-step; the paper has one. @default 1 */
  readonly maxWindows?: number;
  /** Side of the window. @default 227 */
  readonly windowPx?: number;
  /** Fewest moving points in a window. @default 10 */
  readonly minMovingPoints?: number;
  /** Fewest points of a frame that could be followed. @default 20 */
  readonly minPoints?: number;
  /** Interest points looked for. @default 500 */
  readonly maxPoints?: number;
  /** A point moves when it is displaced by more than this beyond the camera's motion, a frame. @default 0.5 */
  readonly minMotionPx?: number;
  /** Below this share of moving points a frame is taken for noise, 0 to 1. @default 0.25 */
  readonly minMovingShare?: number;
  /** Above this share it is taken for camera motion, 0 to 1. @default 0.75 */
  readonly maxMovingShare?: number;
  /** Distance up to which a point agrees with the camera's homography. @default 1 */
  readonly homographyPx?: number;
  /** A point's flow followed back must end this near. @default 1 */
  readonly maxReturnPx?: number;
  /** A track whose response falls below is lost; 0 to 1 (0.3 keeps 79 % of the annotated tracks, with an overlap at the end of 0.82 for 0.78). @default 0.3 */
  readonly minPeak?: number;
  /**
   * Share of the moving points of the window that the box must still hold `followFrames` later: a box that stays on the
   * background while what moved goes on is no track of it. 0 = do not look, as the paper.
   * @default 0.5
   */
  readonly minFollowedShare?: number;
  /** Frames over which the moving points are followed. @default 10 */
  readonly followFrames?: number;
  /** Overlap of the first box with the end of the track run backwards, 0 to 1. @default 0.5 */
  readonly minForwardBackwardIou?: number;
  /** Share of the last box inside the frame, 0 to 1. @default 0.8 */
  readonly minShareInside?: number;
  /** Standard deviation of luma that both patches need (0-255): a blank patch teaches nothing. @default 6 */
  readonly minContrast?: number;
  /** Shortest side of the last box. @default 48 */
  readonly minSidePx?: number;
  /** Distance the box's centre has to travel from first to last frame; 0 takes all, as the paper does. @default 0 */
  readonly minTravelPx?: number;
  /** Side of the patches, pixels of the output. @default 227 */
  readonly patchPx?: number;
  /** Pairs of a video whose tracks are kept for a figure. @default 0 */
  readonly strips?: number;
  /** Frames of each such track. @default 5 */
  readonly stripFrames?: number;
  /** Seed of the choice of those pairs. @default 1 */
  readonly seed?: number;
  readonly kcf?: KcfOptions;
  /** Says whether a frame begins a new shot, in place of the shot detector. */
  readonly isCut?: (frame: VideoFrame) => boolean;
};

/** Options with every default filled in. */
export type FullMiningOptions = Required<Omit<MiningOptions, 'isCut'>> & Pick<MiningOptions, 'isCut'>;

/** The defaults: the paper's values where it gives them. */
export const miningDefaults = {
  stepFrames: 15,
  trackFrames: 30,
  maxWindows: 1,
  windowPx: 227,
  minMovingPoints: 10,
  minPoints: 20,
  maxPoints: 500,
  minMotionPx: 0.5,
  minMovingShare: 0.25,
  maxMovingShare: 0.75,
  homographyPx: 1,
  maxReturnPx: 1,
  minPeak: 0.3,
  minFollowedShare: 0.5,
  followFrames: 10,
  minForwardBackwardIou: 0.5,
  minShareInside: 0.8,
  minContrast: 6,
  minSidePx: 48,
  minTravelPx: 0,
  patchPx: 227,
  strips: 0,
  stripFrames: 5,
  seed: 1,
  kcf: {},
} satisfies FullMiningOptions;

const countsFromOne = [
  'stepFrames',
  'trackFrames',
  'maxWindows',
  'minMovingPoints',
  'minPoints',
  'maxPoints',
  'followFrames',
  'patchPx',
];
const counts = ['strips', 'seed'];
const shares = [
  'minMovingShare',
  'maxMovingShare',
  'minPeak',
  'minFollowedShare',
  'minForwardBackwardIou',
  'minShareInside',
];
const lengths = ['windowPx', 'homographyPx', 'maxReturnPx', 'minSidePx'];
const fromZero = ['minMotionPx', 'minContrast', 'minTravelPx'];

/** Fills in the defaults and checks every value. Throws a TypeError that names the option, what it takes and what it got. */
export const checkMiningOptions = (options: MiningOptions = {}): FullMiningOptions => {
  const full: FullMiningOptions = { ...miningDefaults, ...options };
  const rule = (names: readonly string[], text: string, holds: (value: number) => boolean): void => {
    for (const name of names) {
      const value: unknown = full[name as keyof FullMiningOptions];
      if (typeof value !== 'number' || !Number.isFinite(value) || !holds(value)) {
        throw new TypeError(`Expected \`${name}\` to be ${text}, got \`${String(value)}\` (${typeof value})`);
      }
    }
  };
  rule(countsFromOne, 'a whole number of at least 1', (value) => Number.isInteger(value) && value >= 1);
  rule(['stripFrames'], 'a whole number of at least 2', (value) => Number.isInteger(value) && value >= 2);
  rule(counts, 'a whole number of at least 0', (value) => Number.isInteger(value) && value >= 0);
  rule(shares, 'a number from 0 to 1', (value) => value >= 0 && value <= 1);
  rule(lengths, 'a number above 0', (value) => value > 0);
  rule(fromZero, 'a number of at least 0', (value) => value >= 0);
  if (full.minMovingShare >= full.maxMovingShare) {
    throw new TypeError(
      `Expected \`minMovingShare\` to be below \`maxMovingShare\` = ${full.maxMovingShare}, got \`${full.minMovingShare}\` (number)`,
    );
  }
  return full;
};
