/** Who touches whom: a linked list for each region, all in three arrays. Regions that no longer exist stay in the lists of others. */
export class NeighbourLists {
  readonly #heads: Int32Array;
  #items: Int32Array;
  #next: Int32Array;
  #length = 0;

  constructor(regions: number, capacity: number) {
    this.#heads = new Int32Array(regions).fill(-1);
    this.#items = new Int32Array(Math.max(16, capacity));
    this.#next = new Int32Array(this.#items.length);
  }

  /** Makes `a` and `b` neighbours of each other. */
  link(a: number, b: number): void {
    this.#add(a, b);
    this.#add(b, a);
  }

  /** The first entry of a region's list, -1 where it is empty. */
  firstEntry(region: number): number {
    return this.#heads[region];
  }

  /** The entry after this one, -1 at the end. */
  entryAfter(entry: number): number {
    return this.#next[entry];
  }

  /** The neighbour that an entry names. */
  neighbourAt(entry: number): number {
    return this.#items[entry];
  }

  #add(region: number, neighbour: number): void {
    if (this.#length === this.#items.length) {
      const items = new Int32Array(2 * this.#length);
      const next = new Int32Array(2 * this.#length);
      items.set(this.#items);
      next.set(this.#next);
      this.#items = items;
      this.#next = next;
    }
    this.#items[this.#length] = neighbour;
    this.#next[this.#length] = this.#heads[region];
    this.#heads[region] = this.#length++;
  }
}
