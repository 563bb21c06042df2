import { Interrupted } from './run-errors.js';

/** What a run listens to when somebody asks it to stop. */
export type Interruption = {
  /** Aborted by the first Ctrl-C, or SIGTERM, or SIGHUP. */
  readonly stop: AbortSignal;
  /** Aborted by the second. */
  readonly stopNow: AbortSignal;
  release(): void;
};

/** Turns signals into aborts: the first asks for a stop, the second for an end at once; by the third the process just ends. */
export function listenForInterruption(say: (line: string) => void): Interruption {
  const stop = new AbortController();
  const stopNow = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopNow.signal.aborted) process.exit(130);
    if (stop.signal.aborted) {
      say(`${signal} again: ending at once`);
      stopNow.abort();
    } else {
      say(`${signal}: finishing the step in progress (again to end at once)`);
      stop.abort(new Interrupted());
    }
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    stop: stop.signal,
    stopNow: stopNow.signal,
    release: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
