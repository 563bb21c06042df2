import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How the two ends of a pair differ, in pixels of the frame; `appearanceChange` is 1 - correlation. */
export type MinedChange = {
  readonly travelPx: number;
  readonly sidePx: number;
  readonly scaleChange: number;
  readonly appearanceChange: number;
};

/** What came of a clip. */
export type MinedClip = {
  readonly frames: number;
  /** Time-steps and tracks by what became of them: `step: tracked`, `track: lost`, … */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly pairs: readonly MinedChange[];
  /** Of the whole process tree. */
  readonly cpuSeconds: number;
  /** Where it went; need not be all. */
  readonly profile: Readonly<Record<string, number>>;
};

/** A program that mines clip after clip: a line of JSON in, a line out. */
export type MiningSide = {
  readonly versions: string;
  /** What it took until it could begin. */
  readonly startCpuSeconds: number;
  mine(task: object): Promise<MinedClip | { readonly rejected: string }>;
  close(): void;
};

/** Starts a program that answers as `MiningSide` says, and hears its first line. */
export const openSide = async (program: string, args: readonly string[]): Promise<MiningSide> => {
  const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const gone = new Promise<never>((_, reject) => child.once('error', reject));
  gone.catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hear = async <T>(): Promise<T> => {
    const { value, done } = await Promise.race([lines.next(), gone]);
    if (done) throw new Error(`${program} ${args.join(' ')} ended early: see its message above`);
    return JSON.parse(value) as T;
  };
  return {
    ...(await hear<Pick<MiningSide, 'versions' | 'startCpuSeconds'>>()),
    mine: (task) => {
      child.stdin.write(`${JSON.stringify(task)}\n`);
      return hear();
    },
    close: () => void child.stdin.end(),
  };
};
