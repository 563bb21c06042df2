import { createRequire } from 'node:module';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { installCommand } from '../../pipeline/invocation.js';
import { UsageError } from '../../pipeline/usage-error.js';
import type { SessionReply, SessionRequest } from './onnx-session.work.js';

/** A network in onnxruntime that answers before the call returns, as everything does that reads features. */
export type OnnxSession = {
  /** Runs it on `[batch, 3, height, width]`; values and shape of the output. */
  run(
    values: Float32Array,
    shape: readonly number[],
  ): { readonly values: Float32Array; readonly shape: readonly number[] };
  close(): void;
};

/** What a session is opened with. */
export type SessionOptions = {
  readonly file: string;
  readonly input: string;
  readonly output: string;
  /** Threads of a pass; their number decides the last bits. */
  readonly threads: number;
};

/** Longest time for one answer: a batch of a large network on a slow machine takes seconds. */
const patienceMs = 600_000;

/**
 * Whether the package `onnxruntime-node` is there, which is optional.
 *
 * @throws UsageError with the command that installs it, where it is not
 */
export const checkOnnxruntime = (resolve: (name: string) => string = createRequire(import.meta.url).resolve): void => {
  try {
    resolve('onnxruntime-node');
  } catch {
    throw new UsageError(
      `Expected the package onnxruntime-node, which runs ONNX encoders, to be installed: ${installCommand('onnxruntime-node')}`,
    );
  }
};

/**
 * Has onnxruntime report nothing. Of its own it sends what it is used for to its makers, and keeps a number for this machine and a database
 * of what is still to be sent in the user's cache. Who has set the variable himself is left his choice.
 */
export const silenceOnnxruntime = (env: NodeJS.ProcessEnv = process.env): void => {
  env['ORT_DISABLE_TELEMETRY'] ??= '1';
};

/**
 * Opens a network in a thread of its own: onnxruntime answers by promise, the readers of features wait for tensors. The caller blocks
 * until the thread has answered, and closes it.
 *
 * @throws Error with what onnxruntime says, where the network cannot be loaded
 */
export const openOnnxSession = (options: SessionOptions): OnnxSession => {
  silenceOnnxruntime();
  const { port1: port, port2: theirs } = new MessageChannel();
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./onnx-session.work.js', import.meta.url), {
    workerData: { ...options, port: theirs, answered },
    transferList: [theirs],
    // Not those of who calls: a thread with `--input-type` does not start, and the wait below would be for nothing.
    execArgv: [],
  });
  worker.unref();
  const wait = (): Extract<SessionReply, { values: Float32Array }> => {
    const outcome = Atomics.wait(answered, 0, 0, patienceMs);
    Atomics.store(answered, 0, 0);
    const reply = receiveMessageOnPort(port)?.message as SessionReply | undefined;
    if (reply === undefined) throw new Error(`onnxruntime gave no answer for ${options.file} (${outcome})`);
    if ('problem' in reply) throw new Error(`onnxruntime, ${options.file}: ${reply.problem}`);
    return reply;
  };
  const close = (): void => {
    port.close();
    void worker.terminate();
  };
  try {
    wait();
  } catch (error) {
    close();
    throw error;
  }
  return {
    run: (values, shape) => {
      port.postMessage({ values, shape } satisfies SessionRequest);
      return wait();
    },
    close,
  };
};
