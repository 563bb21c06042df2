import type { Box } from '../numeric/box.js';
import type { PointMotion } from './camera-motion.js';

/** What a time-step came to: tracks, or why there are none. */
export type StepOutcome =
  | 'tracked'
  | 'too-few-points'
  | 'no-camera'
  | 'too-little-motion'
  | 'too-much-motion'
  | 'no-window'
  | 'clip-ends'
  | 'shot-cut';

/** What a track came to. */
export type TrackOutcome =
  'pair' | 'lost' | 'left-behind' | 'end-outside' | 'too-small' | 'blank' | 'too-still' | 'forward-backward';

/** One time-step, with the numbers that decided; those not reached are absent. */
export type StepDecision = {
  readonly kind: 'step';
  readonly frame: number;
  readonly shot: number;
  readonly outcome: StepOutcome;
  readonly points?: number;
  readonly movingPoints?: number;
  readonly movingShare?: number;
  /** Moving points inside each window. */
  readonly windows?: readonly number[];
};

/** One track, with the numbers that decided; those not reached are absent. */
export type TrackDecision = {
  readonly kind: 'track';
  readonly frame: number;
  readonly window: number;
  readonly outcome: TrackOutcome;
  readonly minPeak: number;
  readonly minPeakToSidelobe: number;
  /** Frame at which a lost track ended. */
  readonly lostAt?: number;
  /** Share of the moving points that the box still held some frames later. */
  readonly followedShare?: number;
  readonly shareInside?: number;
  readonly sidePx?: number;
  readonly contrast?: number;
  readonly travelPx?: number;
  readonly forwardBackwardIou?: number;
};

/** A line of the mining log (JSON lines), in the order in which things were decided. */
export type MiningDecision = StepDecision | TrackDecision;

/**
 * What a decision was taken on, for those who draw it (`inspect`); no part of the log. Parts that were not reached are absent.
 */
export type MiningEvidence = {
  /** Of a time-step: the points, in pixels of the image motion was measured on, each of which is `toFrame` pixels of the frame. */
  readonly motion?: PointMotion;
  readonly toFrame?: number;
  /** Indices of the points that were taken to move. */
  readonly moving?: readonly number[];
  /** The windows chosen, pixels of the frame. */
  readonly windows?: readonly Box[];
  /** Of a track: its boxes as far as it went, one a frame from the first, pixels of the frame, and the peaks from the second on. */
  readonly boxes?: readonly Box[];
  readonly peaks?: readonly number[];
};

/** Counts over a video. Every time-step and every track is counted once. */
export type MiningSummary = {
  readonly frames: number;
  readonly timeSteps: number;
  readonly steps: Readonly<Record<StepOutcome, number>>;
  readonly tracks: number;
  readonly trackOutcomes: Readonly<Record<TrackOutcome, number>>;
  readonly pairs: number;
};

/** Adds decisions up. */
export class MiningTally {
  #frames = 0;
  readonly #steps: Record<StepOutcome, number> = {
    tracked: 0,
    'too-few-points': 0,
    'no-camera': 0,
    'too-little-motion': 0,
    'too-much-motion': 0,
    'no-window': 0,
    'clip-ends': 0,
    'shot-cut': 0,
  };
  readonly #tracks: Record<TrackOutcome, number> = {
    pair: 0,
    lost: 0,
    'left-behind': 0,
    'end-outside': 0,
    'too-small': 0,
    blank: 0,
    'too-still': 0,
    'forward-backward': 0,
  };

  countFrame(): void {
    this.#frames++;
  }

  count(decision: MiningDecision): void {
    if (decision.kind === 'step') this.#steps[decision.outcome]++;
    else this.#tracks[decision.outcome]++;
  }

  summary(): MiningSummary {
    const total = (counts: Record<string, number>): number =>
      Object.values(counts).reduce((sum, count) => sum + count, 0);
    return {
      frames: this.#frames,
      timeSteps: total(this.#steps),
      steps: { ...this.#steps },
      tracks: total(this.#tracks),
      trackOutcomes: { ...this.#tracks },
      pairs: this.#tracks.pair,
    };
  }
}
