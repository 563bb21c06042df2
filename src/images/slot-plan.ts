import type { BufferedOrder } from './shuffle-buffer.js';

/** A sample to read, and the slot it is to lie in. */
export type SlotRead = { readonly sample: number; readonly slot: number };

/** An epoch as far as it is read. */
type Reading = {
  readonly read: Int32Array;
  /** Position in `read` of what comes next. */
  next: number;
  /** Slot of every sample; -1 where it lies in none. */
  readonly slots: Int32Array;
  /** Samples that need not be read any more. */
  readonly spent: Uint8Array;
};

/**
 * Which sample lies in which of a fixed number of slots, and what is to be read into those that become free. Knows the order of reading alone:
 * when an epoch is read to its end, the next one is read into what becomes free, so that no epoch begins with empty slots.
 */
export class SlotPlan {
  readonly #orderOf: (epoch: number) => BufferedOrder;
  readonly #free: Int32Array;
  #freeCount: number;
  #epoch = -1;
  #current: Reading | undefined;
  #ahead: Reading | undefined;

  /** @param orderOf the order of an epoch, in which every sample is read once */
  constructor(slots: number, orderOf: (epoch: number) => BufferedOrder) {
    this.#orderOf = orderOf;
    this.#free = new Int32Array(slots);
    this.#freeCount = 0;
    this.#freeAll();
  }

  /** Slots that hold a sample, or are about to. */
  get held(): number {
    return this.#free.length - this.#freeCount;
  }

  /**
   * Goes to a position of an epoch: what was shown before it is left out. Going on from the epoch before keeps what was read ahead.
   *
   * @returns the order in which the epoch is shown, and what is to be read, in that order
   */
  begin(epoch: number, position: number): { readonly shown: Int32Array; readonly reads: readonly SlotRead[] } {
    const { read, shown } = this.#orderOf(epoch);
    if (position === 0 && this.#ahead && this.#epoch === epoch - 1) {
      this.#freeSlotsOf(this.#current!);
      this.#current = this.#ahead;
    } else {
      this.#freeAll();
      this.#current = readingOf(read);
      for (let k = 0; k < position; k++) this.#current.spent[shown[k]!] = 1;
    }
    this.#ahead = undefined;
    this.#epoch = epoch;
    return { shown, reads: this.#fill() };
  }

  /** The slot of a sample of the epoch under way; -1 where it lies in none. */
  slotOf(sample: number): number {
    return this.#current?.slots[sample] ?? -1;
  }

  /** Gives up samples that were shown; what is to be read in their place. */
  release(samples: Int32Array): readonly SlotRead[] {
    const { slots, spent } = this.#current!;
    for (const sample of samples) {
      spent[sample] = 1;
      const slot = slots[sample]!;
      if (slot < 0) continue;
      slots[sample] = -1;
      this.#free[this.#freeCount++] = slot;
    }
    return this.#fill();
  }

  #fill(): SlotRead[] {
    const reads: SlotRead[] = [];
    const current = this.#current!;
    this.#fillFrom(current, reads);
    if (this.#freeCount > 0 && current.next === current.read.length) {
      this.#ahead ??= readingOf(this.#orderOf(this.#epoch + 1).read);
      this.#fillFrom(this.#ahead, reads);
    }
    return reads;
  }

  #fillFrom(reading: Reading, reads: SlotRead[]): void {
    const { read, slots, spent } = reading;
    while (this.#freeCount > 0 && reading.next < read.length) {
      const sample = read[reading.next++]!;
      if (spent[sample]) continue;
      const slot = this.#free[--this.#freeCount]!;
      slots[sample] = slot;
      reads.push({ sample, slot });
    }
  }

  #freeSlotsOf({ slots }: Reading): void {
    for (const slot of slots) if (slot >= 0) this.#free[this.#freeCount++] = slot;
  }

  #freeAll(): void {
    // The first slot is taken first.
    for (let i = 0; i < this.#free.length; i++) this.#free[i] = this.#free.length - 1 - i;
    this.#freeCount = this.#free.length;
  }
}

const readingOf = (read: Int32Array): Reading => ({
  read,
  next: 0,
  slots: new Int32Array(read.length).fill(-1),
  spent: new Uint8Array(read.length),
});
