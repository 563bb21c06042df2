import { appendFileSync } from 'node:fs';
import { printableText } from './printable.js';

/** Adds a line, with the time, to a run's log. */
export function appendToLog(file: string | undefined, line: string): void {
  if (file === undefined) return;
  try {
    appendFileSync(file, `${new Date().toISOString()} ${printableText(line)}\n`);
  } catch {
    // A log that cannot be written (a full disk) must not stop what it tells about.
  }
}
