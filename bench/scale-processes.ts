import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What a process takes now, and what it took at most, MB of 10^6 bytes. */
export type ProcessMemory = { readonly residentMb: number; readonly peakMb: number };

const fieldsOf = (pid: number): string[] | undefined => {
  try {
    // The name, in brackets, may hold anything; the fields behind it are numbered from 3 in proc(5).
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  } catch {
    return undefined; // gone
  }
};

/** `VmRSS` and `VmHWM` of a process; undefined where it is gone (or not of Linux). */
export const memoryOf = (pid: number): ProcessMemory | undefined => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const megabytes = (name: string): number =>
      (Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? NaN) * 1024) / 1e6;
    const memory = { residentMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') };
    return Number.isNaN(memory.residentMb) ? undefined : memory;
  } catch {
    return undefined;
  }
};

/** Processor seconds of a process and of all its children that have ended. */
export const processorSecondsOf = (pid: number): number | undefined => {
  const fields = fieldsOf(pid);
  return fields && fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
};

/** The processes that a process has started, whichever of its threads did. Not every kernel lists them, so all processes are asked. */
export const childrenOf = (pid: number): number[] =>
  (existsSync('/proc') ? readdirSync('/proc') : [])
    .filter((name) => /^\d+$/.test(name) && fieldsOf(Number(name))?.[1] === String(pid))
    .map(Number);

/** What a process was started as: `ffmpeg` of `/some/where/ffmpeg -i …`. */
export const programOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0].split('/').at(-1)!;
  } catch {
    return '';
  }
};
