import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Ledger } from '../src/pipeline/ledger/ledger.js';
import { childrenOf, memoryOf, processorSecondsOf, programOf } from './scale-processes.js';

/** One look at a running pipeline. Workers of `index`, `leaks` and `mine` are threads: coordinator and workers are one process. */
export type Sample = {
  readonly seconds: number;
  /** The stage at work, and how many of its items are finished; as the run prints them, every few seconds. */
  readonly stage: string;
  readonly finished: number;
  /** Of the process and of all its ffmpeg processes together, MB. */
  readonly residentMb: number;
  readonly ffmpegMb: number;
  /** Of the largest ffmpeg process so far. */
  readonly ffmpegPeakMb: number;
  /** Of the process and its children that have ended. */
  readonly processorSeconds: number;
  readonly ledgerMb: number;
};

/** What a run of the pipeline came to. */
export type MeasuredRun = {
  readonly seconds: number;
  /** Of the process and all its children. */
  readonly processorSeconds: number;
  /** `VmHWM` of the process, and the largest of any of its ffmpeg processes, MB. */
  readonly peakMb: number;
  readonly ffmpegPeakMb: number;
  readonly samples: readonly Sample[];
  /** When each stage ended, and the processor seconds until then. */
  readonly ends: readonly { readonly stage: string; readonly seconds: number; readonly processorSeconds: number }[];
  readonly printed: readonly string[];
};

/** How to run `video-ssl` until pairs are mined. */
export type ScaleRun = {
  readonly videos: string;
  readonly images: string;
  readonly work: string;
  readonly jobs: number;
  readonly sets?: readonly string[];
  /** Only say what would run. */
  readonly plan?: boolean;
  /** @default 1000 */
  readonly everyMs?: number;
};

const program = fileURLToPath(new URL('../src/cli.js', import.meta.url));

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** Runs `video-ssl --until mine` as a user would, in a process of its own, and looks at it from outside, through `/proc`. */
export const measureRun = async (run: ScaleRun): Promise<MeasuredRun> => {
  const { videos, images, work, jobs, sets = [], plan = false, everyMs = 1000 } = run;
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...[program, 'video-ssl', '--preset', 'small', '--until', 'mine', '--jobs', String(jobs)],
      ...['--videos', videos, '--images', images, '--work', work],
      ...sets.flatMap((setting) => ['--set', setting]),
      ...(plan ? ['--plan'] : []),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const pid = child.pid as number;
  const printed: string[] = [];
  const samples: Sample[] = [];
  const ends: MeasuredRun['ends'][number][] = [];
  const at = { stage: '', finished: 0 };
  const peak = { own: 0, ffmpeg: 0 };
  const ledger = path.join(work, 'ledger.sqlite');
  const look = (): void => {
    const own = memoryOf(pid);
    const processorSeconds = processorSecondsOf(pid);
    if (own === undefined || processorSeconds === undefined) return;
    const decoders = childrenOf(pid)
      .filter((other) => programOf(other).startsWith('ffmpeg'))
      .flatMap((other) => memoryOf(other) ?? []);
    peak.own = Math.max(peak.own, own.peakMb);
    peak.ffmpeg = Math.max(peak.ffmpeg, ...decoders.map(({ peakMb }) => peakMb));
    samples.push({
      ...{ seconds: (performance.now() - began) / 1000, ...at, residentMb: own.residentMb, processorSeconds },
      ffmpegMb: decoders.reduce((sum, { residentMb }) => sum + residentMb, 0),
      ffmpegPeakMb: peak.ffmpeg,
      ledgerMb: (sizeOf(ledger) + sizeOf(`${ledger}-wal`)) / 1e6,
    });
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, stage, finished] = /^(\w+): (\d+)\/\d+/.exec(line) ?? [];
    const [, ended] = /^(\w+): (?:done|reused)/.exec(line) ?? [];
    if (stage !== undefined) Object.assign(at, { stage, finished: Number(finished) });
    else printed.push(line);
    if (stage !== undefined || ended !== undefined) look();
    const last = samples.at(-1);
    if (ended === undefined || last === undefined) return;
    ends.push({ stage: ended, seconds: last.seconds, processorSeconds: last.processorSeconds });
    Object.assign(at, { stage: '', finished: 0 });
  });
  const timer = setInterval(look, everyMs);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`Expected the run to end with exit code 0, got \`${code}\`: ${printed.join('\n')}`);
  // Children of ours that have ended are counted by the system under us, those of theirs with them.
  const total = samples.at(-1);
  return {
    seconds: (performance.now() - began) / 1000,
    processorSeconds: total?.processorSeconds ?? NaN,
    ...{ peakMb: peak.own, ffmpegPeakMb: peak.ffmpeg, samples, ends, printed },
  };
};

/** A stage of the latest run of a folder. */
export type StageCounts = {
  readonly items: number;
  /** How often a result was recorded, over all items and runs. */
  readonly executions: number;
  readonly done: number;
  /** Of all artefacts, MB. */
  readonly artefactsMb: number;
  readonly files: number;
  /** Of the stage in the latest run: 0 where it was taken as it was. */
  readonly seconds: number;
};

/** What the ledger of a run folder holds, by stage. */
export const countStages = (work: string): Readonly<Record<string, StageCounts>> => {
  const ledger = Ledger.openExisting(work);
  if (ledger === undefined) throw new Error(`Expected a ledger in ${work}`);
  try {
    const rows = ledger.rows(
      `SELECT stage, count(*) AS items, sum(executions) AS executions, sum(status = 'done') AS done,
         (SELECT total(bytes) FROM artefacts JOIN items AS owner ON owner.key = item WHERE owner.stage = items.stage) AS bytes,
         (SELECT count(*) FROM artefacts JOIN items AS owner ON owner.key = item WHERE owner.stage = items.stage) AS files,
         (SELECT seconds FROM stage_runs WHERE stage_runs.stage = items.stage ORDER BY id DESC LIMIT 1) AS seconds
       FROM items GROUP BY stage`,
    );
    return Object.fromEntries(
      rows.map((row) => [
        String(row['stage']),
        {
          ...{ items: Number(row['items']), executions: Number(row['executions']), done: Number(row['done']) },
          ...{ artefactsMb: Number(row['bytes']) / 1e6, files: Number(row['files']), seconds: Number(row['seconds']) },
        },
      ]),
    );
  } finally {
    ledger.close();
  }
};

/** What is known of the videos that a run has mined. */
export const minedOf = (
  work: string,
): { readonly frames: number; readonly pairs: number; readonly seconds: number; readonly pixels: number }[] => {
  const ledger = Ledger.openExisting(work);
  if (ledger === undefined) throw new Error(`Expected a ledger in ${work}`);
  try {
    const infos = new Map([...ledger.items('index').values()].map(({ content, data }) => [content, data]));
    return [...ledger.items('mine').values()].flatMap(({ content, status, data }) => {
      if (status !== 'done') return [];
      const info = infos.get(content) as { duration: number | null; fps: number | null; width: number; height: number };
      const { frames, pairs } = data as { frames: number; pairs: number };
      return [{ frames, pairs, seconds: info.duration ?? frames / (info.fps ?? 25), pixels: info.width * info.height }];
    });
  } finally {
    ledger.close();
  }
};
