import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Writable } from 'node:stream';
import { printableText } from './printable.js';
import { RunError } from './run-errors.js';

// EPIPE: the reader has gone (`| head -1`). EIO: the terminal has. ENOSPC and the like: it goes to a file that finds no room. EBADF: it was
// closed from the start. The other one is what writing after any of them comes to.
const harmless: ReadonlySet<string | undefined> = new Set([
  ...['EPIPE', 'EIO', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EBADF'],
  'ERR_STREAM_DESTROYED',
]);

const ignoreClosed = (error: NodeJS.ErrnoException): void => {
  if (!harmless.has(error.code)) throw error;
};

const descriptors = [0, 1, 2] as const;
const terminals = descriptors.filter((descriptor) => isatty(descriptor));

/**
 * At its end Node resets the terminals that it began with, and aborts (134, a core dump) where one is gone; descriptors that lead elsewhere
 * by then it leaves alone.
 */
const letGoOfTerminals = (): void => {
  const gone = terminals.filter((descriptor) => !isatty(descriptor));
  for (const descriptor of gone) {
    closeSync(descriptor);
    openSync('/dev/null', 'r+'); // The lowest number that is free: the one just closed.
  }
};

/** Lets a program go on when nobody reads what it prints any more, and end as it would have; a run still writes its log. */
export function surviveClosedOutput(streams: readonly Writable[] = [process.stdout, process.stderr]): void {
  for (const stream of streams) {
    if (!stream.listeners('error').includes(ignoreClosed)) stream.on('error', ignoreClosed);
  }
  if (!process.listeners('exit').includes(letGoOfTerminals)) process.on('exit', letGoOfTerminals);
}

/**
 * Prints what a command is there to say, each line on its own. A reader that has gone had enough; but what finds no room was not said.
 *
 * @throws RunError where it could not be written
 */
export const printResult = (lines: readonly string[], stream: Writable = process.stdout): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(lines.map((line) => `${printableText(line)}\n`).join(''), (error) => {
      const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
      const isHeard = !error || code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
      if (isHeard) resolve();
      else reject(new RunError(`The result could not be written (${message}).`));
    });
  });
