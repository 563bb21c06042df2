import { createHash } from 'node:crypto';
import type { PairRecord } from '../shards/pair-record.js';
import type { Pictures } from './picture-file.js';
import type { EncodedPicture, PixelCache } from './pixel-cache.js';
import { placeOf } from './track-place.js';

/** A mined pair with its encoded pictures: `u` is the patch of the `untracked` control, where the shards carry it. */
export type EncodedPair = {
  readonly record: PairRecord;
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  readonly u?: Uint8Array | undefined;
};

/** Decoded pairs. Pair i owns pictures `a[i]`, `b[i]` and (or -1) `u[i]` of `pixels`. */
export type PairCache<P extends Pictures = Pictures> = {
  readonly pixels: P;
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

/** What is known of pairs beside their pixels. */
export type PairTable = Omit<PairCache, 'pixels'>;

/** Notes pairs as they come: some hundred bytes each. */
export class PairNotes {
  readonly #keys: string[] = [];
  readonly #video: number[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #places: number[] = [];
  readonly #ends: { a: number[]; b: number[]; u: number[] } = { a: [], b: [], u: [] };
  #pictures = 0;

  /** Notes a pair; its pictures, in the order in which they are numbered. */
  add({ record, a, b, u }: EncodedPair): EncodedPicture[] {
    const number = this.#numbers.get(record.video) ?? this.#numbers.size;
    this.#numbers.set(record.video, number);
    this.#keys.push(record.key);
    this.#video.push(number);
    this.#places.push(...placeOf(record));
    this.#ends.a.push(this.#pictures++);
    this.#ends.b.push(this.#pictures++);
    this.#ends.u.push(u ? this.#pictures++ : -1);
    const picture = (end: string, bytes: Uint8Array): EncodedPicture => ({
      label: `pair ${record.key}.${end}.jpg`,
      read: () => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    });
    return [picture('a', a), picture('b', b), ...(u ? [picture('u', u)] : [])];
  }

  /** The table of all pairs that were noted, over pictures of that digest. */
  table({ digest }: Pick<PixelCache, 'digest'>): PairTable {
    const keys = this.#keys;
    const videos = [...this.#numbers.keys()];
    const places = Float32Array.from(this.#places);
    const [a, b, u] = (['a', 'b', 'u'] as const).map((end) => Int32Array.from(this.#ends[end])) as [
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    const video = Int32Array.from(this.#video);
    const hash = createHash('sha256').update(`pairs ${digest}\n`);
    keys.forEach((key, i) => hash.update(`${key} ${videos[video[i]!]!} ${u[i]! >= 0}\n`));
    hash.update(places);
    return { keys, a, b, u, video, videos, places, digest: hash.digest('hex') };
  }
}
