/** A priority queue of pairs of regions: the most similar first; of equals the one with the smaller first, then second number. */
export class PairHeap {
  #similarity: Float64Array;
  #first: Int32Array;
  #second: Int32Array;
  #length = 0;

  constructor(capacity: number) {
    this.#similarity = new Float64Array(Math.max(16, capacity));
    this.#first = new Int32Array(this.#similarity.length);
    this.#second = new Int32Array(this.#similarity.length);
  }

  get length(): number {
    return this.#length;
  }

  /** The first region of the pair at the top. */
  get first(): number {
    return this.#first[0];
  }

  /** The second region of the pair at the top. */
  get second(): number {
    return this.#second[0];
  }

  /** The similarity of the pair at the top. */
  get similarity(): number {
    return this.#similarity[0];
  }

  push(similarity: number, first: number, second: number): void {
    if (this.#length === this.#similarity.length) this.#grow();
    let at = this.#length++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(similarity, first, second, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, similarity, first, second);
  }

  /** Drops the pair at the top. */
  pop(): void {
    const last = --this.#length;
    if (last <= 0) return;
    const similarity = this.#similarity[last];
    const first = this.#first[last];
    const second = this.#second[last];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      const other = child + 1;
      if (other < last && this.#isBefore(this.#similarity[other], this.#first[other], this.#second[other], child)) {
        child = other;
      }
      if (this.#isBefore(similarity, first, second, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, similarity, first, second);
  }

  #isBefore(similarity: number, first: number, second: number, at: number): boolean {
    const other = this.#similarity[at];
    if (similarity !== other) return similarity > other;
    return first !== this.#first[at] ? first < this.#first[at] : second < this.#second[at];
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#similarity[from], this.#first[from], this.#second[from]);
  }

  #put(at: number, similarity: number, first: number, second: number): void {
    this.#similarity[at] = similarity;
    this.#first[at] = first;
    this.#second[at] = second;
  }

  #grow(): void {
    const capacity = 2 * this.#similarity.length;
    const similarity = new Float64Array(capacity);
    const first = new Int32Array(capacity);
    const second = new Int32Array(capacity);
    similarity.set(this.#similarity);
    first.set(this.#first);
    second.set(this.#second);
    this.#similarity = similarity;
    this.#first = first;
    this.#second = second;
  }
}
