import { appendFileSync, closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import path from 'node:path';
import { killPoint } from './kill-point.js';
import { printableText } from './printable.js';
import { RunError } from './run-errors.js';

const { O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_WRONLY } = constants;

/** Adds a line, with the time, to a run's log. One that is no file of its own (a link, a pipe) is not written to. */
export function appendToLog(file: string | undefined, line: string): void {
  if (file === undefined) return;
  try {
    killPoint('before a line of the log');
    const handle = openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o666);
    try {
      if (fstatSync(handle).isFile()) appendFileSync(handle, `${new Date().toISOString()} ${printableText(line)}\n`);
    } finally {
      closeSync(handle);
    }
    killPoint('after a line of the log');
  } catch {
    // A log that cannot be written (a full disk) must not stop what it tells about.
  }
}

/**
 * Refuses a log that is a link: a run would write to somebody's file elsewhere. Also a pipe or folder in its place.
 *
 * @throws RunError that names it
 */
export function refuseForeignLog(workDir: string): void {
  const file = path.join(workDir, 'run.log');
  const there = lstatSync(file, { throwIfNoEntry: false });
  if (!there || there.isFile()) return;
  const what = there.isSymbolicLink() ? 'a link' : there.isDirectory() ? 'a folder' : 'a pipe or device';
  throw new RunError(
    `Expected ${file} to be a file of its own, got ${what}: a run writes within its folder. Move it away, or give another folder with --work DIR`,
  );
}
