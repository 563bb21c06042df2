/** Frame numbers of the two parts of a video sweep. */
export type SweepSplit = { readonly train: Int32Array; readonly test: Int32Array };

/** Settings of the split. */
export type SweepSplitOptions = {
  /**
   * Share of the frames, from the end, that is measured on.
   * @default 0.3
   */
  readonly testShare?: number;
  /**
   * Frames left out between the two parts, so that no test frame has a near twin in training. 0 splits 72 frames 50 / 22.
   * @default 2
   */
  readonly gap?: number;
};

/**
 * Splits the frames of one sweep through a room into a first block to train on, a gap, and a last block to test on. Never frame
 * by frame: neighbours in time show the same walls, and a network would be measured on what it has seen.
 */
export const splitSweep = (frames: number, { testShare = 0.3, gap = 2 }: SweepSplitOptions = {}): SweepSplit => {
  if (!(testShare > 0 && testShare < 1)) {
    throw new RangeError(
      `Expected \`testShare\` to be a number between 0 and 1, got \`${testShare}\` (${typeof testShare})`,
    );
  }
  if (!Number.isInteger(gap) || gap < 0) {
    throw new RangeError(`Expected \`gap\` to be an integer from 0, got \`${gap}\` (${typeof gap})`);
  }
  const test = Math.max(1, Math.round(frames * testShare));
  const train = frames - test - gap;
  if (train < 1) {
    throw new RangeError(
      `Expected more than ${test + gap} frames for a test part of ${test} and a gap of ${gap}, got ${frames}`,
    );
  }
  const block = (from: number, length: number): Int32Array => Int32Array.from({ length }, (_, i) => from + i);
  return { train: block(0, train), test: block(frames - test, test) };
};
