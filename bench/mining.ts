// Mining beside a native pipeline in Python and OpenCV (`mining_opencv.py`): both mine the clips of a folder, taking turns clip by clip, one thread
// each, and what counts is video frames a second of processor time of the whole process tree, decoding included. Prints for two schedules the
// speed, its ratio to the native pipeline's with the 95 % interval of a bootstrap over clips, and the yield: pairs, how much they change, the
// largest share of a clip, what time-steps and tracks came to. Then 1 worker of the pipeline beside 2.
//
//   node dist/bench/mining.js [--videos DIR] [--only PART,PART] [--limit N] [--rows native,steps-small,steps,defaults-small,defaults]
//     [--set name=value …] [--parts speed,workers] [--out FILE.json]
//
// --limit takes N clips, spread over the folder; --set takes names of MiningOptions and changes all rows of this project and its workers.
// Exit 1 if a goal is missed: at least as many frames a processor second as the native pipeline in every row, 2 workers at least 1.7 times as fast as 1.
//
// Rows "same steps" do what the native pipeline does (and go back along each track, which it does not); rows "same size" decode to its
// size, 240 pixels on the shorter side, in place of an area of 448 x 600. A clip that one row cannot decode is left out of all. Every row has a
// process of its own, which mines one clip before any counts, as it is in a long run; what starting takes is reported.
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mineParams } from '../pipelines/video-ssl/params.js';
import { probeVideo } from '../src/video/probe-video.js';
import { VideoRejection } from '../src/video/video-rejection.js';
import { areaAtShorterSide, chooseClips } from './mining-clips.js';
import { MiningRow, ratioOfRates } from './mining-row.js';
import { NATIVE_SHORTER_SIDE, openRow, rowKinds, schedules, type Schedule } from './mining-rows.js';
import type { MinedClip, MiningSide } from './mining-side.js';
import { printOutcomes, printRows, printWorkers, type ComparedRow } from './mining-tables.js';
import { compareWorkers, type WorkerRow } from './mining-workers.js';

const WORKERS_GOAL = 1.7;

const { values } = parseArgs({
  options: {
    videos: { type: 'string', default: '../shared/data/video/clips' },
    only: { type: 'string' },
    limit: { type: 'string' },
    rows: { type: 'string', default: Object.keys(rowKinds).join(',') },
    set: { type: 'string', multiple: true, default: [] },
    parts: { type: 'string', default: 'speed,workers' },
    out: { type: 'string' },
  },
});

const namesOf = (option: string, text: string, known: readonly string[]): string[] => {
  const names = text.split(',');
  for (const name of names) {
    if (!known.includes(name)) throw new Error(`Expected --${option} to name ${known.join(', ')}, got \`${name}\``);
  }
  return names;
};
const kinds = namesOf('rows', values.rows, Object.keys(rowKinds));
const parts = namesOf('parts', values.parts, ['speed', 'workers']);
const changed = Object.fromEntries(
  values.set.map((text) => {
    const [name, value = ''] = text.split('=');
    return [name, value === '' || Number.isNaN(Number(value)) ? value : Number(value)];
  }),
);
const files = chooseClips(values.videos, {
  only: values.only?.split(','),
  limit: values.limit === undefined ? undefined : Number(values.limit),
});

type Job = { readonly kind: string; readonly schedule: Schedule };
const jobs: readonly Job[] = schedules.flatMap((schedule) => kinds.map((kind) => ({ kind, schedule })));

/** What a row's program is asked for. */
const taskOf = ({ kind, schedule }: Job, file: string, smallArea: number): object => {
  const { options, small } = rowKinds[kind];
  if (options === undefined) return { file, stepFrames: schedule.stepFrames, maxWindows: schedule.maxWindows };
  return { file, options: { ...options(schedule), ...changed }, ...(small ? { areaPx: smallArea } : {}) };
};

