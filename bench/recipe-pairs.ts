import { createHash } from 'node:crypto';
import type { PairCache } from '../src/images/pair-cache.js';
import type { PixelCache } from '../src/images/pixel-cache.js';
import { RandomStream } from '../src/numeric/random.js';

/** Which pairs of a pack are learned from: at most 40 of a video, by chance, or the half whose ends differ most. */
export type PairChoice = 'at most 40 a video' | 'the half that changes most';

const mostOfAVideo = 40;
const thumbnailSide = 16;

/** The pairs that a choice leaves, in their order. */
export const choosePairs = (cache: PairCache<PixelCache>, choice: PairChoice): PairCache<PixelCache> =>
  withPairs(cache, choice === 'at most 40 a video' ? capped(cache) : changing(cache), choice);

const capped = ({ keys, video }: PairCache<PixelCache>): number[] => {
  const order = RandomStream.of(1, 'cap').shuffle(Int32Array.from(keys, (_, i) => i));
  const counts = new Map<number, number>();
  return [...order].filter((pair) => {
    const count = counts.get(video[pair]!) ?? 0;
    counts.set(video[pair]!, count + 1);
    return count < mostOfAVideo;
  });
};

/** By one minus the correlation of the two ends, averaged to 16 x 16 cells. */
const changing = (cache: PairCache<PixelCache>): number[] => {
  const change = Array.from(cache.keys, (_, pair) => {
    const [a, b] = [cache.a, cache.b].map((end) => thumbnail(cache, end[pair]!)) as [Float64Array, Float64Array];
    return 1 - a.reduce((sum, value, k) => sum + value * b[k]!, 0);
  });
  return [...change.keys()].sort((x, y) => change[y]! - change[x]!).slice(0, change.length >> 1);
};

/** A picture averaged to cells, its mean taken off, of length 1. */
const thumbnail = ({ pixels: { pixels, size } }: PairCache<PixelCache>, picture: number): Float64Array => {
  const cells = new Float64Array(thumbnailSide ** 2 * 3);
  const cellPx = size / thumbnailSide;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const cell = Math.floor(y / cellPx) * thumbnailSide + Math.floor(x / cellPx);
      for (let c = 0; c < 3; c++) cells[cell * 3 + c]! += pixels[((picture * size + y) * size + x) * 3 + c]!;
    }
  }
  const mean = cells.reduce((sum, value) => sum + value / cells.length, 0);
  const centred = cells.map((value) => value - mean);
  const length = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0)) || 1;
  return centred.map((value) => value / length);
};

const withPairs = (cache: PairCache<PixelCache>, chosen: number[], choice: PairChoice): PairCache<PixelCache> => {
  const rows = chosen.sort((x, y) => x - y);
  const pick = (values: Int32Array): Int32Array => Int32Array.from(rows, (row) => values[row]!);
  const perPair = cache.places.length / cache.keys.length;
  return {
    ...cache,
    keys: rows.map((row) => cache.keys[row]!),
    a: pick(cache.a),
    b: pick(cache.b),
    u: pick(cache.u),
    video: pick(cache.video),
    places: Float32Array.from(rows.flatMap((row) => [...cache.places.subarray(row * perPair, (row + 1) * perPair)])),
    digest: createHash('sha256').update(`${cache.digest} ${choice}`).digest('hex'),
  };
};
