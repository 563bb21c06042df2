import type { Writable } from 'node:stream';

// EPIPE: the reader has gone (`| head -1`). EIO: the terminal has. ENOSPC and the like: it goes to a file that finds no room. EBADF: it was
// closed from the start. The other one is what writing after any of them comes to.
const harmless: ReadonlySet<string | undefined> = new Set([
  ...['EPIPE', 'EIO', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EBADF'],
  'ERR_STREAM_DESTROYED',
]);

const ignoreClosed = (error: NodeJS.ErrnoException): void => {
  if (!harmless.has(error.code)) throw error;
};

/** Lets a program go on when nobody reads what it prints any more; a run still writes its log. */
export function surviveClosedOutput(streams: readonly Writable[] = [process.stdout, process.stderr]): void {
  for (const stream of streams) {
    if (!stream.listeners('error').includes(ignoreClosed)) stream.on('error', ignoreClosed);
  }
}
