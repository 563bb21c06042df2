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
  /**
   * What moves. `paper`: points displaced by more than `minMotionPx` from one frame to the next, where between `minMovingShare` and
   * `maxMovingShare` of all do. `local`: clusters of points that leave the camera's motion for `followFrames` frames and stand out
   * from what is around them, however few; see `findLocalMotion`.
   * @default local
   */
  readonly motion?: 'local' | 'paper';
  /** Displacement beyond the camera's over `followFrames` frames from which a point may move (`local`). @default 2 */
  readonly minResidualPx?: number;
  /** It must also exceed the noise of the camera's model so many times (`local`). @default 4 */
  readonly noiseFactor?: number;
  /** Fewest points of a cluster (`local`). @default 5 */
  readonly minClusterPoints?: number;
  /** Largest gap between points of a cluster (`local`). @default 40 */
  readonly linkPx?: number;
  /** Before a moving camera a cluster must move so many times as far as the lower quarter of the points around it, else it is parallax (`local`). @default 2 */
  readonly neighbourFactor?: number;
  /** Larger changes of the whole picture's brightness over `followFrames` frames are a fade, and no flow is believed (`local`). @default 1.5 */
  readonly maxGainChange?: number;
  /** Windows that do not overlap, a time-step; the paper has one. @default 4 */
  readonly maxWindows?: number;
  /** `fixed`: windows of `windowPx`, as the paper. `region`: as large as the cluster that moves, within bounds (needs `motion` `local`). @default region */
  readonly window?: 'region' | 'fixed';
  /** Side of a fixed window. @default 227 */
  readonly windowPx?: number;
  /** Side of a window over the longer side of its cluster: points lie inside of what moves, not on its outline (`region`). @default 1.2 */
  readonly windowMargin?: number;
  /** Bounds of the side (`region`). @default 64 and 300 */
  readonly minWindowPx?: number;
  readonly maxWindowPx?: number;
  /** Fewest moving points in a fixed window. @default 10 */
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
  /** Likewise for the peak-to-sidelobe ratio. It says little beyond the peak: good pairs go down to 5.5, bad ones up to 12. @default 5 */
  readonly minPeakToSidelobe?: number;
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
  /** Variance of the Laplacian that both patches need, at 48 x 48 pixels: below, nothing is in focus (the lowest 1 % of the pairs of 66 clips, looked at every 16th frame). @default 10 */
  readonly minSharpness?: number;
  /**
   * A pair must change: travel by this share of its side, or grow or shrink by this ratio, or look this different (1 - correlation).
   * Two ends that are nearly one picture in one place teach no more than that picture, augmented. At 0.1, 1.1 and 0.1 a sixth of the
   * pairs of 66 clips go, and the share that changes visibly rises from half to two thirds. 0, 1 and 0 take all.
   * @default 0.05, 1.05 and 0.05
   */
  readonly minTravelShare?: number;
  readonly minScaleChange?: number;
  readonly minAppearanceChange?: number;
  /** A pair whose ends lie where those of an earlier one of the last `trackFrames` frames do, and correlate with them by more, repeats it; 1 takes all. @default 0.9 */
  readonly maxLikeness?: number;
  /** Most pairs of a video, spread over time and by quality; they are held until it ends. 0 = all, as they come. The default is 5 % of 2500. @default 125 */
  readonly maxPairs?: number;
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

/**
 * The defaults: the paper's steps, tracks and patches. What moves, windows and selection are not the paper's; the preset `paper` of
 * the pipelines has those.
 */
export const miningDefaults = {
  stepFrames: 15,
  trackFrames: 30,
  motion: 'local',
  minResidualPx: 2,
  noiseFactor: 4,
  minClusterPoints: 5,
  linkPx: 40,
  neighbourFactor: 2,
  maxGainChange: 1.5,
  maxWindows: 4,
  window: 'region',
  windowPx: 227,
  windowMargin: 1.2,
  minWindowPx: 64,
  maxWindowPx: 300,
  minMovingPoints: 10,
  minPoints: 20,
  maxPoints: 500,
  minMotionPx: 0.5,
  minMovingShare: 0.25,
  maxMovingShare: 0.75,
  homographyPx: 1,
  maxReturnPx: 1,
  minPeak: 0.3,
  minPeakToSidelobe: 5,
  minFollowedShare: 0.5,
  followFrames: 10,
  minForwardBackwardIou: 0.5,
  minShareInside: 0.8,
  minContrast: 6,
  minSidePx: 48,
  minTravelPx: 0,
  minSharpness: 10,
  minTravelShare: 0.05,
  minScaleChange: 1.05,
  minAppearanceChange: 0.05,
  maxLikeness: 0.9,
  maxPairs: 125,
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
  'minClusterPoints',
  'patchPx',
];
const counts = ['strips', 'seed', 'maxPairs'];
const shares = [
  'minMovingShare',
  'maxMovingShare',
  'minPeak',
  'minFollowedShare',
  'minForwardBackwardIou',
  'minShareInside',
  'maxLikeness',
];
const lengths = ['windowPx', 'homographyPx', 'maxReturnPx', 'minSidePx', 'linkPx', 'minWindowPx', 'maxWindowPx'];
const fromZero = [
  'minMotionPx',
  'minContrast',
  'minTravelPx',
  'minResidualPx',
  'noiseFactor',
  'neighbourFactor',
  'minPeakToSidelobe',
  'minSharpness',
  'minTravelShare',
  'minAppearanceChange',
];
const ratios = ['maxGainChange', 'windowMargin', 'minScaleChange'];

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
  rule(ratios, 'a number of at least 1', (value) => value >= 1);
  const choice = (name: 'motion' | 'window', names: readonly string[]): void => {
    if (!names.includes(full[name])) {
      throw new TypeError(`Expected \`${name}\` to be one of ${names.join(', ')}, got \`${String(full[name])}\``);
    }
  };
  choice('motion', ['local', 'paper']);
  choice('window', ['region', 'fixed']);
  if (full.motion === 'paper' && full.window === 'region') {
    throw new TypeError('Expected `window` to be fixed where `motion` is paper, got `region`');
  }
  if (full.minWindowPx > full.maxWindowPx) {
    throw new TypeError(
      `Expected \`minWindowPx\` to be at most \`maxWindowPx\` = ${full.maxWindowPx}, got \`${full.minWindowPx}\` (number)`,
    );
  }
  if (full.minMovingShare >= full.maxMovingShare) {
    throw new TypeError(
      `Expected \`minMovingShare\` to be below \`maxMovingShare\` = ${full.maxMovingShare}, got \`${full.minMovingShare}\` (number)`,
    );
  }
  return full;
};
