import { appendFileSync } from 'node:fs';
import { killPoint } from './kill-point.js';
import { printableText } from './printable.js';

/** Adds a line, with the time, to a run's log. */
export function appendToLog(file: string | undefined, line: string): void {
  if (file === undefined) return;
  try {
    killPoint('before a line of the log');
    appendFileSync(file, `${new Date().toISOString()} ${printableText(line)}\n`);
    killPoint('after a line of the log');
  } catch {
    // A log that cannot be written (a full disk) must not stop what it tells about.
  }
}
