import { Worker } from 'node:worker_threads';
import type { OpenPictureFile } from './picture-file.js';

/** What a slot holds: nothing yet, its sample, or a sample that could not be read. */
export const slotStates = { pending: 0, ready: 1, failed: 2 } as const;

/** Pictures to read, where each is to lie in `pixels` (in pictures), and the slots that are ready then. */
export type ReadRequest = {
  readonly pictures: Int32Array;
  readonly places: Int32Array;
  readonly slots: Int32Array;
};

/** What the thread that reads works on. */
export type ReadAheadData = {
  readonly file: OpenPictureFile;
  readonly pixels: Uint8Array;
  /** State of every slot, read and written by atomic operations only; behind them the number of requests that are done. */
  readonly states: Int32Array;
};

/**
 * A thread that reads pictures from a file into shared memory, one request after the other. Whoever needs a slot before it is ready waits for it;
 * a thread that reads nothing for long is given up, and so is what it was to read.
 */
export class ReadAhead {
  readonly #states: Int32Array;
  readonly #patienceMs: number;
  #worker: Worker | undefined;
  #requested = 0;
  /** Woken by every request that is done, and by the end. */
  #waiting: (() => void)[] = [];

  /** @param options.patienceMs a thread that ends no request in so long is gone. @default 60 s */
  constructor(data: ReadAheadData, { patienceMs = 60_000 }: { readonly patienceMs?: number } = {}) {
    this.#states = data.states;
    this.#patienceMs = patienceMs;
    this.#worker = new Worker(new URL('read-thread.js', import.meta.url), { workerData: data });
    this.#worker.on('message', () => this.#wake());
    this.#worker.on('error', () => this.close());
    this.#worker.unref();
  }

  /** Whether there is anybody who reads. */
  get works(): boolean {
    return this.#worker !== undefined;
  }

  /** Has pictures read, after all that was asked for before. */
  request(request: ReadRequest): void {
    if (!this.#worker || request.slots.length === 0) return;
    this.#requested++;
    for (const slot of request.slots) Atomics.store(this.#states, slot, slotStates.pending);
    this.#worker.postMessage(request);
  }

  /** Settles when all requests are done, or nobody reads. */
  async settled(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    worker.ref();
    while (this.works && this.#done() < this.#requested) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    worker.unref();
  }

  /** Whether a slot is as it will be. */
  isReady(slot: number): boolean {
    return Atomics.load(this.#states, slot) !== slotStates.pending;
  }

  /** Waits for a slot; whether its sample was read. */
  waitFor(slot: number): boolean {
    while (!this.isReady(slot)) {
      if (!this.works) return false;
      const before = this.#done();
      const waited = Atomics.wait(this.#states, slot, slotStates.pending, this.#patienceMs);
      if (waited === 'timed-out' && this.#done() === before) this.close();
    }
    return Atomics.load(this.#states, slot) === slotStates.ready;
  }

  /** Ends the thread. */
  close(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #done(): number {
    return Atomics.load(this.#states, this.#states.length - 1);
  }
}
