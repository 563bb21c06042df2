// Mining beside a native pipeline in Python and OpenCV (`mining_opencv.py`): both mine the clips of a folder, taking turns clip by clip, one thread
// each, and what counts is video frames a second of processor time of the whole process tree, decoding included. Prints for two schedules the
// speed, its ratio to the native pipeline's with the 95 % interval of a bootstrap over clips, and the yield: pairs, how much they change, the
// largest share of a clip, what time-steps and tracks came to. Then 1 worker of the pipeline beside 2.
//
//   node dist/bench/mining.js [--videos DIR] [--only PART,PART] [--limit N] [--rows native,steps-small,steps,defaults-small,defaults]
//     [--set name=value …] [--parts speed,workers,profile] [--out FILE.json]
//
// --limit takes N clips, spread over the folder; --set takes names of MiningOptions and changes all rows of this project and its workers;
// --parts profile (not done unless asked for) mines once more by this project's rows, under a profiler, and tells where the time goes.
// Exit 1 if a goal is missed: at least as many frames a processor second as the native pipeline in every row, 2 workers with a processor each at
// least 1.7 times as fast as 1 (not judged where other work kept them from their processors).
//
// Rows "same steps" do what the native pipeline does (and go back along each track, which it does not); rows "same size" decode to its
// size, 240 pixels on the shorter side, in place of an area of 448 x 600. A clip that one row cannot decode is left out of all. Every row has a
// process of its own, which mines one clip before any counts, as it is in a long run; what starting takes is reported.
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mineParams } from '../pipelines/video-ssl/params.js';
import { chooseClips } from './mining-clips.js';
import { rowKinds, schedules } from './mining-rows.js';
import { compareSpeed, type SpeedComparison } from './mining-speed.js';
import { printOutcomes, printProfiles, printRows, printWorkers } from './mining-tables.js';
import { compareWorkers, type WorkerRow } from './mining-workers.js';

const WORKERS_GOAL = 1.7;
/** A worker that has less of its processor shares it with other work, and wall time tells nothing. */
const UNDISTURBED = 0.85;

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
const parts = namesOf('parts', values.parts, ['speed', 'workers', 'profile']);
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

const speedPart = async (): Promise<SpeedComparison> => {
  const speed = await compareSpeed({ files, kinds, changed });
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
  return speed;
};

const profilePart = async (): Promise<SpeedComparison> => {
  console.log('\nUnder a profiler');
  const own = kinds.filter((kind) => rowKinds[kind].options !== undefined);
  if (own.length === 0) throw new Error('Expected --rows to name a row of this project for --parts profile');
  const profile = await compareSpeed({ files, kinds: own, changed, profile: true });
  for (const { schedule, rows } of profile.tables) {
    console.log(`\n${schedule.name}: ms of processor a frame\n`);
    printProfiles(rows);
  }
  return profile;
};

const workersPart = async (): Promise<{ params: object; rows: WorkerRow[] }> => {
  const params = mineParams.parse({ stepFrames: schedules[1].stepFrames, ...changed });
  console.log(`\n1 worker and 2, ours, defaults, a step every ${params.stepFrames} frames, in the order 1, 2, 2, 1\n`);
  const rows = await compareWorkers(files, params);
  printWorkers(rows);
  return { params, rows };
};

const speed = parts.includes('speed') ? await speedPart() : undefined;
const profile = parts.includes('profile') ? await profilePart() : undefined;
const workers = parts.includes('workers') ? await workersPart() : undefined;

const slower = (speed?.tables ?? []).flatMap(({ schedule, rows }) =>
  rows
    .filter(({ ratio }) => ratio !== undefined && ratio < 1)
    .map(({ name, ratio }) => `${schedule.name}: ${name} mines ${ratio!.toFixed(2)} times as fast as native`),
);
const pinned = (workers?.rows ?? []).filter(({ pinned }) => pinned);
const disturbed = pinned.filter(({ busy: [one, two] }) => one < UNDISTURBED || two < 2 * UNDISTURBED);
for (const { name } of disturbed)
  console.log(`\n2 workers, ${name}: not judged, since other work kept them from their processors`);
const scalesBadly = pinned
  .filter((row) => !disturbed.includes(row) && row.speedup < WORKERS_GOAL)
  .map(({ name, speedup }) => `2 workers, ${name}: ${speedup.toFixed(2)} times as fast as 1, not ${WORKERS_GOAL}`);
const missed = [...slower, ...scalesBadly];
for (const miss of missed) console.error(`FAILED: ${miss}`);
process.exitCode = missed.length > 0 ? 1 : 0;

if (values.out !== undefined) {
  // What was asked, without the way to this machine's folders.
  const asked = process.argv.slice(2).filter((_, i, all) => all[i] !== '--out' && all[i - 1] !== '--out');
  const words = asked.map((word) => (word === values.videos ? path.basename(word) : word));
  const command = ['npm run bench:mining', ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
  const machine = { processor: cpus()[0]?.model, processors: cpus().length };
  const report = { command, videos: path.basename(values.videos), ...machine, speed, profile, workers, missed };
  await mkdir(path.dirname(values.out), { recursive: true });
  await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`);
}
