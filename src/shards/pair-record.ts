import type { Box } from '../numeric/box.js';

/**
 * What is known of one mined pair: the `<key>.json` beside `<key>.a.jpg` and `<key>.b.jpg` in the tar shards. Frame numbers
 * count decoded frames from 0, times are seconds of presentation time, boxes are pixels of the working size.
 */
export type PairRecord = {
  /** `<first 12 hex of the video's sha256>-<start frame>-<window>`. */
  readonly key: string;
  /** sha256 of the video file. */
  readonly video: string;
  readonly videoLabel: string;
  readonly workingSize: readonly [width: number, height: number];
  readonly shot: number;
  readonly startFrame: number;
  readonly endFrame: number;
  readonly startTime: number;
  readonly endTime: number;
  /** Every box of the forward track; the first is the window chosen from motion, the last cut out as `b`. */
  readonly boxes: readonly Box[];
  /** KCF response peak a frame, from the second. */
  readonly peaks: readonly number[];
  readonly minPeak: number;
  /** Overlap of the first box with where the track run backwards from the last box ends. */
  readonly forwardBackwardIou: number;
  /** Share of all points of the time-step that move, and the number of moving points inside the window. */
  readonly movingShare: number;
  readonly movingPointsInside: number;
  readonly points: number;
  /** Mean residual displacement (camera motion removed) of the moving points inside, px a frame. */
  readonly meanMotionPx: number;
  /** Why it was kept, in words. */
  readonly accepted: string;
  /** Frame number and box of the `untracked` control: the first box, 30 frames later. */
  readonly untrackedBox: Box;
};
