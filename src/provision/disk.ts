import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { SetupProblem } from './setup-problem.js';

/** Bytes as a person reads them: `853 MB` (decimal units, as disks are sold). */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  return `${Math.max(0, Math.ceil(bytes / 1e3))} kB`;
}

/** Free bytes for an ordinary user on the disk that holds `folder`, which need not exist yet, or not be for this user to look at. */
export async function freeDisk(folder: string): Promise<number> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(code) || at === path.dirname(at)) throw error;
    }
  }
}

/** Refuses with a `SetupProblem` if the disk under `folder` has fewer than `bytes` free. */
export async function requireDisk(folder: string, bytes: number, what: string): Promise<void> {
  const free = await freeDisk(folder);
  if (free >= bytes) return;
  throw new SetupProblem(
    `${what} needs ${formatBytes(bytes)} of free disk under ${folder}, and ${formatBytes(free)} are free.`,
    'free some space, or set VIDEO_SSL_CACHE to a folder on a larger disk',
  );
}
