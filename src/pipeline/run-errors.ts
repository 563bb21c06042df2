import { statfsSync } from 'node:fs';
import { shortened } from './shortened.js';
import { longestMessage } from './usage-error.js';

/** A run that cannot go on, for a reason that a person can do something about: exit code 1, no stack trace. A message that would be very long is cut. */
export class RunError extends Error {
  override readonly name = 'RunError';

  constructor(message: string, options?: ErrorOptions) {
    super(shortened(message, longestMessage), options);
  }
}

/** What V8 says where the system gives no memory for a buffer or a WebAssembly module: it has no code of its own. */
const noMemory =
  /Cannot allocate Wasm memory|WebAssembly\.\w+\(\): Out of memory|could not allocate memory|Array buffer allocation failed/i;

/** The run was asked to stop: exit code 128 and the number of the signal (130 for Ctrl-C), nothing is recorded as failed. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(readonly signal: StopSignal = 'SIGINT') {
    super('The run was asked to stop');
  }
}

/** The signals that ask a run to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/**
 * What went wrong around the work (a full disk) and not in it: such an item is not recorded as failed. Absent for errors that are not of
 * that kind. `reason`s of workers have lost all but message and code.
 */
export function explainSurroundings(error: unknown, workDir: string): string | undefined {
  const {
    code,
    message = '',
    reason = message,
  } = (error ?? {}) as { code?: unknown; message?: string; reason?: string };
  if (error instanceof RunError) return undefined;
  if (noMemory.test(reason)) return explainSurroundings({ code: 'ENOMEM' }, workDir);
  if (typeof code !== 'string') return undefined;
  const goOn = 'Nothing that was finished is lost:';
  switch (code) {
    case 'ENOSPC':
    case 'SQLITE_FULL':
      return `The disk that holds ${workDir} is full. ${goOn} make room, and run the same command again.`;
    case 'EDQUOT':
      return `This user's share of the disk that holds ${workDir} is used up, which leaves it as good as full. ${goOn} make room, and run the same command again.`;
    case 'EFBIG':
      return `A file in ${workDir} would become larger than this process may write. ${goOn} raise the limit (\`ulimit -f\`), and run the same command again.`;
    case 'EMFILE':
    case 'ENFILE':
      return `Too many files are open at once. ${goOn} raise the limit (\`ulimit -n\`) or lower --jobs, and run the same command again.`;
    case 'EAGAIN':
    case 'ERR_WORKER_INIT_FAILED':
      return `The system starts no further process or thread. ${goOn} raise the limit (\`ulimit -u\`) or lower --jobs, and run the same command again.`;
    case 'ENOMEM':
    case 'SQLITE_NOMEM':
    case 'ERR_WORKER_OUT_OF_MEMORY':
    case 'ERR_MEMORY_ALLOCATION_FAILED':
      return `The system has no memory left. ${goOn} close other programs, raise the limit (\`ulimit -v\`), or lower --jobs or the batch size, and run the same command again.`;
    case 'SQLITE_READONLY_DBMOVED':
      return `The ledger of ${workDir} was moved or removed while a run was at work. Put the folder back where it was, and run the same command again.`;
    case 'EROFS':
      return readOnly(workDir);
    case 'EIO':
    case 'ESTALE':
      return `The disk that holds ${workDir} reports an error (${reason}). What was finished is kept: see to the disk, and run the same command again.`;
    case 'ENOENT':
      // Names of files that the work itself looks for in vain stand elsewhere.
      return reason.includes(workDir)
        ? `A file in ${workDir} vanished while a run was at work (${reason}). Run the same command again: what is missing is made again.`
        : undefined;
  }
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL|IOERR_(LOCK|UNLOCK|RDLOCK|CHECKRESERVEDLOCK|SHMLOCK|SHMOPEN|SHMMAP))/.test(code))
    return notLocked(workDir, code);
  if (code.startsWith('SQLITE_FULL')) return explainSurroundings({ code: 'SQLITE_FULL' }, workDir);
  if (code.startsWith('SQLITE_READONLY')) return readOnly(workDir);
  if (!code.startsWith('SQLITE_IOERR')) return undefined;
  // What SQLite calls an input/output error is often only the want of room.
  if (isFull(workDir)) return explainSurroundings({ code: 'SQLITE_FULL' }, workDir);
  const limit = 'or a limit on the size of files, `ulimit -f`';
  return explainSurroundings({ code: 'EIO', message: `${reason}; ${limit}` }, workDir);
}

/** Less than what a ledger's log grows by at once. */
const isFull = (workDir: string): boolean => {
  try {
    const { bavail, bsize } = statfsSync(workDir);
    return bavail * bsize < 65536;
  } catch {
    return false;
  }
};

const notLocked = (workDir: string, code: string): string =>
  `The ledger of ${workDir} cannot be locked (${code}): another program keeps it open, or its file system has no locks (some network drives). ` +
  `Nothing is lost: close the other program and run the same command again, or copy the folder to a disk of this machine and give it with --work DIR.`;

/** The run folder cannot be written. */
export const readOnly = (workDir: string): string =>
  `Expected to be able to write in ${workDir}: it is read-only for this user. Give another folder with --work DIR, or change its permissions.`;
