import { fork } from 'node:child_process';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { commandLine, invocationEnvironment } from '../invocation.js';
import { workerKillEnvironment } from '../kill-point.js';
import type { Progress } from '../stage.js';
import {
  noThreadExit,
  type FromWorker,
  type ToWorker,
  type WorkerSetup,
  type WorkerTask,
  type WorkerVerdict,
} from './worker-messages.js';

/** What the coordinator wants to hear while an item is worked on. */
export type TaskListener = { progress(progress: Progress): void; log(line: string): void };

/**
 * One place where items are worked on, one after another: a thread, a child process, or (one day) a queue over machines. A worker
 * that dies gives a `failed` verdict that says how, and the next task starts a fresh one.
 */
export type ItemWorker = {
  run(task: WorkerTask, listener: TaskListener): Promise<WorkerVerdict>;
  /** Asks the work in progress to stop. */
  abort(): void;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Ends it when nothing is in progress. */
  close(): Promise<void>;
};

/** How workers are made. */
export type WorkerOptions = {
  /** Set in the worker's environment (thread counts, log levels). */
  readonly environment: Readonly<Record<string, string>>;
  /** Lines that are dropped when a worker prints them. */
  readonly isNoise?: ((line: string) => boolean) | undefined;
  /** A child process that has not come as far as its program by then never will (Node waits for ever for threads it may not start). @default 120000 */
  readonly startWithinMs?: number;
  /** Hears of child processes, so that they can be found if the coordinator is killed. */
  readonly onChild?: (pid: number, alive: boolean) => void;
};

/** Makes a worker: `thread` is a worker thread, `tensors` the child process that holds TensorFlow. It starts with its first task. */
export function makeWorker(runs: 'thread' | 'tensors', setup: WorkerSetup, options: WorkerOptions): ItemWorker {
  const start = runs === 'thread' ? startThread : startChild;
  let live: Channel | undefined;
  let stopping = false;
  return {
    run: (task, listener) =>
      new Promise((resolve) => {
        if (stopping) return resolve({ status: 'aborted' });
        const channel = (live ??= start(setup, options));
        const tail: string[] = [];
        channel.listen({
          message: (message) => {
            if (message.type === 'progress') listener.progress(message.progress);
            else if (message.type === 'log') listener.log(message.line);
            else if (message.type === 'verdict') resolve(message.verdict);
          },
          printed: (line) => {
            if (options.isNoise?.(line)) return;
            tail.push(line);
            if (tail.length > 15) tail.shift();
            listener.log(line);
          },
          gone: (how, code = 'WORKER_DIED') => {
            live = undefined;
            const last = tail.length > 0 ? ` Its last lines: ${tail.join(' | ')}` : '';
            resolve(stopping ? { status: 'aborted' } : { status: 'failed', reason: `${how}${last}`, code });
          },
        });
        channel.send({ type: 'item', task });
      }),
    abort: () => {
      stopping = true;
      live?.send({ type: 'abort' });
    },
    kill: async () => {
      stopping = true;
      await live?.kill();
    },
    close: async () => {
      await live?.close();
    },
  };
}

type ChannelListener = {
  message(message: FromWorker): void;
  printed(line: string): void;
  /** `code`: why it did not start, as the system says it. */
  gone(how: string, code?: string): void;
};

type Channel = {
  send(message: ToWorker): void;
  listen(listener: ChannelListener): void;
  kill(): Promise<void>;
  close(): Promise<void>;
};

const program = new URL('./worker.js', import.meta.url);

const startThread = (setup: WorkerSetup, options: WorkerOptions): Channel => {
  const env = { ...workerKillEnvironment(process.env), ...invocationEnvironment(), ...options.environment };
  const thread = new Worker(program, { stdout: true, stderr: true, env });
  let listener: ChannelListener | undefined;
  let how = '';
  let why: string | undefined;
  thread.on('message', (message: FromWorker) => listener?.message(message));
  thread.on('error', (error: Error & { code?: string }) => {
    const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    how = memory ? 'The worker thread ran out of memory.' : `The worker thread died: ${error.message}.`;
    why = memory ? error.code : undefined;
  });
  const closed = new Promise<void>((resolve) => {
    thread.on('exit', (code) => {
      listener?.gone(how || `The worker thread ended with exit code ${code}.`, why);
      resolve();
    });
  });
  forwardLines([thread.stdout, thread.stderr], (line) => listener?.printed(line));
  thread.postMessage({ type: 'setup', setup } satisfies ToWorker);
  const kill = async (): Promise<void> => {
    void thread.terminate();
    await closed;
  };
  return { send: (message) => thread.postMessage(message), listen: (next) => (listener = next), kill, close: kill };
};

