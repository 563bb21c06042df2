/** A run that cannot go on, for a reason that a person can do something about: exit code 1, no stack trace. */
export class RunError extends Error {
  override readonly name = 'RunError';
}

/** The run was asked to stop: exit code 130, nothing is recorded as failed. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('The run was asked to stop');
  }
}

/** What went wrong around the work (a full disk) and not in it: such an item is not recorded as failed. */
export function explainSurroundings(error: unknown, workDir: string): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code !== 'string') return undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code.startsWith('SQLITE_FULL')) {
    return `The disk that holds ${workDir} is full. Nothing that was finished is lost: make room, and run the same command again.`;
  }
  if (code === 'EROFS' || code.startsWith('SQLITE_READONLY')) return readOnly(workDir);
  if (code.startsWith('SQLITE_IOERR') || code === 'EIO') {
    return `The disk that holds ${workDir} reports an error (${(error as Error).message}). What was finished is kept: see to the disk, and run the same command again.`;
  }
  return undefined;
}

/** The run folder cannot be written. */
export const readOnly = (workDir: string): string =>
  `Expected to be able to write in ${workDir}: it is read-only for this user. Give another folder with --work DIR, or change its permissions.`;
