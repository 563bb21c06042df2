import type { Box } from '../numeric/box.js';
import type { RandomStream } from '../numeric/random.js';
import type { Raster } from '../numeric/raster.js';

/** Frames along one track, evenly spaced from first to last, with the box on each: what a figure of tracks is painted from. */
export type TrackStrip = {
  /** Key of the pair. */
  readonly key: string;
  readonly frames: readonly number[];
  /** Whole frames, RGB, working size. */
  readonly rasters: readonly Raster[];
  /** In pixels of the rasters. */
  readonly boxes: readonly Box[];
};

/** Positions 0 to `last`, `count` of them, evenly spaced and both ends included. */
export const evenPositions = (last: number, count: number): number[] =>
  Array.from({ length: Math.min(count, last + 1) }, (_, i, n = Math.min(count, last + 1)) =>
    n === 1 ? 0 : Math.round((i * last) / (n - 1)),
  );

/** Keeps `size` of all offered items, each with the same chance, without knowing how many will come (algorithm R). */
export class Reservoir<T> {
  readonly #kept: T[] = [];
  readonly #size: number;
  readonly #random: RandomStream;
  #seen = 0;

  constructor(size: number, random: RandomStream) {
    this.#size = size;
    this.#random = random;
  }

  /** Offers an item; it is made only if it is kept. */
  offer(make: () => T): void {
    this.#seen++;
    if (this.#kept.length < this.#size) {
      this.#kept.push(make());
      return;
    }
    const place = this.#random.integer(this.#seen);
    if (place < this.#size) this.#kept[place] = make();
  }

  get kept(): readonly T[] {
    return this.#kept;
  }
}