const startChild = (setup: WorkerSetup, options: WorkerOptions): Channel => {
  const child = fork(fileURLToPath(program), [], {
    env: { ...workerKillEnvironment(process.env), ...invocationEnvironment(), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  let listener: ChannelListener | undefined;
  try {
    if (child.pid !== undefined) options.onChild?.(child.pid, true);
  } catch (error) {
    child.kill('SIGKILL'); // What nobody could note down must not be left behind.
    throw error;
  }
  let stuck = false;
  const giveUp = (): void => {
    stuck = true;
    child.kill('SIGKILL');
  };
  // Twice: after a machine slept both are due at once, and the child gets its turn between them.
  const { startWithinMs = 120_000 } = options;
  let late = setTimeout(() => (late = setTimeout(giveUp, Math.min(startWithinMs, 5000))), startWithinMs);
  child.on('message', (message) => {
    clearTimeout(late);
    listener?.message(message as FromWorker);
  });
  child.on('error', (error: NodeJS.ErrnoException) => {
    // A process that did not start never closes; other errors (a message to one that has just died) are told by its end.
    if (child.pid !== undefined) return;
    clearTimeout(late);
    listener?.gone(`The process that does the work does not start: ${error.message}.`, error.code);
  });
  const closed = new Promise<void>((resolve) => {
    // `close` and not `exit`: what the process printed last is what tells why it died.
    child.on('close', (code, signal) => {
      if (child.pid !== undefined) options.onChild?.(child.pid, false);
      clearTimeout(late);
      if (stuck) listener?.gone('The process that does the work did not come to life.', 'EAGAIN');
      else listener?.gone(explainEnd(code, signal), code === noThreadExit ? 'EAGAIN' : undefined);
      resolve();
    });
  });
  forwardLines([child.stdout, child.stderr], (line) => listener?.printed(line));
  const send = (message: ToWorker): void => {
    // A child that has just died takes no message; its end is reported by `close`.
    if (child.connected) child.send(message, () => undefined);
  };
  send({ type: 'setup', setup });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await closed;
  };
  const close = async (): Promise<void> => {
    // Not `disconnect`: after it, Node never reports `close`.
    send({ type: 'close' });
    const late = setTimeout(() => child.kill('SIGKILL'), 2000);
    await closed;
    clearTimeout(late);
  };
  return { send, listen: (next) => (listener = next), kill, close };
};

const forwardLines = (streams: readonly (Readable | null)[], line: (text: string) => void): void => {
  for (const stream of streams) if (stream) createInterface({ input: stream }).on('line', line);
};

const adviceOn = (cause: string): string | undefined => {
  const doctor = `run \`${commandLine(['doctor'])}\``;
  switch (cause) {
    case 'SIGKILL':
      return 'The system most likely ended it for want of memory: close other programs, or lower the batch size or --jobs.';
    case 'SIGILL':
      return `The native library uses instructions that this processor lacks: ${doctor}, or try --device wasm.`;
    case 'SIGSEGV':
      return `The native library crashed: ${doctor}, or try --device wasm.`;
    case 'SIGBUS':
      return 'The native library crashed, or the disk behind a file it reads is full.';
    case 'SIGABRT':
      return `The native library gave up, often for want of memory or threads: lower the batch size, or ${doctor}.`;
    default:
      return undefined;
  }
};

/** How the child process ended, and what to do about it. */
export function explainEnd(code: number | null, signal: string | null): string {
  // Node itself ends with 134 when its heap is full.
  const cause = signal ?? (code === 134 ? 'SIGABRT' : '');
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${String(code)}`;
  const advice = adviceOn(cause);
  return `The process that does the work ${how}.${advice === undefined ? '' : ` ${advice}`}`;
}
