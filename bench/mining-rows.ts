import path from 'node:path';
import type { MiningOptions } from '../src/tracking/mining-options.js';
import { openSide, type MiningSide } from './mining-side.js';
import { pythonVenv } from './python-venv.js';

/** How often, and how many windows a time-step. */
export type Schedule = { readonly name: string; readonly stepFrames: number; readonly maxWindows: number };

/** The schedule of the paper, and one that gives enough pairs out of a few clips. */
export const schedules: readonly Schedule[] = [
  { name: 'a step every 15 frames, 1 window', stepFrames: 15, maxWindows: 1 },
  { name: 'a step every 4 frames, up to 3 windows', stepFrames: 4, maxWindows: 3 },
];

/** Shorter side of the native pipeline's frames, pixels. */
export const NATIVE_SHORTER_SIDE = 240;

/**
 * The steps of the native pipeline and no more: the global rule on moving points, windows of one size, every track that holds and ends inside the
 * frame. What is switched off by a threshold that lets everything pass is computed all the same (the way back, how patches look).
 */
const nativeSteps: MiningOptions = {
  ...{ motion: 'paper', window: 'fixed' },
  ...{ minFollowedShare: 0, minForwardBackwardIou: 0, minPeakToSidelobe: 0 },
  ...{ minContrast: 0, minSharpness: 0, minSidePx: 1 },
  ...{ minTravelShare: 0, minScaleChange: 1, minAppearanceChange: 0, maxLikeness: 1, maxPairs: 0 },
};

/** One of the ways of mining that are compared. */
export type RowKind = {
  readonly name: string;
  /** Whether the frames have the native pipeline's size rather than this project's own. */
  readonly small: boolean;
  /** This project's options for a schedule; absent for the native pipeline. */
  readonly options?: (schedule: Schedule) => MiningOptions;
};

const samePace = ({ stepFrames, maxWindows }: Schedule): MiningOptions => ({ ...nativeSteps, stepFrames, maxWindows });
// The number of windows is one of the defaults.
const defaults = ({ stepFrames }: Schedule): MiningOptions => ({ stepFrames });

/** Rows by the names that `--rows` takes. */
export const rowKinds: Readonly<Record<string, RowKind>> = {
  native: { name: 'native OpenCV', small: true },
  'steps-small': { name: 'ours, same steps, same size', small: true, options: samePace },
  steps: { name: 'ours, same steps', small: false, options: samePace },
  'defaults-small': { name: 'ours, defaults, same size', small: true, options: defaults },
  defaults: { name: 'ours, defaults', small: false, options: defaults },
};

/** Starts the program of a row: each has a process of its own, so that none pays for another's garbage or profits from its warm code. */
export const openRow = async ({ options }: RowKind): Promise<MiningSide> => {
  if (options !== undefined) return openSide(process.execPath, [path.join(import.meta.dirname, 'mining-ours.js')]);
  const python = await pythonVenv('bench-opencv', { installs: [['opencv-contrib-python-headless', 'numpy']] });
  return openSide(python, [path.join(import.meta.dirname, '..', '..', 'bench', 'mining_opencv.py')]);
};
