import { z } from 'zod';
import { miningDefaults } from '../../src/tracking/mining-options.js';

/** Parameters of `fetch`: what fetching one address may cost. None of them changes what is fetched, so that changing them fetches nothing again. */
export const fetchParams = z.strictObject({
  maxBytes: z
    .int()
    .min(1)
    .default(4 * 1024 ** 3)
    .describe('largest file that is taken'),
  timeoutSeconds: z
    .number()
    .positive()
    .max(2_000_000)
    .default(3600)
    .describe('longest time for one address, all tries together; the next run goes on from what came'),
  stallSeconds: z.number().positive().max(2_000_000).default(30).describe('longest time without a byte'),
  tries: z.int().min(1).default(4).describe('each goes on where the one before broke off'),
  pauseSeconds: z.number().min(0).max(3600).default(1).describe('before the second try; it doubles from try to try'),
  concurrency: z.int().min(1).max(64).default(4).describe('addresses that are fetched at once'),
  allowPrivate: z
    .boolean()
    .default(false)
    .describe('whether addresses of this machine and of private networks may be asked, too'),
});

/** Parameters of `index`: which files count as usable video, and what becomes of a recording that is there twice. */
export const indexParams = z.strictObject({
  maxSeconds: z.number().positive().default(7200).describe('a longer video is rejected'),
  everySeconds: z
    .number()
    .positive()
    .default(0.25)
    .describe('one frame in so many seconds is fingerprinted, to find videos in other videos and in targets'),
  sameVideo: z
    .enum(['drop', 'keep'])
    .default('drop')
    .describe('`drop` mines one of several videos of the same recording, `keep` mines all'),
});

/**
 * Parameters of `mine`: how pairs are found; what each does stands in `src/tracking/mining-options.ts`, whose defaults hold here.
 * Lengths in pixels are those of the paper's frame of 448 x 600 and are scaled to the frames at hand.
 */
