/** An entry that may have to make room: when its pair begins, and what it is worth (above 0). */
export type CappedEntry<T> = { readonly time: number; readonly quality: number; readonly value: T };

/**
 * Keeps at most `size` (at least 2) of the entries that are offered in order of time, spread over time and by quality, without knowing how many
 * will come: when one is too many, the one goes for which `quality * (time of the next - time of the one before + 1)` is least, so that
 * what is crowded goes first, and of that the worst. The first and the newest stay.
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
    let worst = entries.length - 1;
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

  /** Time between the neighbours, and one, since several may begin at one time; the first and the newest have no end to it. */
  #room(i: number): number {
    const before = this.#entries[i - 1];
    const after = this.#entries[i + 1];
    return before === undefined || after === undefined ? Infinity : after.time - before.time + 1;
  }
}
