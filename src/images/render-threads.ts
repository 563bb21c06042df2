import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { renderAlone, waitFor, workOn, type PictureBytes, type RenderJob } from './render-job.js';

/** More than these would wait for memory. */
const mostThreads = 8;

/**
 * Threads that render views of pictures while this one does something else. Work is not handed out: every thread, this one too once it
 * needs the result, takes the next view that nobody has taken. So a thread that is slow to start, or that has no processor to itself,
 * delays nothing, and the result is the same bytes whoever rendered them.
 */
export class RenderThreads {
  readonly #from: PictureBytes;
  readonly #workers: Worker[];
  readonly #patienceMs: number;

  /**
   * @param options.threads beside this one. @default one fewer than the process may use, at most 8
   * @param options.patienceMs a thread that takes a view and is silent for so long is gone; a view takes less than one. @default 30 s
   */
  constructor(
    from: PictureBytes,
    {
      threads = Math.min(availableParallelism() - 1, mostThreads),
      patienceMs = 30_000,
    }: { readonly threads?: number; readonly patienceMs?: number } = {},
  ) {
    this.#patienceMs = patienceMs;
    this.#from = shared(from);
    this.#workers = Array.from({ length: threads }, () => {
      const worker = new Worker(new URL('render-thread.js', import.meta.url), { workerData: this.#from });
      // Nobody depends on one: what it does not do, this thread does.
      worker.on('error', () => {});
      worker.unref();
      return worker;
    });
  }

  /** Has the threads begin with the jobs, in their order. */
  begin(jobs: readonly RenderJob[]): void {
    for (const worker of this.#workers) worker.postMessage(jobs);
  }

  /** Works on the job too, and returns its `[views, size, size, 3]` when all of it is done. */
  finish(job: RenderJob): Float32Array {
    workOn(job, this.#from);
    if (waitFor(job, this.#patienceMs)) return job.rendered;
    const again = { ...job, rendered: new Float32Array(job.rendered.length), counts: new Int32Array(3) };
    return renderAlone(again, this.#from);
  }

  /** Ends the threads. */
  close(): void {
    for (const worker of this.#workers) void worker.terminate();
    this.#workers.length = 0;
  }
}

/** The same pixels in memory that threads can share; a copy only where they are not yet. */
const shared = ({ size, pixels, ...from }: PictureBytes): PictureBytes => {
  if (pixels.buffer instanceof SharedArrayBuffer) return { size, pixels, ...from };
  const copy = new Uint8Array(new SharedArrayBuffer(pixels.length));
  copy.set(pixels);
  return { size, pixels: copy, ...from };
};
