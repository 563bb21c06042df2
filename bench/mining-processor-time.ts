import { readFileSync } from 'node:fs';

/** Processor seconds: of all threads of this process, and of the children that it has waited for (NaN where the system does not tell). */
export type ProcessorTime = { readonly own: number; readonly children: number };

// proc(5) counts in ticks of a hundredth of a second, whatever the kernel's own.
const TICKS_A_SECOND = 100;

/** Processor seconds until now. */
export const processorTime = (): ProcessorTime => {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1e6;
  try {
    // After the name, which may hold spaces and brackets: cutime and cstime are the fields 16 and 17 of the whole line.
    const line = readFileSync('/proc/self/stat', 'utf8');
    const fields = line.slice(line.lastIndexOf(') ') + 2).split(' ');
    return { own, children: (Number(fields[13]) + Number(fields[14])) / TICKS_A_SECOND };
  } catch {
    return { own, children: NaN };
  }
};

/** Processor seconds since an earlier reading. */
export const processorTimeSince = (before: ProcessorTime): ProcessorTime => {
  const now = processorTime();
  return { own: now.own - before.own, children: now.children - before.children };
};
