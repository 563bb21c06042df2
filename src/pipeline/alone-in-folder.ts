import { listenForInterruption } from './interruption.js';
import type { Ledger } from './ledger/ledger.js';
import { RunError, explainSurroundings } from './run-errors.js';
import { RunFolder } from './run-folder.js';
import { takeRunLock, type RunLock } from './run-lock.js';

/**
 * Does something with a run folder that no run is at work in meanwhile, and stops when it is asked to. `open` gives the ledger; a copy of
 * one, of a folder that cannot be written, needs no lock.
 *
 * @throws RunError where a run holds the folder; Interrupted
 */
export async function aloneIn<T>(
  workDir: string,
  open: () => Ledger,
  say: (line: string) => void,
  task: (ledger: Ledger, folder: RunFolder, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interruption = listenForInterruption(say);
  let ledger: Ledger | undefined;
  let lock: RunLock | undefined;
  try {
    ledger = open();
    if (!ledger.isCopy) lock = await takeRunLock(ledger);
    return await task(ledger, new RunFolder(workDir), interruption.stop);
  } catch (error) {
    const explained = explainSurroundings(error, workDir);
    throw explained ? new RunError(explained) : error;
  } finally {
    closeQuietly(ledger, lock);
    interruption.release();
  }
}

/** Gives a folder back. On a full disk the lock stays; its process being gone, the next run takes it over. The first error is the one to report. */
export function closeQuietly(ledger: Ledger | undefined, lock: RunLock | undefined): void {
  try {
    lock?.release();
  } catch {
    // As said above.
  }
  ledger?.close();
}
