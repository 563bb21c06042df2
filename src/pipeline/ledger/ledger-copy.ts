import { accessSync, constants, cpSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Whether this process may write a file, or in a folder. */
export const isWritable = (place: string): boolean => {
  try {
    accessSync(place, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

/** A folder of its own with a copy of a ledger and of what its log still holds: SQLite looks at nothing without writing beside it. */
export function copyOfLedger(file: string): string {
  const copy = mkdtempSync(path.join(tmpdir(), 'ledger-'));
  for (const end of ['', '-wal'])
    if (existsSync(file + end)) cpSync(file + end, path.join(copy, `ledger.sqlite${end}`));
  return copy;
}
