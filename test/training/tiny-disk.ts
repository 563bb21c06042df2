import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A disk of its own in memory, which can be filled or made read-only. */
export type TinyDisk = {
  readonly root: string;
  /** Leaves so many bytes free. */
  fill(free: number): void;
  /** Takes away what `fill` wrote. */
  clear(): void;
  setReadOnly(isReadOnly: boolean): void;
  remove(): void;
};

/** Makes a disk of so many kB; undefined where this user may not (it takes root, on Linux). */
export function tinyDisk(kilobytes: number): TinyDisk | undefined {
  const root = mkdtempSync(path.join(tmpdir(), 'disk-'));
  const mount = (options: string): void =>
    void execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', root], { stdio: 'ignore' });
  try {
    mount(`size=${kilobytes}k`);
  } catch {
    rmdirSync(root);
    return undefined;
  }
  const filler = path.join(root, 'filler');
  return {
    root,
    fill: (free) => {
      const { bavail, bsize } = statfsSync(root);
      writeFileSync(filler, new Uint8Array(bavail * bsize - free));
    },
    clear: () => rmSync(filler, { force: true }),
    setReadOnly: (isReadOnly) => mount(`remount,${isReadOnly ? 'ro' : 'rw'}`),
    remove: () => {
      execFileSync('umount', ['-l', root], { stdio: 'ignore' });
      rmdirSync(root);
    },
  };
}
