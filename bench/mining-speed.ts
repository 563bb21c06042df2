import path from 'node:path';
import { probeVideo } from '../src/video/probe-video.js';
import { VideoRejection } from '../src/video/video-rejection.js';
import { areaAtShorterSide } from './mining-clips.js';
import { MiningRow, ratioOfRates } from './mining-row.js';
import { NATIVE_SHORTER_SIDE, openRow, rowKinds, schedules, type Schedule } from './mining-rows.js';
import type { MinedClip, MiningSide } from './mining-side.js';
import type { ComparedRow } from './mining-tables.js';

/** What is compared. */
export type SpeedOptions = {
  readonly files: readonly string[];
  /** Keys of `rowKinds`. */
  readonly kinds: readonly string[];
  /** Options that all rows of this project have in common. */
  readonly changed: Readonly<Record<string, number | string>>;
  /** Whether this project's rows run under a profiler, which tells parts but costs some per cent. */
  readonly profile?: boolean;
};

/** A row of a schedule, with the options of this project that it ran with. */
export type SpeedRow = ComparedRow & { readonly kind: string; readonly options: object };

/** What came of all rows. */
export type SpeedComparison = {
  readonly starts: readonly { readonly row: string; readonly versions: string; readonly startCpuSeconds: number }[];
  readonly clips: readonly string[];
  readonly leftOut: readonly { readonly clip: string; readonly reason: string }[];
  readonly tables: readonly { readonly schedule: Schedule; readonly rows: readonly SpeedRow[] }[];
};

/** A row under a schedule. */
type Job = { readonly kind: string; readonly schedule: Schedule };

/** Mines every file by every row under both schedules, taking turns file by file; a file that one row cannot decode is left out of all. */
export const compareSpeed = async ({ files, kinds, changed, profile }: SpeedOptions): Promise<SpeedComparison> => {
  const jobs: readonly Job[] = schedules.flatMap((schedule) => kinds.map((kind) => ({ kind, schedule })));
  const optionsOf = ({ kind, schedule }: Job) => ({ ...rowKinds[kind].options?.(schedule), ...changed });
  const taskOf = (job: Job, file: string, smallArea: number): object => {
    const { stepFrames, maxWindows } = job.schedule;
    const { options, small } = rowKinds[job.kind];
    if (options === undefined) return { file, stepFrames, maxWindows };
    return { file, options: optionsOf(job), profile, ...(small ? { areaPx: smallArea } : {}) };
  };
  const sides = new Map<string, MiningSide>();
  /** A file by every job, beginning with another one each time; why not, where one could not. */
  const mineByAll = async (file: string, turn: number): Promise<Map<Job, MinedClip> | string> => {
    const found = new Map<Job, MinedClip>();
    try {
      const smallArea = areaAtShorterSide(await probeVideo(file), NATIVE_SHORTER_SIDE);
      for (let i = 0; i < jobs.length; i++) {
        const job = jobs[(i + turn) % jobs.length];
        const clip = await sides.get(job.kind)!.mine(taskOf(job, file, smallArea));
        if ('rejected' in clip) return `${rowKinds[job.kind].name}: ${clip.rejected}`;
        found.set(job, clip);
      }
      return found;
    } catch (error) {
      if (error instanceof VideoRejection) return error.reason;
      throw error;
    }
  };

  const rows = new Map<Job, MiningRow>(jobs.map((job) => [job, new MiningRow()]));
  const clips: string[] = [];
  const leftOut: { clip: string; reason: string }[] = [];
  try {
    for (const kind of kinds) sides.set(kind, await openRow(rowKinds[kind]));
    await mineByAll(files[Math.floor(files.length / 2)], 0);
    for (const [turn, file] of files.entries()) {
      const clip = path.basename(file);
      const found = await mineByAll(file, turn);
      if (typeof found === 'string') {
        leftOut.push({ clip, reason: found });
        console.log(`${clip}: left out: ${found}`);
        continue;
      }
      clips.push(clip);
      for (const [job, mined] of found) rows.get(job)!.clips.push(mined);
      const frames = String(found.get(jobs[0])!.frames).padStart(6);
      const pairs = jobs.map((job) => String(found.get(job)!.pairs.length).padStart(4)).join('');
      console.log(`${clip.padEnd(60).slice(0, 60)} ${frames} frames, pairs ${pairs}`);
    }
  } finally {
    for (const side of sides.values()) side.close();
  }
  if (clips.length === 0) throw new Error('Expected a clip that every row can decode, got none');

  const tables = schedules.map((schedule) => {
    const own = jobs.filter((job) => job.schedule === schedule);
    const native = own.find(({ kind }) => kind === 'native');
    const compared = own.map((job): SpeedRow => {
      const { options, name } = rowKinds[job.kind];
      const row = rows.get(job)!;
      const beside = options === undefined || native === undefined ? {} : ratioOfRates(row, rows.get(native)!);
      const ran = options === undefined ? {} : optionsOf(job);
      return { kind: job.kind, name, options: ran, ...row.summary(), ...beside };
    });
    return { schedule, rows: compared };
  });
  const starts = kinds.map((kind) => {
    const { versions, startCpuSeconds } = sides.get(kind)!;
    return { row: rowKinds[kind].name, versions, startCpuSeconds };
  });
  return { starts, clips, leftOut, tables };
};