/** A clip, mined by every job, beginning with another one each time; why it could not be, where one could not. */
const mineByAll = async (
  sides: ReadonlyMap<string, MiningSide>,
  file: string,
  turn: number,
): Promise<Map<Job, MinedClip> | string> => {
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

const compareSpeed = async () => {
  const sides = new Map<string, MiningSide>();
  const rows = new Map<Job, MiningRow>(jobs.map((job) => [job, new MiningRow()]));
  const clips: string[] = [];
  const leftOut: { clip: string; reason: string }[] = [];
  try {
    for (const kind of kinds) sides.set(kind, await openRow(rowKinds[kind]));
    await mineByAll(sides, files[Math.floor(files.length / 2)], 0);
    for (const [turn, file] of files.entries()) {
      const clip = path.basename(file);
      const found = await mineByAll(sides, file, turn);
      if (typeof found === 'string') {
        leftOut.push({ clip, reason: found });
        console.log(`${clip}: left out: ${found}`);
        continue;
      }
      clips.push(clip);
      for (const [job, mined] of found) rows.get(job)!.clips.push(mined);
      const pairs = jobs.map((job) => String(found.get(job)!.pairs.length).padStart(4)).join('');
      console.log(
        `${clip.padEnd(60).slice(0, 60)} ${String(found.get(jobs[0])!.frames).padStart(6)} frames, pairs ${pairs}`,
      );
    }
  } finally {
    for (const side of sides.values()) side.close();
  }
  if (clips.length === 0) throw new Error('Expected a clip that every row can decode, got none');
  const tables = schedules.map((schedule) => {
    const own = jobs.filter((job) => job.schedule === schedule);
    const native = own.find(({ kind }) => kind === 'native');
    const compared = own.map((job): ComparedRow & { kind: string; options: object } => {
      const { options, name } = rowKinds[job.kind];
      const beside =
        options === undefined || native === undefined ? {} : ratioOfRates(rows.get(job)!, rows.get(native)!);
      const used = options === undefined ? {} : { ...options(schedule), ...changed };
      return { kind: job.kind, name, options: used, ...rows.get(job)!.summary(), ...beside };
    });
    return { schedule, rows: compared };
  });
  const starts = kinds.map((kind) => {
    const { versions, startCpuSeconds } = sides.get(kind)!;
    return { row: rowKinds[kind].name, versions, startCpuSeconds };
  });
  return { starts, clips, leftOut, tables };
};

const speed = parts.includes('speed') ? await compareSpeed() : undefined;
if (speed !== undefined) {
  console.log(`\n${speed.clips.length} clips, one thread a side, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`);
  for (const { row, versions, startCpuSeconds } of speed.starts) {
    console.log(`  ${row}: ${versions}; ${startCpuSeconds.toFixed(2)} CPU s to start`);
  }
  for (const { schedule, rows } of speed.tables) {
    console.log(`\n${schedule.name}\n`);
    printRows(rows);
    console.log();
    printOutcomes(rows);
  }
}

let workers: WorkerRow[] = [];
const mining = mineParams.parse({ stepFrames: schedules[1].stepFrames, ...changed });
if (parts.includes('workers')) {
  console.log(`\n1 worker and 2, ours, defaults, a step every ${mining.stepFrames} frames, in the order 1, 2, 2, 1\n`);
  workers = await compareWorkers(files, mining);
  printWorkers(workers);
}

const missed = [
  ...(speed?.tables ?? []).flatMap(({ schedule, rows }) =>
    rows
      .filter(({ ratio }) => ratio !== undefined && ratio < 1)
      .map(({ name, ratio }) => `${schedule.name}: ${name} mines ${ratio!.toFixed(2)} times as fast as native`),
  ),
  ...workers
    .slice(0, 1)
    .filter(({ speedup }) => speedup < WORKERS_GOAL)
    .map(({ name, speedup }) => `2 workers, ${name}: ${speedup.toFixed(2)} times as fast as 1, not ${WORKERS_GOAL}`),
];
for (const miss of missed) console.error(`FAILED: ${miss}`);
process.exitCode = missed.length > 0 ? 1 : 0;

if (values.out !== undefined) {
  // What was asked, without the way to this machine's folders.
  const asked = process.argv.slice(2).filter((_, i, all) => all[i] !== '--out' && all[i - 1] !== '--out');
  const command = [
    'npm run bench:mining --',
    ...asked.map((word) => (word === values.videos ? path.basename(word) : word)),
  ];
  const report = {
    command: command.join(' ').replace(/ --$/, ''),
    processor: cpus()[0]?.model,
    processors: cpus().length,
    speed,
    workers,
    missed,
  };
  await mkdir(path.dirname(values.out), { recursive: true });
  await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`);
}
