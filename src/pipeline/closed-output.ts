import type { Writable } from 'node:stream';

const ignoreClosed = (error: NodeJS.ErrnoException): void => {
  // EPIPE: the reader has gone (`| head -1`). EIO: the terminal has. The other one is what writing after either comes to.
  if (error.code !== 'EPIPE' && error.code !== 'EIO' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
};

/** Lets a program go on when nobody reads what it prints any more; a run still writes its log. */
export function surviveClosedOutput(streams: readonly Writable[] = [process.stdout, process.stderr]): void {
  for (const stream of streams) {
    if (!stream.listeners('error').includes(ignoreClosed)) stream.on('error', ignoreClosed);
  }
}
