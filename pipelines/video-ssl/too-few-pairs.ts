import { RunError } from '../../src/pipeline/run-errors.js';

/** A video that gave no pairs because it could not be used, and why. */
export type RefusedVideo = {
  readonly video: string;
  /** `fetch`, `index`, `mine`. */
  readonly stage: string;
  /** `rejected` is a verdict on the video, `failed` a mishap. */
  readonly status: 'rejected' | 'failed';
  readonly reason: string;
};

/** Too few videos gave pairs to go on. */
export class TooFewPairs extends RunError {
  constructor(
    message: string,
    /** The videos that could not be used at all. */
    readonly refused: readonly RefusedVideo[],
  ) {
    super(message);
  }
}
