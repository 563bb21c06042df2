/**
 * Memory that threads share and that views are rendered to, batch after batch. New memory costs a page fault every 4 KB on its first
 * use, for a batch a sixth of the time that rendering it takes; so what has been read is used again.
 */
export class ViewMemory {
  readonly #free: Float32Array[] = [];

  /** Room for so many values, which may hold those of an earlier batch. */
  take(values: number): Float32Array {
    const at = this.#free.findIndex(({ length }) => length === values);
    if (at >= 0) return this.#free.splice(at, 1)[0]!;
    return new Float32Array(new SharedArrayBuffer(values * Float32Array.BYTES_PER_ELEMENT));
  }

  /** Takes memory back that nobody will read any more. */
  giveBack(memory: Float32Array): void {
    this.#free.push(memory);
  }
}
