import { workerData, type MessagePort } from 'node:worker_threads';
import type { SessionOptions } from './onnx-session.js';

/** Pictures for the session, `[batch, 3, height, width]`. */
export type SessionRequest = { readonly values: Float32Array; readonly shape: readonly number[] };

/** The output; of the first answer, that the session is open, it is empty. */
export type SessionReply =
  { readonly values: Float32Array; readonly shape: readonly number[] } | { readonly problem: string };

const { file, input, output, threads, port, answered } = workerData as SessionOptions & {
  readonly port: MessagePort;
  readonly answered: Int32Array;
};

const answer = (reply: SessionReply): void => {
  port.postMessage(reply);
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
};

// Whatever goes wrong is an answer: who asked is blocked, and hears of nothing else.
try {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(file, {
    ...{ executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 },
    logSeverityLevel: 3,
  });
  port.on('message', ({ values, shape }: SessionRequest) => {
    session.run({ [input]: new Tensor('float32', values, [...shape]) }, [output]).then(
      (found) => {
        const { data, dims } = found[output]!;
        if (data instanceof Float32Array) answer({ values: data, shape: [...dims] });
        else answer({ problem: `expected float32 from \`${output}\`` });
      },
      (error: Error) => answer({ problem: error.message }),
    );
  });
  answer({ values: new Float32Array(0), shape: [] });
} catch (error) {
  answer({ problem: (error as Error).message });
}
