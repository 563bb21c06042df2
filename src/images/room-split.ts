import { splitSweep, type SweepSplit, type SweepSplitOptions } from './sweep-split.js';

/** A room by its name and number of frames; rooms own consecutive frames, in their order. */
export type RoomSize = { readonly name: string; readonly frames: number };

/**
 * Splits a target by room, so that no room is in both parts: the largest rooms train (of equal ones the first by name), until
 * they hold `1 - testShare` of the frames; the others, at least one, are measured on. Nothing is drawn: the same rooms are always
 * split alike.
 */
export const splitRooms = (
  rooms: readonly RoomSize[],
  { testShare = 0.3 }: Pick<SweepSplitOptions, 'testShare'> = {},
): Required<SweepSplit> => {
  if (rooms.length < 2) throw new RangeError(`Expected at least 2 rooms to split by room, got ${rooms.length}`);
  if (!(testShare > 0 && testShare < 1)) {
    throw new RangeError(
      `Expected \`testShare\` to be a number between 0 and 1, got \`${testShare}\` (${typeof testShare})`,
    );
  }
  const total = rooms.reduce((sum, { frames }) => sum + frames, 0);
  const bySize = rooms
    .map((room, index) => ({ ...room, index }))
    .sort((a, b) => b.frames - a.frames || (a.name < b.name ? -1 : 1));
  const trained = new Set<number>();
  let held = 0;
  for (const { index, frames } of bySize.slice(0, -1)) {
    if (held >= (1 - testShare) * total) break;
    trained.add(index);
    held += frames;
  }
  const train: number[] = [];
  const test: number[] = [];
  let first = 0;
  rooms.forEach(({ frames }, index) => {
    const part = trained.has(index) ? train : test;
    for (let i = 0; i < frames; i++) part.push(first + i);
    first += frames;
  });
  const names = (tested: boolean): string =>
    rooms
      .filter((_, index) => trained.has(index) !== tested)
      .map(({ name }) => name)
      .join(', ');
  return {
    train: Int32Array.from(train),
    test: Int32Array.from(test),
    params: {
      split: 'rooms',
      testShare,
      train: train.length,
      test: test.length,
      trainRooms: names(false),
      testRooms: names(true),
    },
  };
};

/** Training frames that a protocol needs at the least, to choose a strength among. */
const leastTraining = 2;

/**
 * The split of a target: by room where it has several, in contiguous blocks where it is one sweep.
 *
 * @throws RangeError where there are too few frames to learn from and to measure on
 */
export const splitTarget = (
  target: { readonly frames: readonly unknown[]; readonly rooms?: readonly RoomSize[] },
  options: SweepSplitOptions = {},
): Required<SweepSplit> => {
  const split =
    target.rooms && target.rooms.length > 1
      ? splitRooms(target.rooms, options)
      : splitSweep(target.frames.length, options);
  if (split.train.length < leastTraining) {
    throw new RangeError(
      `Expected at least ${leastTraining} frames to train on, got ${split.train.length} of ${target.frames.length}`,
    );
  }
  return split;
};
