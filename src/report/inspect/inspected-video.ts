import type { LoggedDecision } from './logged-decision.js';

/** A picture beside the page: its address relative to it, and its size. */
export type InspectedPicture = { readonly href: string; readonly width: number; readonly height: number };

/** How the camera moves at a time-step, as its model has it at the frame's centre. */
export type CameraNumbers = {
  /** Displacement of the centre, pixels of the frame. */
  readonly shiftX: number;
  readonly shiftY: number;
  /** Times as large as before. */
  readonly zoom: number;
  /** Degrees, clockwise on the screen. */
  readonly turn: number;
};

/** A time-step, drawn. */
export type InspectedStep = {
  readonly decision: LoggedDecision;
  readonly flow: InspectedPicture;
  readonly residual: InspectedPicture;
  /** How many times longer than they are vectors are drawn. */
  readonly times: { readonly flow: number; readonly residual: number };
  /** Frames between the two ends of a vector. */
  readonly spanFrames: number;
  readonly camera: CameraNumbers | undefined;
};

/** A track, drawn as far as it could be. */
export type InspectedTrack = {
  readonly decision: LoggedDecision;
  readonly strip: InspectedPicture | undefined;
  /** Frames of the strip. */
  readonly frames: readonly number[];
  readonly a: InspectedPicture | undefined;
  readonly b: InspectedPicture | undefined;
  readonly peaks: readonly number[];
  /** Why it was kept, in the words of the record. */
  readonly accepted: string | undefined;
  /** What became of a pair after it was mined: in the shards, left out by the cap. */
  readonly after: string | undefined;
};

/** A video that was mined, with all that the page shows of it. */
export type InspectedVideo = {
  readonly label: string;
  readonly sha256: string;
  /** Size, rate, codec and the like, in words, by name. */
  readonly facts: readonly (readonly [string, string])[];
  readonly frames: number;
  /** Pixels of its frames for one of the paper's. */
  readonly scale: number;
  readonly decisions: readonly LoggedDecision[];
  readonly steps: readonly InspectedStep[];
  readonly tracks: readonly InspectedTrack[];
  /** What a reader must know before looking: no pictures and why, or a miner that decides otherwise today. */
  readonly notes: readonly string[];
  /** Where the whole log lies, relative to the run folder. */
  readonly log: string;
};
