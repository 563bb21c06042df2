import { readFileSync, writeFileSync } from 'node:fs';

/** The most memory that a process held since the watch began, tensors included. */
export type PeakMemory = {
  /** Where the kernel keeps no peak: takes what is held now into account. To be called every step. */
  look(): void;
  /** Bytes. */
  most(): number;
};

/** The peak that Linux keeps of this process (`VmHWM`), in bytes; undefined elsewhere. */
const readPeak = (): number | undefined => {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return found ? Number(found[1]) * 1024 : undefined;
  } catch {
    return undefined;
  }
};

/** Sets that peak to what is held now, which a process may do for itself (`5` in `clear_refs`; see `man 5 proc`). */
const resetPeak = (): boolean => {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return readPeak() !== undefined;
  } catch {
    return false;
  }
};

/**
 * Watches the memory of this process from now on. On Linux it is the kernel's own peak, set back at the beginning: what earlier work
 * took at its height is not in it, what it never gave back is, and nothing between two looks is missed. Where that
 * cannot be had it is the largest resident set that was looked at.
 */
export const watchPeakMemory = (): PeakMemory => {
  const isKept = resetPeak();
  let seen = process.memoryUsage.rss();
  return {
    look: () => {
      if (!isKept) seen = Math.max(seen, process.memoryUsage.rss());
    },
    most: () => (isKept ? readPeak() : undefined) ?? seen,
  };
};
