import { execFile } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import Ffmpeg from 'fluent-ffmpeg';

/** What one ffmpeg process may use. A hostile file can make a decoder ask for any amount of either. */
export type ProcessLimits = {
  /** Address space, bytes (`RLIMIT_AS`, on Linux). @default 4 GiB */
  readonly memoryBytes: number;
  /** Largest single allocation inside ffmpeg, bytes (`-max_alloc`). @default 512 MiB */
  readonly allocationBytes: number;
  /** Processor time, seconds (`RLIMIT_CPU`). @default 4 h: long videos are legitimate, endless ones are not */
  readonly cpuSeconds: number;
};

/** The limits a caller gets who names none. */
export const defaultProcessLimits: ProcessLimits = {
  memoryBytes: 4 * 1024 ** 3,
  allocationBytes: 512 * 1024 ** 2,
  cpuSeconds: 4 * 3600,
};

/** One ffmpeg process to be: an input, an output and who listens. */
export type FfmpegJob = {
  /** The program, as `findFfmpeg` names it. */
  readonly binary: string;
  /** A path of a file, or a stream that is piped in. */
  readonly input: string | Readable;
  readonly inputOptions?: readonly string[];
  /** A path of a file, a stream that is piped to, or `null` where only the log matters (`-f null`). */
  readonly output: string | Writable | null;
  readonly outputOptions?: readonly string[];
  /** Each line of the log, its level in brackets (`-loglevel level+info`). */
  readonly onLine?: (line: string) => void;
  readonly limits?: Partial<ProcessLimits>;
  readonly signal?: AbortSignal | undefined;
};

/** How an ffmpeg process ended. */
export type FfmpegEnd = {
  /** Null when it ended with exit code 0. */
  readonly message: string | null;
  /** The signal by which somebody else ended it (`SIGKILL`); null where it ended by itself, by a limit or a crash, or by `kill` or `signal`. */
  readonly killedBy: string | null;
  /** Whether it was ended here since its log held a line without end, as it does where metadata are one. */
  readonly endlessLine: boolean;
  /** Whether there was a process at all. */
  readonly started: boolean;
};

/** A running ffmpeg process. */
export type FfmpegProcess = {
  /** Settles when the process is gone and its pipes are drained; never rejects. */
  readonly ended: Promise<FfmpegEnd>;
  /** Ends the process at once (SIGKILL: a decoder caught in a loop does not hear SIGTERM). */
  readonly kill: () => void;
};

/**
 * The containers a video may come in. Left out on purpose: everything that names other files or addresses (hls, dash, concat, imf,
 * image2, sdp), since such a playlist named `.mp4` would read other files of the machine, and single pictures.
 */
export const acceptedDemuxers: readonly string[] = [
  ...['mov', 'matroska', 'avi', 'mpegts', 'mpeg', 'mpegvideo', 'flv', 'asf', 'ogg', 'rm', 'mxf', 'gxf', 'nut', 'wtv'],
  ...['h264', 'hevc', 'vvc', 'obu', 'ivf', 'm4v', 'h263', 'h261', 'vc1', 'dv', 'mjpeg', 'yuv4mpegpipe', 'gif'],
];

/**
 * What every input that comes from outside is opened with: local files only, only as one of `acceptedDemuxers`, in one thread, and no
 * picture of more than `maxPixels` (the description may lie about their size, and it may change on the way).
 */
export const hostileInputOptions = (maxPixels: number): readonly string[] => [
  ...['-protocol_whitelist', 'file,pipe'],
  ...['-format_whitelist', acceptedDemuxers.join(',')],
  ...['-threads', '1', '-max_pixels', String(maxPixels)],
];

const shell = '/bin/sh';

/** What a shell ends with that finds no program to become, or may not run it. */
const nothingToRun: readonly (number | null)[] = [126, 127];

// A shell sets the limits on itself and then becomes ffmpeg: one process to start instead of two, and no moment without them. What of them cannot be
// set (the limits of this very process are tighter) stays as it is. Beyond the processor time comes SIGXCPU, which tells the limit from a
// SIGKILL of somebody else; only who does not heed it is killed.
const underLimits = (binary: string, { memoryBytes, cpuSeconds }: ProcessLimits): string[] => {
  const seconds = Math.ceil(cpuSeconds);
  const set = [`-v ${Math.ceil(memoryBytes / 1024)}`, `-S -t ${seconds}`, `-H -t ${seconds + 30}`];
  return ['-c', `${set.map((limit) => `ulimit ${limit} 2>/dev/null;`).join(' ')} exec "$0" "$@"`, binary];
};

/** Signals that people and systems end processes with; the others are crashes and limits, which lie in the file. */
const endingSignals: Readonly<Record<string, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  9: 'SIGKILL',
  15: 'SIGTERM',
};

