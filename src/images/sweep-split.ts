/** Frame numbers of the two parts of a target, and how they came to be: what stands in the record of a result. */
export type SweepSplit = {
  readonly train: Int32Array;
  readonly test: Int32Array;
  readonly params?: Readonly<Record<string, number | string>>;
};

/** Settings of the split. */
export type SweepSplitOptions = {
  /**
   * Share of the frames, from the end of each stretch, that is measured on.
   * @default 0.3
   */
  readonly testShare?: number;
  /**
   * Frames left out between two parts, so that no test frame has a near twin in training. 0 splits 72 frames 50 / 22.
   * @default 2
   */
  readonly gap?: number;
  /**
   * Stretches of equal length into which the sweep is cut, each with a training and a test part of its own. More of them
   * measure on more places of the room, but nearer to what was trained on.
   * @default 1
   */
  readonly stretches?: number;
};

const checkInteger = (name: string, value: number, least: number): void => {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(`Expected \`${name}\` to be an integer from ${least}, got \`${value}\` (${typeof value})`);
};

/**
 * Splits the frames of one sweep through a room into a first block to train on, a gap, and a last block to test on. Never frame
 * by frame: neighbours in time show the same walls, and a network would be measured on what it has seen.
 */
export const splitSweep = (
  frames: number,
  { testShare = 0.3, gap = 2, stretches = 1 }: SweepSplitOptions = {},
): Required<SweepSplit> => {
  if (!(testShare > 0 && testShare < 1)) {
    throw new RangeError(
      `Expected \`testShare\` to be a number between 0 and 1, got \`${testShare}\` (${typeof testShare})`,
    );
  }
  checkInteger('gap', gap, 0);
  checkInteger('stretches', stretches, 1);
  const train: number[] = [];
  const test: number[] = [];
  for (let stretch = 0; stretch < stretches; stretch++) {
    // A gap stands before every stretch but the first, since the one before it ends with test frames.
    const from = Math.round((stretch * frames) / stretches) + (stretch > 0 ? gap : 0);
    const to = Math.round(((stretch + 1) * frames) / stretches);
    const tested = Math.max(1, Math.round((to - from) * testShare));
    if (to - from - tested - gap < 1) {
      throw new RangeError(
        `Expected more than ${tested + gap} frames for a test part of ${tested} and a gap of ${gap}, got ${to - from}` +
          (stretches > 1 ? ` in stretch ${stretch + 1} of ${stretches}` : ''),
      );
    }
    for (let i = from; i < to - tested - gap; i++) train.push(i);
    for (let i = to - tested; i < to; i++) test.push(i);
  }
  return {
    train: Int32Array.from(train),
    test: Int32Array.from(test),
    params: { split: 'sweep', testShare, gap, stretches, train: train.length, test: test.length },
  };
};
