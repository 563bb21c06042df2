import { iou, type Box } from '../numeric/box.js';
import type { PairRecord } from '../shards/pair-record.js';

/** Numbers that say where a track is: first and last frame, first and last box. */
export const placeLength = 10;

/** The numbers of a track's place, and how large its frames are to be thought: boxes of one video are in the same pixels. */
export const placeOf = ({ startFrame, endFrame, boxes }: PairRecord): readonly number[] => {
  const [first, last] = [boxes[0]!, boxes[boxes.length - 1]!];
  return [startFrame, endFrame, ...[first, last].flatMap(({ x, y, width, height }) => [x, y, width, height])];
};

const boxAt = (places: Float32Array, track: number, frame: number): Box => {
  const at = track * placeLength;
  const [start, end] = [places[at]!, places[at + 1]!];
  const share = end > start ? (frame - start) / (end - start) : 0;
  const between = (i: number): number => (1 - share) * places[at + 2 + i]! + share * places[at + 6 + i]!;
  return { x: between(0), y: between(1), width: between(2), height: between(3) };
};

/**
 * Whether two tracks of one video surely show different things: they are there at the same time, and never meet. Boxes between the first
 * and the last are taken to move evenly. What is not there at the same time may be one thing seen twice.
 *
 * @param places `[tracks, 10]`, row by row, as {@link placeOf} gives them
 */
export const tracksApart = (places: Float32Array, one: number, other: number): boolean => {
  const from = Math.max(places[one * placeLength]!, places[other * placeLength]!);
  const to = Math.min(places[one * placeLength + 1]!, places[other * placeLength + 1]!);
  if (from > to) return false;
  return [from, (from + to) / 2, to].every(
    (frame) => iou(boxAt(places, one, frame), boxAt(places, other, frame)) === 0,
  );
};