const proceed = (next: () => void): void => next();
const knowsNone = (next: (error: null, encoders: object) => void): void => next(null, {});

/** Longest line of a log that is waited for, characters. */
const longestLine = 1 << 16;

/**
 * Starts ffmpeg. This is the only file that knows fluent-ffmpeg, and the only place an ffmpeg process comes from: it never reads
 * the terminal, logs with levels, runs under `limits`, dies with `signal`, and with this process (its pipes close, and the next
 * write ends it). A file is opened as `file:<path>`, so that no name is taken for an option, an address or a number pattern.
 */
export const startFfmpeg = (job: FfmpegJob): FfmpegProcess => {
  const limits: ProcessLimits = { ...defaultProcessLimits, ...job.limits };
  const command = Ffmpeg({ logger: undefined });
  // fluent-ffmpeg asks ffmpeg for all its formats and encoders, twice a process of ours, to say what ffmpeg says by itself.
  Object.assign(command, { _checkCapabilities: proceed, availableEncoders: knowsNone });
  const limited = process.platform === 'linux' && existsSync(shell);
  command.setFfmpegPath(limited ? shell : job.binary);
  command.input(typeof job.input === 'string' ? `file:${job.input}` : job.input);
  // One argument each: fluent-ffmpeg splits those of an array at a single space.
  command.inputOptions(
    ...(limited ? underLimits(job.binary, limits) : []),
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info'],
    ...['-max_alloc', String(limits.allocationBytes), '-filter_threads', '1'],
    ...(job.inputOptions ?? []),
  );
  command.output(job.output === null ? '-' : (job.output as string));
  command.outputOptions([...(job.outputOptions ?? []), ...(job.output === null ? ['-f', 'null'] : [])]);

  let child: ChildProcess | undefined;
  // fluent-ffmpeg's own end does not wait for what is still in the pipe to an output stream; the process' `close` does.
  let closed: Promise<void> = Promise.resolve();
  let killed = job.signal?.aborted ?? false;
  let endedBy: string | null = null;
  let heard: string | null = null;
  let exitCode: number | null = null;
  let spoke = false;
  let endless = false;
  const kill = (): void => {
    killed = true;
    child?.kill('SIGKILL');
  };
  const ended = new Promise<FfmpegEnd>((resolve) => {
    const settle = (message: string | null): void => {
      job.signal?.removeEventListener('abort', kill);
      void closed.then(() => {
        if (exitCode === 255) endedBy = heard; // what it says with any other exit code, a file may have put into its mouth
        resolve({
          message: endless ? `its log has a line of more than ${longestLine} characters` : message,
          killedBy: message === null || killed ? null : endedBy,
          endlessLine: endless,
          started: child?.pid !== undefined && !(limited && !spoke && nothingToRun.includes(exitCode)),
        });
      });
    };
    command.on('stderr', (line: string) => {
      spoke ||= line.startsWith('['); // a level or a name in brackets stands before all that ffmpeg says
      // ffmpeg hears all signals but SIGKILL, says so, and ends with an exit code of its own.
      const signal = /^\[info\] Exiting normally, received signal (\d+)/.exec(line)?.[1];
      if (signal !== undefined) heard = endingSignals[signal] ?? null;
      job.onLine?.(line);
    });
    command.on('start', () => {
      child = (command as unknown as { ffmpegProc: ChildProcess }).ffmpegProc;
      // The pipes may break before their owners notice; the exit code tells the story.
      child.stdin?.on('error', () => undefined);
      if (child.pid !== undefined) {
        closed = new Promise((done) => child?.once('close', () => done()));
        child.once('exit', (code, signal) => {
          exitCode = code;
          if (signal !== null && Object.values(endingSignals).includes(signal)) endedBy = signal;
        });
        // fluent-ffmpeg joins a line piece by piece, in time that grows with its square: metadata may be one line of gigabytes.
        let unbroken = 0;
        child.stderr?.on('data', (chunk: Buffer | string) => {
          const text = chunk.toString();
          const end = text.lastIndexOf('\n');
          unbroken = end < 0 ? unbroken + text.length : text.length - end - 1;
          if (unbroken <= longestLine || endless) return;
          endless = true;
          kill();
        });
      }
      if (killed) child.kill('SIGKILL');
    });
    command.on('end', () => settle(null));
    command.on('error', (error: Error) => settle(error.message));
  });
  job.signal?.addEventListener('abort', kill, { once: true });
  command.run();
  return { ended, kill };
};

/** What `ffmpeg -version` prints, or null where there is no such program or it does not run on this machine. */
export const readVersionText = (binary: string): Promise<string | null> =>
  new Promise((resolve) => {
    execFile(binary, ['-hide_banner', '-version'], { timeout: 20_000 }, (error, stdout) =>
      resolve(error === null && stdout.startsWith('ffmpeg') ? stdout : null),
    );
  });
