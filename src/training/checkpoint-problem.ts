import path from 'node:path';
import { formatBytes, freeDisk } from '../provision/disk.js';

/** A checkpoint cannot be written, for a reason outside this program. `code` is the system's (`ENOSPC`). */
export class CheckpointProblem extends Error {
  override readonly name = 'CheckpointProblem';
  readonly code: string;
  constructor(message: string, code: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** What was to be written, and what is there already. */
export type FailedWrite = {
  readonly dir: string;
  /** `The checkpoint of step 40`. */
  readonly what: string;
  /** Its size. */
  readonly bytes: number;
  /** Step of the newest checkpoint in the folder; absent if there is none. */
  readonly newest?: number | undefined;
};

/** Whether a failed write says that the disk, or the user's share of it, is full. */
export const isFullDisk = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');

/**
 * A failed write in words: the folder, the space it needs and has, what is kept, and how to go on. An error that is not the disk's or
 * the folder's is given back as it is.
 */
export async function explainFailedWrite(error: unknown, { dir, what, bytes, newest }: FailedWrite): Promise<unknown> {
  const code = codeOf(error);
  if (code === undefined) return error;
  const folder = path.resolve(dir);
  const kept =
    newest === undefined
      ? 'No checkpoint was saved before, so the run begins anew when it is started again'
      : `Nothing that was saved is lost: the newest checkpoint is of step ${newest}, and the run goes on from there when it is started again`;
  const say = (problem: string, remedy: string): CheckpointProblem =>
    new CheckpointProblem(`${what} could not be written into ${folder}: ${problem}. ${remedy}. ${kept}`, code, error);
  const size = formatBytes(bytes);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT': {
      const free = await freeDisk(folder).catch(() => undefined);
      const limit = code === 'EDQUOT' ? "this user's share of the disk is used up" : 'the disk is full';
      const there = free === undefined ? '' : `, ${formatBytes(free)} are free`;
      return say(`${limit} (it needs ${size}${there})`, `Make room for ${size}, and start it again`);
    }
    case 'EFBIG':
      return say(
        `files as large are not allowed there (it needs ${size})`,
        'Raise the limit (`ulimit -f`), or use a disk that holds larger files, and start it again',
      );
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return say(
        'it is read-only for this user',
        'Change its permissions, or copy it where you can write and give that folder',
      );
    case 'ENOTDIR':
    case 'EEXIST':
      return say('a file stands in its place', 'Move it away, or give another folder');
    case 'EIO':
      return say('the disk reports an error', 'See to the disk, or copy the folder to another');
    default:
      return error;
  }
}

const codeOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
};
