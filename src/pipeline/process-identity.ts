import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process, told apart from a later one with the same number by when it started (and, on Linux, in which uptime of the machine). */
export type ProcessIdentity = { readonly pid: number; readonly started: string };

/** When a process started, as the system words it; `undefined` if there is no such process (or only its zombie). */
export function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // After the last `)`, since the second field is the program's name and may hold anything. Fields: state is 3, start 22.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    }
    const line = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line === '' ? undefined : line;
  } catch {
    return undefined;
  }
}

/** Drawn by the system at every start: start times of processes begin at 0 again after each. */
const bootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
};

/** The identity of a process that is alive. */
export const identityOf = (pid: number): ProcessIdentity => ({
  pid,
  started: `${startOf(pid) ?? ''} ${bootId()}`.trim(),
});

/** Whether that very process still runs. A ledger may say anything: of what is no number of a process none does (-1 would be all of this user's). */
export const isAlive = ({ pid, started }: ProcessIdentity): boolean => {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  const now = startOf(pid);
  // Without an uptime: as it was noted before there was one.
  return now !== undefined && (started === now || started === `${now} ${bootId()}`);
};
