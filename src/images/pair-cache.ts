import { createHash } from 'node:crypto';
import type { PairRecord } from '../shards/pair-record.js';
import { buildPixelCache, type EncodedPicture, type PixelCache } from './pixel-cache.js';
import { placeOf } from './track-place.js';

/** A mined pair with its encoded pictures: `u` is the patch of the `untracked` control, where the shards carry it. */
export type EncodedPair = {
  readonly record: PairRecord;
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  readonly u?: Uint8Array | undefined;
};

/** Decoded pairs. Pair i owns pictures `a[i]`, `b[i]` and (or -1) `u[i]` of the cache. */
export type PairCache = {
  readonly pixels: PixelCache;
  readonly keys: readonly string[];
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly u: Int32Array;
  /** Number of each pair's video, from 0, in order of first appearance. */
  readonly video: Int32Array;
  /** sha256 of the videos, by number. */
  readonly videos: readonly string[];
  /** `[pairs, 10]`: where the tracks are, see `tracksApart`. */
  readonly places: Float32Array;
  /** sha256 over pictures, keys, videos, places and order. */
  readonly digest: string;
};

/**
 * Decodes the pairs of the shards at `size` px (`cacheSizeFor(trunk.inputSize)`). Memory is `size^2 * 3` bytes a picture: 49 KB
 * at 128 px, 0.8 GB for 5500 pairs with all three pictures; `untracked: false` leaves the third out. More than 4 GiB fail, with
 * `remedy` in the message.
 */
export const buildPairCache = async (
  pairs: Iterable<EncodedPair> | AsyncIterable<EncodedPair>,
  size: number,
  {
    untracked = true,
    ...options
  }: { readonly untracked?: boolean; readonly concurrency?: number; readonly remedy?: string } = {},
): Promise<PairCache> => {
  const pictures: EncodedPicture[] = [];
  const keys: string[] = [];
  const video: number[] = [];
  const places: number[] = [];
  const ends: { a: number[]; b: number[]; u: number[] } = { a: [], b: [], u: [] };
  const numbers = new Map<string, number>();
  const add = (key: string, end: string, bytes: Uint8Array): number =>
    pictures.push({ label: `pair ${key}.${end}.jpg`, read: () => Buffer.from(bytes) }) - 1;
  for await (const { record, a, b, u } of pairs) {
    const number = numbers.get(record.video) ?? numbers.size;
    numbers.set(record.video, number);
    keys.push(record.key);
    video.push(number);
    places.push(...placeOf(record));
    ends.a.push(add(record.key, 'a', a));
    ends.b.push(add(record.key, 'b', b));
    ends.u.push(untracked && u ? add(record.key, 'u', u) : -1);
  }
  const pixels = await buildPixelCache(pictures, size, options);
  const videos = [...numbers.keys()];
  const hash = createHash('sha256').update(`pairs ${pixels.digest}\n`);
  keys.forEach((key, i) => hash.update(`${key} ${videos[video[i] as number]} ${(ends.u[i] as number) >= 0}\n`));
  hash.update(Float32Array.from(places));
  return {
    pixels,
    keys,
    a: Int32Array.from(ends.a),
    b: Int32Array.from(ends.b),
    u: Int32Array.from(ends.u),
    video: Int32Array.from(video),
    videos,
    places: Float32Array.from(places),
    digest: hash.digest('hex'),
  };
};
