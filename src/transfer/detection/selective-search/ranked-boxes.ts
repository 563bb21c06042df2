import type { RandomStream } from '../../../numeric/random.js';

/** Collects the boxes of several hierarchies, each different box once, with the best of its ranks. */
export class RankedBoxes {
  readonly #minSidePx: number;
  #slots = new Int32Array(1 << 12).fill(-1);
  #boxes = new Int32Array(1 << 12);
  #ranks = new Float64Array(1 << 10);
  #count = 0;

  constructor(minSidePx: number) {
    this.#minSidePx = minSidePx;
  }

  /**
   * Adds the boxes of one hierarchy (4 a box, in the order in which the regions came into being). The rank of a box is
   * its position, counted from 1 at the region that covers the image, times a random number of [0, 1)
   * (Uijlings et al. 2013, 3.3): large regions tend to come first, but not those of one strategy all before another's.
   */
  add(boxes: Int32Array, random: RandomStream): void {
    const count = boxes.length / 4;
    for (let position = 1; position <= count; position++) {
      const rank = position * random.uniform();
      const at = 4 * (count - position);
      const [x0, y0, x1, y1] = [boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]];
      if (x1 - x0 < this.#minSidePx || y1 - y0 < this.#minSidePx) continue;
      this.#insert(x0, y0, x1, y1, rank);
    }
  }

  /** The boxes by rank, lowest first, at most `maxBoxes`: x0, y0, x1, y1 each. */
  best(maxBoxes: number): Float32Array {
    const ranks = this.#ranks;
    const order = Int32Array.from({ length: this.#count }, (_, i) => i).sort((a, b) => ranks[a] - ranks[b] || a - b);
    const kept = Math.min(maxBoxes, this.#count);
    const best = new Float32Array(kept * 4);
    for (let i = 0; i < kept; i++) best.set(this.#boxes.subarray(4 * order[i], 4 * order[i] + 4), 4 * i);
    return best;
  }

  #insert(x0: number, y0: number, x1: number, y1: number, rank: number): void {
    const slot = this.#find(x0, y0, x1, y1);
    const known = this.#slots[slot];
    if (known >= 0) {
      if (rank < this.#ranks[known]) this.#ranks[known] = rank;
      return;
    }
    if (this.#count === this.#ranks.length) this.#growBoxes();
    const box = this.#count++;
    this.#slots[slot] = box;
    this.#ranks[box] = rank;
    this.#boxes[4 * box] = x0;
    this.#boxes[4 * box + 1] = y0;
    this.#boxes[4 * box + 2] = x1;
    this.#boxes[4 * box + 3] = y1;
    if (2 * this.#count > this.#slots.length) this.#growSlots();
  }

  /** The slot of a box, or the empty one where it belongs. */
  #find(x0: number, y0: number, x1: number, y1: number): number {
    const mask = this.#slots.length - 1;
    let hash =
      Math.imul(x0, 0x9e3779b1) ^ Math.imul(y0, 0x85ebca77) ^ Math.imul(x1, 0xc2b2ae3d) ^ Math.imul(y1, 0x27d4eb2f);
    hash ^= hash >>> 15;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const box = this.#slots[slot] * 4;
      if (box < 0) return slot;
      const boxes = this.#boxes;
      if (boxes[box] === x0 && boxes[box + 1] === y0 && boxes[box + 2] === x1 && boxes[box + 3] === y1) return slot;
    }
  }

  #growBoxes(): void {
    const ranks = new Float64Array(2 * this.#ranks.length);
    const boxes = new Int32Array(2 * this.#boxes.length);
    ranks.set(this.#ranks);
    boxes.set(this.#boxes);
    this.#ranks = ranks;
    this.#boxes = boxes;
  }

  #growSlots(): void {
    this.#slots = new Int32Array(2 * this.#slots.length).fill(-1);
    for (let box = 0; box < this.#count; box++) {
      const [x0, y0, x1, y1] = this.#boxes.subarray(4 * box, 4 * box + 4);
      this.#slots[this.#find(x0, y0, x1, y1)] = box;
    }
  }
}
