import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { toJson } from '../canonical-json.js';
import { sealFolder } from '../durable-files.js';
import { killPoint } from '../kill-point.js';
import { Interrupted } from '../run-errors.js';
import type { StageOutput, Work, WorkContext } from '../stage.js';
import {
  noThreadExit,
  type FromWorker,
  type ToWorker,
  type WorkerSetup,
  type WorkerTask,
  type WorkerVerdict,
} from './worker-messages.js';

// The program of a worker, be it a thread or a child process: loads the work module once, then does item after item.

const post = (message: FromWorker): void => {
  if (parentPort) parentPort.postMessage(message);
  else process.send?.(message);
};

const progressEveryMs = 200;
const abort = new AbortController();
let setup: WorkerSetup | undefined;

const onMessage = (message: ToWorker): void => {
  if (message.type === 'setup') setup = message.setup;
  else if (message.type === 'abort') abort.abort(new Interrupted());
  else if (message.type === 'close') process.exit();
  else void runItem(setup!, message.task).then((verdict) => post({ type: 'verdict', verdict }));
};

async function runItem(given: WorkerSetup, task: WorkerTask): Promise<WorkerVerdict> {
  try {
    const work = ((await import(given.module)) as { default: Work }).default;
    if (typeof work !== 'function')
      throw new Error(`Expected ${given.module} to have a work function as its default export`);
    abort.signal.throwIfAborted();
    killPoint('before work');
    const result = await work(task.item, contextOf(given, task));
    killPoint('after work');
    const data = toJson(result.data ?? null, 'data');
    if (result.status === 'rejected') return { status: 'rejected', reason: result.reason, data };
    const files = sealFolder(task.outputs);
    const volatile = result.volatile ?? [];
    for (const name of volatile) {
      if (!files.some((file) => file.name === name))
        throw new Error(`Expected the volatile file \`${name}\` to be among the outputs`);
    }
    return { status: 'done', data, notes: toJson(result.notes ?? null, 'notes'), volatile, files };
  } catch (error) {
    // Work that was asked to stop may throw what it likes on the way out (a broken pipe, a library's own abort).
    if (abort.signal.aborted) return { status: 'aborted' };
    const { message, stack, code } = error as { message?: string; stack?: string; code?: unknown };
    return {
      status: 'failed',
      reason: message ?? String(error),
      ...(typeof code === 'string' ? { code } : {}),
      ...(stack ? { stack } : {}),
    };
  }
}

function contextOf(given: WorkerSetup, task: WorkerTask): WorkContext<unknown> {
  const inputs = new Map<string, StageOutput>(given.inputs.map((output) => [output.stage, output]));
  let lastProgress = 0;
  return {
    params: given.params,
    settings: given.settings,
    input: (stage) => {
      const output = inputs.get(stage);
      if (!output)
        throw new Error(
          `Expected \`${stage}\` to be among the inputs that the work reads (${[...inputs.keys()].join(', ') || 'none'})`,
        );
      return output;
    },
    outputs: task.outputs,
    scratch: task.scratch,
    progress: (progress) => {
      const now = performance.now();
      if (now - lastProgress < progressEveryMs) return;
      lastProgress = now;
      post({ type: 'progress', progress });
    },
    log: (line) => post({ type: 'log', line }),
    signal: abort.signal,
  };
}

if (parentPort) parentPort.on('message', onMessage);
else if (process.send && isMainThread) {
  process.on('message', onMessage);
  post({ type: 'started' });
  // Ctrl-C reaches the whole foreground group; the coordinator decides what a worker does about it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit());
  // A step inside TensorFlow blocks the event loop, and with it `disconnect`: this thread notices a parent that is gone.
  const watch = `const parent = process.ppid; setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 250);`;
  try {
    new Worker(watch, { eval: true }).unref();
  } catch {
    process.exit(noThreadExit);
  }
}
