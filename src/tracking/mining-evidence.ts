import type { Box } from '../numeric/box.js';
import type { PointMotion } from './camera-motion.js';

/**
 * What a decision was taken on, for those who draw it (the pages of `inspect`); no part of the log. Parts that were not reached are absent. Whoever changes how a step or a track is decided keeps this fed: the pages draw
 * from nothing else.
 */
export type MiningEvidence = {
  /** Of a time-step: the points, in pixels of the image motion was measured on, each of which is `toFrame` pixels of the frame. */
  readonly motion?: PointMotion;
  readonly toFrame?: number;
  /** Frames between the two positions of a point. @default 1 */
  readonly spanFrames?: number;
  /** Indices of the points that were taken to move. */
  readonly moving?: readonly number[];
  /** The windows chosen, pixels of the frame. */
  readonly windows?: readonly Box[];
  /** Of a track: its boxes as far as it went, one a frame from the first, pixels of the frame, and the peaks from the second on. */
  readonly boxes?: readonly Box[];
  readonly peaks?: readonly number[];
};
