import type { LoadedNormals } from '../../images/rgbd-dataset.js';
import type { SweepSplit } from '../../images/sweep-split.js';
import type { ImageScores } from '../statistics/image-scores.js';
import { angularErrors, scoreErrors, type NormalScores } from './angular-error.js';
import { decodeCells } from './cells.js';

/** What was predicted for the test frames, and what it is worth. */
export type NormalsOutcome = {
  readonly scores: NormalScores;
  /** What each of the scores is made of, test frame by test frame. */
  readonly imageScores: Readonly<Record<keyof NormalScores, ImageScores>>;
  /** `[test frames, height, width, 3]`, in the target's size. */
  readonly predicted: Float32Array;
  /** Rows and columns of the grid that was predicted on. */
  readonly grid: readonly [rows: number, columns: number];
};

/** Frames of a sweep that are taken together when frames are resampled: they show nearly the same. */
const framesTogether = 4;
/** Bins of the histograms of angles. */
const bins = 720;

/**
 * Enlarges predicted directions of cells, `[test frames, rows, columns, 3]`, to the target's pixels and measures them on the
 * valid pixels of the test frames, all frames' pixels together.
 */
export const measureCells = (
  cells: Float64Array,
  data: LoadedNormals,
  { test }: SweepSplit,
  rows: number,
  columns: number,
): NormalsOutcome => {
  const { width, height, normals, valid } = data;
  const area = width * height;
  const predicted = decodeCells(cells, test.length, rows, columns, width, height);
  const errors = Array.from(test, (frame, i) =>
    angularErrors(
      predicted.subarray(i * area * 3, (i + 1) * area * 3),
      normals.subarray(frame * area * 3, (frame + 1) * area * 3),
      valid.subarray(frame * area, (frame + 1) * area),
    ),
  );
  return {
    scores: scoreErrors(joined(errors)),
    imageScores: scoresOfImages(errors, groupsOf(data, test)),
    predicted,
    grid: [rows, columns],
  };
};

const joined = (parts: readonly Float64Array[]): Float64Array => {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/**
 * The five scores by image, from the angles of each image's valid pixels: sums and counts, and for the median a histogram of
 * quarter degrees.
 *
 * @param groups images that show nearly the same, by a number
 */
export const scoresOfImages = (
  errors: readonly Float64Array[],
  groups?: readonly number[],
): Record<keyof NormalScores, ImageScores> => {
  const together = groups ? { groups } : {};
  const totals = errors.map(({ length }) => length);
  const within = (limit: number): ImageScores => ({
    kind: 'ratio',
    hits: errors.map((angles) => angles.reduce((count, angle) => count + (angle < limit ? 1 : 0), 0)),
    totals,
    ...together,
  });
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i * 180) / bins);
  const counts = errors.map((angles) => {
    const histogram = new Array<number>(bins).fill(0);
    for (const angle of angles) histogram[Math.min(bins - 1, Math.floor((angle * bins) / 180))]!++;
    return histogram;
  });
  return {
    mean: {
      kind: 'ratio',
      hits: errors.map((angles) => angles.reduce((sum, angle) => sum + angle, 0)),
      totals,
      scale: 1,
      ...together,
    },
    median: { kind: 'quantile', q: 0.5, edges, counts, ...together },
    within11: within(11.25),
    within22: within(22.5),
    within30: within(30),
  };
};

/** Frames of a room, or consecutive frames of a sweep, were not drawn one by one. */
const groupsOf = ({ rooms = [] }: LoadedNormals, test: Int32Array): number[] => {
  if (rooms.length < 2) return Array.from(test, (_, i) => Math.floor(i / framesTogether));
  const roomOf = rooms.flatMap(({ frames }, room) => new Array<number>(frames).fill(room));
  const seen = [...new Set(Array.from(test, (frame) => roomOf[frame]!))];
  return Array.from(test, (frame) => seen.indexOf(roomOf[frame]!));
};
