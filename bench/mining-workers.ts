import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { PoolPass, PoolTask } from './mining-pool.js';

/** 1 and 2 workers over the same files, under one rule of which processors they may use. */
export type WorkerRow = {
  /** `a core each`: as many processors as workers. `all cores`: one worker's ffmpeg has a processor to itself. */
  readonly name: string;
  /** Whether there were as many processors as workers. */
  readonly pinned: boolean;
  readonly one: readonly PoolPass[];
  readonly two: readonly PoolPass[];
  /** Wall time of 1 worker over that of 2. */
  readonly speedup: number;
  /** The same if workers did not slow each other down: what is short of 2 in it is the files that run alone at the end. */
  readonly idealSpeedup: number;
  /** Processor time of 2 workers over that of 1: above 1 they slow each other down. */
  readonly cpuGrowth: number;
  /** Mean number of processors in use. */
  readonly busy: readonly [one: number, two: number];
};

// `0-3,8`; absent where the system does not tell.
const allowedProcessors = (): number[] => {
  try {
    const [, list = ''] = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return list.split(',').flatMap((range) => {
      const [from, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
  } catch {
    return [];
  }
};

const run = promisify(execFile);
const program = path.join(import.meta.dirname, 'mining-pool.js');

const passOf = async (task: PoolTask, processors: readonly number[] | undefined): Promise<PoolPass> => {
  const node = [process.execPath, program, JSON.stringify(task)];
  const [command, ...args] =
    processors === undefined ? node : ['taskset', '-c', processors.slice(0, task.workers).join(','), ...node];
  const { stdout } = await run(command, args, { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as PoolPass;
};

/** Wall time if the next free worker always takes the next file, and each takes as long as it did. */
const listSchedule = (seconds: readonly number[], workers: number): number => {
  const free = new Array<number>(workers).fill(0);
  for (const value of seconds) free[free.indexOf(Math.min(...free))] += value;
  return Math.max(...free);
};

const sumOf = (passes: readonly PoolPass[], pick: (pass: PoolPass) => number): number =>
  passes.reduce((sum, pass) => sum + pick(pass), 0);

/**
 * Mines files by 1 and by 2 of the pipeline's workers, in the order 1, 2, 2, 1: with a processor for each worker and its ffmpeg (where
 * the system has `taskset`), and with all there are. Only the first tells how workers add up on a machine with as few processors: one worker
 * and its ffmpeg already keep more than one busy.
 */
export const compareWorkers = async (files: readonly string[], params: unknown): Promise<WorkerRow[]> => {
  const processors = allowedProcessors();
  const tasksetRuns = await run('taskset', ['--version']).then(
    () => true,
    () => false,
  );
  const rules = [
    ...(tasksetRuns && processors.length >= 2 ? [{ name: 'a core each', processors }] : []),
    { name: 'all cores', processors: undefined },
  ];
  const rows: WorkerRow[] = [];
  for (const { name, processors } of rules) {
    const passes: Record<number, PoolPass[]> = { 1: [], 2: [] };
    for (const workers of [1, 2, 2, 1]) passes[workers].push(await passOf({ files, workers, params }, processors));
    const { 1: one, 2: two } = passes;
    const seconds = ({ seconds }: PoolPass): number => seconds;
    const cpuSeconds = ({ cpuSeconds }: PoolPass): number => cpuSeconds;
    const ideal = (pass: PoolPass): number => listSchedule(pass.secondsOfFiles, 2);
    rows.push({
      ...{ name, pinned: processors !== undefined, one, two },
      speedup: sumOf(one, seconds) / sumOf(two, seconds),
      idealSpeedup: sumOf(one, seconds) / sumOf(one, ideal),
      cpuGrowth: sumOf(two, cpuSeconds) / sumOf(one, cpuSeconds),
      busy: [sumOf(one, cpuSeconds) / sumOf(one, seconds), sumOf(two, cpuSeconds) / sumOf(two, seconds)],
    });
  }
  return rows;
};
