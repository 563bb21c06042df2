/** An entry that may have to make room: when its pair begins, and what it is worth (above 0). */
export type CappedEntry<T> = { readonly time: number; readonly quality: number; readonly value: T };

/**
 * Keeps at most `size` of the entries that are offered in order of time, spread over time and by quality, without knowing how many
 * will come: when one is too many, the one goes for which `quality * (time to the next - time to the one before)` is least, so that
 * what is crowded goes first, and of that the worst. The first and the newest count as if their missing neighbour were as far
 * away as the other one.
 */
export class PairCap<T> {
  readonly #entries: CappedEntry<T>[] = [];
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** Takes an entry; returns the one that had to go for it, which may be itself. */
  offer(entry: CappedEntry<T>): CappedEntry<T> | undefined {
    const entries = this.#entries;
    entries.push(entry);
    if (entries.length <= this.#size) return undefined;
    let worst = 0;
    let least = Infinity;
    for (let i = 0; i < entries.length; i++) {
      const worth = entries[i].quality * this.#room(i);
      if (worth < least) [worst, least] = [i, worth];
    }
    return entries.splice(worst, 1)[0];
  }

  /** What is kept, in order of time. */
  get kept(): readonly CappedEntry<T>[] {
    return this.#entries;
  }

  #room(i: number): number {
    const { time } = this.#entries[i];
    const before = i > 0 ? time - this.#entries[i - 1].time : undefined;
    const after = i + 1 < this.#entries.length ? this.#entries[i + 1].time - time : undefined;
    return (before ?? after ?? 0) + (after ?? before ?? 0);
  }
}
