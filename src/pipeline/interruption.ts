import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { Interrupted, type StopSignal } from './run-errors.js';

/** What a run listens to when somebody asks it to stop. */
export type Interruption = {
  /** Aborted by the first Ctrl-C, or SIGTERM, or SIGHUP. */
  readonly stop: AbortSignal;
  /** Aborted by the second. */
  readonly stopNow: AbortSignal;
  release(): void;
};

/** What a program that a signal ended exits with, by custom: 128 and the signal's number. */
export const exitCodeOf = (signal: StopSignal): number => 128 + constants.signals[signal];

/** Whether somebody may be sitting before this process. */
const hasTerminal = (): boolean => [0, 1, 2].some((descriptor) => isatty(descriptor));

/**
 * Turns signals into aborts: the first asks for a stop, the second for an end at once; by the third the process just ends.
 *
 * A SIGHUP says that the terminal is gone. To a process that never had one (`nohup`, `setsid`, a job of a scheduler) it says nothing, and the
 * run goes on: Node takes back what `nohup` sets, so that this is how such a job outlives the session it was started in.
 */
export function listenForInterruption(say: (line: string) => void, onTerminal = hasTerminal()): Interruption {
  const stop = new AbortController();
  const stopNow = new AbortController();
  const signals: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const onSignal = (name: NodeJS.Signals): void => {
    const signal = name as StopSignal;
    if (signal === 'SIGHUP' && !onTerminal) {
      say('SIGHUP, to a run without a terminal: going on (SIGTERM stops it)');
    } else if (stopNow.signal.aborted) {
      process.exit(exitCodeOf(signal));
    } else if (stop.signal.aborted) {
      say(`${signal} again: ending at once`);
      stopNow.abort();
    } else {
      say(`${signal}: finishing the step in progress (again to end at once)`);
      stop.abort(new Interrupted(signal));
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
