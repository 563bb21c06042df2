/**
 * ffmpeg was ended by a signal from outside: by the system for want of memory, or by a Ctrl-C that it heard before this process did. That
 * says nothing about the file, so it is no rejection: the same may go well the next time.
 */
export class DecoderKilled extends Error {
  override readonly name = 'DecoderKilled';

  constructor(
    readonly path: string,
    /** `SIGKILL` */
    readonly signal: string,
  ) {
    // Without the path, so that a thousand of them are one reason.
    super(`ffmpeg was ended from outside (${signal})${signal === 'SIGKILL' ? ', most likely for want of memory' : ''}`);
  }
}

/**
 * Does work that decodes, and does it again (from the start) where ffmpeg was ended from outside, twice at most.
 *
 * @throws DecoderKilled where it goes on
 * @throws the signal's reason where it was aborted
 */
export async function againIfKilled<T>(
  work: () => Promise<T>,
  { signal, log }: { readonly signal?: AbortSignal; readonly log?: (line: string) => void } = {},
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof DecoderKilled) || tries > 2) throw error;
      log?.(`once more, since ffmpeg was ended from outside (${error.signal})`);
    }
  }
}