export const mineParams = z
  .strictObject({
    areaPx: z
      .int()
      .min(4096)
      .default(448 * 600)
      .describe('working size: a frame has at most this many pixels'),
    stepFrames: z.int().min(1).default(miningDefaults.stepFrames),
    trackFrames: z.int().min(2).default(miningDefaults.trackFrames),
    motion: z
      .enum(['local', 'paper'])
      .default(miningDefaults.motion)
      .describe('what moves: clusters that leave the camera’s motion, or the share of points of the paper'),
    minResidualPx: z.number().min(0).default(miningDefaults.minResidualPx),
    noiseFactor: z.number().min(0).default(miningDefaults.noiseFactor),
    minClusterPoints: z.int().min(1).default(miningDefaults.minClusterPoints),
    linkPx: z.number().positive().default(miningDefaults.linkPx),
    neighbourFactor: z.number().min(0).default(miningDefaults.neighbourFactor),
    maxGainChange: z.number().min(1).default(miningDefaults.maxGainChange),
    maxWindows: z.int().min(1).default(miningDefaults.maxWindows),
    window: z
      .enum(['region', 'fixed'])
      .default(miningDefaults.window)
      .describe('as large as what moves, or of `windowPx` as in the paper'),
    windowPx: z.number().min(16).default(miningDefaults.windowPx),
    windowMargin: z.number().min(1).default(miningDefaults.windowMargin),
    minWindowPx: z.number().min(16).default(miningDefaults.minWindowPx),
    maxWindowPx: z.number().min(16).default(miningDefaults.maxWindowPx),
    minMovingPoints: z.int().min(1).default(miningDefaults.minMovingPoints),
    minPoints: z.int().min(4).default(miningDefaults.minPoints),
    maxPoints: z.int().min(4).default(miningDefaults.maxPoints),
    minMotionPx: z.number().min(0).default(miningDefaults.minMotionPx),
    minMovingShare: z.number().min(0).max(1).default(miningDefaults.minMovingShare),
    maxMovingShare: z.number().min(0).max(1).default(miningDefaults.maxMovingShare),
    homographyPx: z.number().positive().default(miningDefaults.homographyPx),
    maxReturnPx: z.number().min(0).default(miningDefaults.maxReturnPx),
    minPeak: z.number().min(0).max(1).default(miningDefaults.minPeak),
    minPeakToSidelobe: z.number().min(0).default(miningDefaults.minPeakToSidelobe),
    minFollowedShare: z.number().min(0).max(1).default(miningDefaults.minFollowedShare),
    followFrames: z.int().min(1).default(miningDefaults.followFrames),
    minForwardBackwardIou: z.number().min(0).max(1).default(miningDefaults.minForwardBackwardIou),
    minShareInside: z.number().min(0).max(1).default(miningDefaults.minShareInside),
    minContrast: z.number().min(0).default(miningDefaults.minContrast),
    minSidePx: z.number().positive().default(miningDefaults.minSidePx),
    minTravelPx: z.number().min(0).default(miningDefaults.minTravelPx),
    minSharpness: z.number().min(0).default(miningDefaults.minSharpness),
    minTravelShare: z.number().min(0).default(miningDefaults.minTravelShare),
    minScaleChange: z.number().min(1).default(miningDefaults.minScaleChange),
    minAppearanceChange: z.number().min(0).default(miningDefaults.minAppearanceChange),
    maxLikeness: z.number().min(0).max(1).default(miningDefaults.maxLikeness),
    maxPairs: z
      .int()
      .min(0)
      .default(miningDefaults.maxPairs)
      .describe('most pairs of a video, spread over time; 0 takes all'),
    patchPx: z.int().min(16).default(miningDefaults.patchPx),
  })
  .superRefine(({ motion, window }, { addIssue }) => {
    if (motion === 'local' || window === 'fixed') return;
    addIssue({ code: 'custom', path: ['window'], message: 'expected `window` to be fixed where `motion` is paper' });
  })
  .superRefine((mine, { addIssue }) => {
    for (const [least, most] of [
      ['minWindowPx', 'maxWindowPx'],
      ['minPoints', 'maxPoints'],
    ] as const) {
      if (mine[least] <= mine[most]) continue;
      // At the one that was given, where only one was.
      const atMost = mine[least] === miningDefaults[least];
      addIssue({
        code: 'custom',
        path: [atMost ? most : least],
        message: `expected \`${least}\` (${mine[least]}) to be at most \`${most}\` (${mine[most]})`,
      });
    }
  })
  .superRefine(({ minMovingShare, maxMovingShare }, { addIssue }) => {
    if (minMovingShare < maxMovingShare) return;
    // At the one that was given, where only one was.
    const atMost = minMovingShare === miningDefaults.minMovingShare;
    addIssue({
      code: 'custom',
      path: [atMost ? 'maxMovingShare' : 'minMovingShare'],
      message: `expected \`minMovingShare\` (${minMovingShare}) to be below \`maxMovingShare\` (${maxMovingShare})`,
    });
  });

/** Parameters of `pack`: how pairs become shards and the cache of decoded pixels. */
export const packParams = z.strictObject({
  perShard: z.int().min(1).default(1000).describe('pairs a tar shard'),
  maxPairsPerVideo: z.int().min(1).default(1000).describe('cap a video, so that a long one does not fill the set'),
  cachePx: z
    .int()
    .min(16)
    .max(1024)
    .default(128)
    .describe('side at which pairs are kept decoded: four thirds of the input of the trunk'),
  sheetPairs: z.int().min(1).default(32).describe('pairs on the contact sheet'),
  seed: z.int().min(0).default(1).describe('which pairs and tracks the figures show'),
});

/** Parameters of `leaks`: when a target picture is taken for a frame of a video that is learned from. */
export const leaksParams = z.strictObject({
  action: z
    .enum(['refuse', 'report'])
    .default('refuse')
    .describe('`refuse` ends the run where a target shows what was learned from; `report` says so and goes on'),
});

/** Parameters of `iterate`: the second round of the iterative scheme of the paper. */
export const iterateParams = z.strictObject({
  detectionSteps: z.int().min(1).default(400).describe('steps of fine-tuning for detection between the two rounds'),
  steps: z.int().min(1).optional().describe('steps of the second round (default: as many as the first)'),
});

/** Parameter types by stage. */
export type FetchParams = z.infer<typeof fetchParams>;
/** See {@link indexParams}. */
export type IndexParams = z.infer<typeof indexParams>;
/** See {@link mineParams}. */
export type MineParams = z.infer<typeof mineParams>;
/** See {@link packParams}. */
export type PackParams = z.infer<typeof packParams>;
/** See {@link leaksParams}. */
export type LeaksParams = z.infer<typeof leaksParams>;
/** See {@link iterateParams}. */
export type IterateParams = z.infer<typeof iterateParams>;
