import { commandLine } from '../invocation.js';
import { ledgerVersion } from './ledger-schema.js';
import { RunError, readOnly } from '../run-errors.js';

/** A ledger whose file is damaged. */
export class TornLedger extends RunError {
  constructor(workDir: string, detail: string) {
    super(
      `The ledger of ${workDir} is damaged (${detail.replaceAll(/\s+/g, ' ')}). \`${commandLine(['verify', '--work', workDir])}\` saves what can be read of it, ` +
        `checks every file against that, and computes the rest again. Or move ledger.sqlite and the files -wal and -shm beside it away and run ` +
        `the same command: everything is then computed again (checkpoints of unfinished items are kept).`,
    );
  }
}

/** What SQLite says when a ledger is opened, in words that say what to do; another error as it is. */
export function explainLedgerError(error: unknown, workDir: string): unknown {
  const { code = '', message } = error as { code?: string; message: string };
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code) || message === 'unsupported file format')
    return new TornLedger(workDir, message);
  if (/^SQLITE_(READONLY|CANTOPEN|PERM)/.test(code)) return new RunError(`${readOnly(workDir)} (${message})`);
  return error;
}

/** Of a ledger that this program does not know. */
export const otherVersion = (workDir: string, version: number): RunError =>
  new RunError(
    `Expected the ledger of ${workDir} to have version ${ledgerVersion} or less, got ${version}: it was written by a newer version of this ` +
      `program. Use that version, or another folder with --work DIR.`,
  );
