import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Transferable as Transfer, Worker as Thread } from 'node:worker_threads';

const require = createRequire(import.meta.url);

/** How many threads tfjs's build of wasm makes as it starts, whatever is asked for. */
const POOL = 8;

/**
 * Has tfjs's wasm backend, which `open` starts, compute with threads; it knows them in browsers only. In Node three things stand in the way, each of
 * which is held off while it starts and put back after:
 *
 * - its flag says that there are none;
 * - it starts its threads from the address of a blob, which Node refuses: they get the same script as text, and its main script by its path;
 * - it takes half of the processors that the system names at most: it is told of as many as make `threads`.
 *
 * Of its pool of eight threads only those that will compute are started. They keep no process from ending. A product or convolution
 * gives the same bytes with any number of threads: each tile of it is computed by one.
 *
 * @param threads of one op, the calling one among them; more than eight are not to be had
 * @returns what `open` gives
 */
export async function withWasmThreads<T>(threads: number, open: () => Promise<T>): Promise<T> {
  const count = Math.min(threads, POOL);
  if (count < 2) return open();
  const { env } = require('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
  wasm.setThreadsCount(count);
  const node = require('node:worker_threads') as { Worker: unknown };
  const os = require('node:os') as { cpus: () => unknown[] };
  const { Worker } = node;
  const { cpus } = os;
  node.Worker = poolOf(Worker as typeof Thread, count - 1);
  os.cpus = () => Array.from({ length: 2 * count }, () => cpus()[0]);
  try {
    return await open();
  } finally {
    node.Worker = Worker;
    os.cpus = cpus;
  }
}

/** What tfjs's pool makes its threads of: the last `started` of the pool, which it takes first, are threads; the others say that they are ready. */
function poolOf(Worker: typeof Thread, started: number): new () => EventEmitter {
  const scripts = path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '..', 'wasm-out');
  const script = path.join(scripts, 'tfjs-backend-wasm-threaded-simd.js');
  const { wasmWorkerContents } = require(script.replace(/\.js$/, '.worker.js')) as { wasmWorkerContents: string };
  // Its line ends are those of a text within a script.
  const text = wasmWorkerContents.replaceAll('\n', '\\n');
  let made = 0;
  return class extends EventEmitter {
    readonly #thread = made++ >= POOL - started ? new Worker(text, { eval: true, execArgv: [] }) : undefined;

    constructor() {
      super();
      this.#thread?.on('message', (message) => this.emit('message', message));
      this.#thread?.on('error', (error) => this.emit('error', error));
    }

    postMessage(message: { readonly cmd: string }, transfer?: readonly Transfer[]): void {
      if (this.#thread === undefined) setImmediate(() => this.emit('message', { cmd: 'loaded' }));
      else this.#thread.postMessage(message.cmd === 'load' ? { ...message, urlOrBlob: script } : message, transfer);
    }

    /** A thread that waits for work would keep the process. */
    ref(): void {}

    unref(): void {
      this.#thread?.unref();
    }

    terminate(): unknown {
      return this.#thread?.terminate();
    }
  };
}
