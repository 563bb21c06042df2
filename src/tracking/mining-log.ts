import type { Box } from '../numeric/box.js';

/** What a time-step came to: tracks, or why there are none. */
export type StepOutcome =
  | 'tracked'
  | 'too-few-points'
  | 'no-camera'
  | 'too-little-motion'
  | 'too-much-motion'
  | 'no-window'
  | 'light-change'
  | 'clip-ends'
  | 'shot-cut';

/** What a track came to. `too-still` and `too-alike`: the two ends differ too little; `duplicate`: another pair shows the same. */
export type TrackOutcome =
  | 'pair'
  | 'lost'
  | 'left-behind'
  | 'end-outside'
  | 'too-small'
  | 'blank'
  | 'blurred'
  | 'too-still'
  | 'too-alike'
  | 'duplicate'
  | 'forward-backward';

/**
 * What a group of points that move alike came to: `window` it got one; `like-neighbours` what lies around it moves the same way
 * (parallax, a lens, a rolling shutter); `overlay` it stands still in the picture while the camera moves (a logo, a subtitle);
 * `overlaps` a larger group's window lies there; `not-chosen` enough windows were found.
 */
export type ClusterOutcome = 'window' | 'like-neighbours' | 'overlay' | 'overlaps' | 'not-chosen';

/** One group of points that move alike, with the numbers that decided; lengths in pixels of the frame. */
export type ClusterDecision = {
  readonly outcome: ClusterOutcome;
  readonly points: number;
  /** Extent of its points. */
  readonly box: Box;
  /** Median displacement beyond the camera's over the frames of its measurement, pixels. */
  readonly residualPx: number;
  /** Median displacement in the picture over the same frames: near 0 for an overlay. */
  readonly imagePx: number;
  /** Displacement of the points around it along its own, lower quartile; absent where there are too few, or the camera stands still. */
  readonly neighboursPx?: number;
};

/** How the camera moved. */
export type CameraDecision = {
  /** Frames over which it was measured: `followFrames`, or fewer where only over fewer a homography explains enough points. */
  readonly frames: number;
  /** `still` where enough points all over the frame stay where they are, else the homography of most points. */
  readonly model: 'still' | 'homography';
  /** Median displacement of the points that agree with it, pixels of the frame. */
  readonly motionPx: number;
  /** Share of the points that agree with it. */
  readonly inlierShare: number;
  /** Standard deviation of what is left of the points that agree, pixels of the frame. */
  readonly noisePx: number;
  /** Displacement from which a point moves: the larger of the smallest allowed and a multiple of the noise. */
  readonly thresholdPx: number;
};

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
  /** The windows, pixels of the frame. */
  readonly boxes?: readonly Box[];
  /** Brightness of the last frame of the span over that of the first (local rule). */
  readonly gain?: number;
  /** The camera, as the local rule has it. */
  readonly camera?: CameraDecision;
  /** Groups of moving points, largest first (local rule). */
  readonly clusters?: readonly ClusterDecision[];
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
  /** Variance of the Laplacian of the less sharp of the two patches. */
  readonly sharpness?: number;
  readonly travelPx?: number;
  /** Side of the last box over that of the first. */
  readonly scaleChange?: number;
  /** 1 - correlation of the two patches. */
  readonly appearanceChange?: number;
  /** Start frame of the pair of this video that this one resembles most, and the smaller of the two correlations of their ends. */
  readonly nearestFrame?: number;
  readonly nearestLikeness?: number;
  readonly forwardBackwardIou?: number;
};

/** A pair that was mined, but has to make room for others of the same video (`maxPairs`). Decided when the video has ended. */
export type SelectionDecision = {
  readonly kind: 'selection';
  readonly frame: number;
  readonly window: number;
  readonly outcome: 'crowded-out';
  /** What its track was worth beside its neighbours. */
  readonly quality: number;
};

/** A line of the mining log (JSON lines), in the order in which things were decided. */
export type MiningDecision = StepDecision | TrackDecision | SelectionDecision;

/** Counts over a video. Every time-step and every track is counted once. */
export type MiningSummary = {
  readonly frames: number;
  readonly timeSteps: number;
  readonly steps: Readonly<Record<StepOutcome, number>>;
  readonly tracks: number;
  readonly trackOutcomes: Readonly<Record<TrackOutcome, number>>;
  /** Pairs mined that had to make room for others. */
  readonly crowdedOut: number;
  /** Pairs given out: tracks that came to one, less those crowded out. */
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
    'light-change': 0,
    'clip-ends': 0,
    'shot-cut': 0,
  };
  #crowdedOut = 0;
  readonly #tracks: Record<TrackOutcome, number> = {
    pair: 0,
    lost: 0,
    'left-behind': 0,
    'end-outside': 0,
    'too-small': 0,
    blank: 0,
    blurred: 0,
    'too-still': 0,
    'too-alike': 0,
    duplicate: 0,
    'forward-backward': 0,
  };

  countFrame(): void {
    this.#frames++;
  }

  count(decision: MiningDecision): void {
    if (decision.kind === 'step') this.#steps[decision.outcome]++;
    else if (decision.kind === 'track') this.#tracks[decision.outcome]++;
    else this.#crowdedOut++;
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
      crowdedOut: this.#crowdedOut,
      pairs: this.#tracks.pair - this.#crowdedOut,
    };
  }
}
