// The tracker beside OpenCV's TrackerKCF and TrackerCSRT: each follows each annotated target for 30 frames, from every 10th frame of
// the sequences, on the same frames, one thread each, taking turns. Prints mean overlap over the frames 1 to 30, overlap at 30, the share of
// tracks above 0.5 there, and processor time an update; then what a gate on the peak, the peak-to-sidelobe ratio or the way back keeps. Exit
// 1 if a goal is missed: above TrackerKCF that never gives up (mean and end), within 0.03 of TrackerCSRT, less time than TrackerKCF.
//
//   node dist/bench/tracking.js [--data DIR] [--lines 120] [--set name=value …] [--beside kcf,csrt,kcf-default] [--out FILE.json]
//
// --set takes the names of KcfOptions; --beside names the rows of OpenCV (TrackerCSRT takes nearly all of the time; '' for none). 120 lines are the half-size frames of mining.
//
// How it is counted: every track weighs the same, whatever its sequence; the mean over sequences stands beside it. A sequence with two targets
// gives tracks of both. Occlusions are not left out: a tracker has to get through. Boxes are compared as annotated and found, uncut at the frame's
// border. A frame that a tracker reports as lost has overlap 0. OpenCV's trackers see colour, and take and give whole pixels; the row
// "whole pixels" is this project's with both rounded. The first run installs opencv-contrib-python-headless into a virtual
// environment of its own, in the cache folder.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { bootstrap } from '../src/numeric/bootstrap.js';
import { iou, type Box } from '../src/numeric/box.js';
import { mean, quantile } from '../src/numeric/statistics.js';
import type { GreyImage } from '../src/tracking/grey-image.js';
import { KcfTracker, type KcfOptions } from '../src/tracking/kcf.js';
import { pythonVenv } from './python-venv.js';
import { readSequences, type Sequence } from './tracking-sequences.js';

const FRAMES = 30;
const STARTS = 10;
const GOOD = 0.5;
const RESAMPLES = 2000;

/** Where a target is followed from. */
type Start = { readonly images: readonly GreyImage[]; readonly frame: number; readonly box: Box };
/** Boxes at the frames after the start, undefined where the tracker says that it is lost; times of all updates together. */
type Track = {
  readonly boxes: readonly (Box | undefined)[];
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly startCpuSeconds: number;
};
type OwnTrack = Track & { readonly minPeak: number; readonly minPeakToSidelobe: number };

const cpuSince = (began: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
};

const trackOurs = (tracker: KcfTracker, { images, frame, box }: Start): OwnTrack => {
  const starting = process.cpuUsage();
  tracker.start(images[frame], box);
  const startCpuSeconds = cpuSince(starting);
  const [began, used] = [performance.now(), process.cpuUsage()];
  const found = Array.from({ length: FRAMES }, (_, i) => tracker.update(images[frame + 1 + i]));
  const [seconds, cpuSeconds] = [(performance.now() - began) / 1000, cpuSince(used)];
  return {
    boxes: found.map(({ box }) => box),
    minPeak: Math.min(...found.map(({ peak }) => peak)),
    minPeakToSidelobe: Math.min(...found.map(({ peakToSidelobe }) => peakToSidelobe)),
    ...{ seconds, cpuSeconds, startCpuSeconds },
  };
};

/** Overlap of the start box with where a track from its end back to the start arrives. */
const wayBack = (tracker: KcfTracker, { images, frame, box }: Start, end: Box): number => {
  tracker.start(images[frame + FRAMES], end);
  for (let i = FRAMES - 1; i >= 0; i--) tracker.update(images[frame + i]);
  return iou(tracker.box, box);
};

const wholePixels = ({ x, y, width, height }: Box): Box => ({
  x: Math.round(x),
  y: Math.round(y),
  width: Math.round(width),
  height: Math.round(height),
});

type OpenCv = {
  readonly version: string;
  track(sequence: Sequence, pixels: string, start: Start, tracker: string): Promise<Track>;
  close(): void;
};

const openOpenCv = async (): Promise<OpenCv> => {
  const python = await pythonVenv('bench-opencv', { installs: [['opencv-contrib-python-headless', 'numpy']] });
  const script = path.join(import.meta.dirname, '..', '..', 'bench', 'tracking_opencv.py');
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('OpenCV ended early: see its message above');
    return JSON.parse(value) as T;
  };
  const { version } = await answer<{ version: string }>();
  return {
    version,
    track: async ({ width, height }, pixels, { frame, box }, tracker) => {
      const task = { pixels, width, height, start: frame, frames: FRAMES, tracker };
      child.stdin.write(`${JSON.stringify({ ...task, box: [box.x, box.y, box.width, box.height] })}\n`);
      const found = await answer<Omit<Track, 'boxes'> & { boxes: ([number, number, number, number] | null)[] }>();
      const boxes = found.boxes.map((box) => box && { x: box[0], y: box[1], width: box[2], height: box[3] });
      return { ...found, boxes: boxes.map((box) => box ?? undefined) };
    },
    close: () => void child.stdin.end(),
  };
};

/** Overlaps of one tracker, track by track, and its times. */
class Row {
  readonly overlaps: number[][] = [];
  lost = 0;
  seconds = 0;
  cpuSeconds = 0;
  startCpuSeconds = 0;

  add(track: Track, truth: readonly Box[]): void {
    this.overlaps.push(track.boxes.map((box, i) => (box ? iou(box, truth[i]) : 0)));
    if (track.boxes.includes(undefined)) this.lost++;
    this.seconds += track.seconds;
    this.cpuSeconds += track.cpuSeconds;
    this.startCpuSeconds += track.startCpuSeconds;
  }

  get means(): number[] {
    return this.overlaps.map(mean);
  }

  get ends(): number[] {
    return this.overlaps.map((track) => track[FRAMES - 1]);
  }

  summary(groups: readonly number[]) {
    const { means, ends } = this;
    const updates = this.overlaps.length * FRAMES;
    const good = ends.filter((end) => end > GOOD).length / ends.length;
    const bySequence = [...new Set(groups)].map((group) => mean(means.filter((_, i) => groups[i] === group)));
    return {
      meanOverlap: mean(means),
      meanOverlapOfSequences: mean(bySequence),
      endOverlap: mean(ends),
      goodShare: good,
      lostShare: this.lost / ends.length,
      updatesASecond: updates / this.seconds,
      updatesACpuSecond: updates / this.cpuSeconds,
      startCpuMs: (1000 * this.startCpuSeconds) / ends.length,
    };
  }
}

/** 95 % interval of the mean of `own - other` over tracks; the tracks of a target are drawn together, since they resemble each other. */
const differenceInterval = (own: readonly number[], other: readonly number[], groups: readonly number[]): number[] => {
  const weighted = (weights: Int32Array): number => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return own.reduce((sum, value, i) => sum + weights[i] * (value - other[i]), 0) / total;
  };
  const [values] = bootstrap([weighted], own.length, { seed: 1, resamples: RESAMPLES, groups });
  return [quantile(values, 0.025), quantile(values, 0.975)];
};

type Gated = { readonly overlap: number; readonly peak: number; readonly ratio: number; readonly back: number };

/** What a gate on one measure of trust keeps of the tracks, and how good that is. */
const gateTable = (tracks: readonly Gated[]) => {
  const gates = {
    peak: [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5],
    ratio: [4, 5, 6, 7, 8, 10, 12],
    back: [0.3, 0.5, 0.6, 0.7, 0.8],
  };
  return (['peak', 'ratio', 'back'] as const).flatMap((measure) =>
    gates[measure].map((least) => {
      const kept = tracks.filter((track) => track[measure] >= least);
      const good = kept.filter(({ overlap }) => overlap > GOOD).length;
      return {
        ...{ measure, least, keptShare: kept.length / tracks.length },
        ...{ endOverlap: mean(kept.map(({ overlap }) => overlap)), goodShare: good / kept.length },
      };
    }),
  );
};

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/data/video/tracking' },
    lines: { type: 'string', default: '120' },
    set: { type: 'string', multiple: true, default: [] },
    beside: { type: 'string', default: 'kcf,csrt,kcf-default' },
    out: { type: 'string' },
  },
});
if (!existsSync(values.data))
  throw new Error(`Expected tracking sequences at ${values.data}: name their folder with --data`);
const options: KcfOptions = Object.fromEntries(
  values.set.map((text) => [text.split('=')[0], Number(text.split('=')[1])]),
);

const theirNames = { kcf: 'TrackerKCF, never gives up', csrt: 'TrackerCSRT', 'kcf-default': 'TrackerKCF as it comes' };
const beside = values.beside.split(',').filter((name) => name !== '') as (keyof typeof theirNames)[];
for (const name of beside) {
  if (!(name in theirNames)) {
    throw new Error(`Expected --beside to name ${Object.keys(theirNames).join(', ')}, got \`${name}\``);
  }
}
const names = ['ours', 'ours, whole pixels', ...beside.map((name) => theirNames[name])];
const rows = new Map<string, Row>(names.map((name) => [name, new Row()]));
const groups: number[] = [];
const targets: string[] = [];
const gated: Gated[] = [];
const tracker = new KcfTracker(options);
const openCv = beside.length > 0 ? await openOpenCv() : undefined;
const folder = await mkdtemp(path.join(tmpdir(), 'bench-tracking-'));
try {
  for await (const sequence of readSequences(values.data, Number(values.lines))) {
    const pixels = path.join(folder, `${sequence.name}.rgb`);
    await writeFile(pixels, sequence.rgb);
    const { images } = sequence;
    for (const { name, boxes } of sequence.targets) {
      targets.push(name);
      for (let frame = 0; frame + FRAMES < Math.min(images.length, boxes.length); frame += STARTS) {
        const start = { images, frame, box: boxes[frame] };
        const truth = boxes.slice(frame + 1, frame + 1 + FRAMES);
        groups.push(targets.length - 1);
        const ours = async (): Promise<void> => {
          const track = trackOurs(tracker, start);
          rows.get('ours')!.add(track, truth);
          const { boxes, minPeak, minPeakToSidelobe } = track;
          const end = boxes[FRAMES - 1]!;
          const back = wayBack(tracker, start, end);
          gated.push({ overlap: iou(end, truth[FRAMES - 1]), peak: minPeak, ratio: minPeakToSidelobe, back });
          const whole = trackOurs(tracker, { ...start, box: wholePixels(start.box) });
          const rounded = whole.boxes.map((box) => box && wholePixels(box));
          rows.get('ours, whole pixels')!.add({ ...whole, boxes: rounded }, truth);
        };
        const theirs = beside.map((tracker) => async (): Promise<void> => {
          const track = await openCv!.track(sequence, pixels, start, tracker);
          rows.get(theirNames[tracker])!.add(track, truth);
        });
        // Taking turns, so that none always runs in another's shadow.
        const turn = groups.length % (theirs.length + 1);
        const all = [ours, ...theirs];
        for (const run of [...all.slice(turn), ...all.slice(0, turn)]) await run();
      }
    }
    await rm(pixels);
  }
} finally {
  openCv?.close();
  await rm(folder, { recursive: true, force: true });
}

const table = [...rows].map(([name, row]) => ({
  name,
  ...row.summary(groups),
  ...(name.startsWith('ours') ? {} : { lead: differenceInterval(rows.get('ours')!.means, row.means, groups) }),
}));
const fixed = (value: number, digits = 3): string => value.toFixed(digits);
console.log(
  `${groups.length} tracks of ${FRAMES} frames, ${values.lines} lines; 1 thread each (${cpus()[0]?.model ?? 'unknown'})` +
    `${openCv ? `; OpenCV ${openCv.version}` : ''}\n\n` +
    '                            mean 1-30  of sequences  at 30  > 0.5  lost   updates a second, wall  processor',
);
for (const row of table) {
  const shares = `${fixed(100 * row.goodShare, 0).padStart(3)} %  ${fixed(100 * row.lostShare, 0).padStart(3)} %`;
  const times = `${fixed(row.updatesASecond, 0).padStart(22)}  ${fixed(row.updatesACpuSecond, 0).padStart(9)}`;
  const lead = row.lead ? `   ours leads by [${row.lead.map((value) => fixed(value)).join(', ')}]` : '';
  const overlaps = `${fixed(row.meanOverlap)}         ${fixed(row.meanOverlapOfSequences)}  ${fixed(row.endOverlap)}`;
  console.log(`${row.name.padEnd(28)}    ${overlaps}  ${shares} ${times}${lead}`);
}
const perTarget = targets.map((target, group) => ({
  target,
  tracks: groups.filter((own) => own === group).length,
  overlaps: Object.fromEntries(
    [...rows].map(([row, { means }]): [string, number] => [row, mean(means.filter((_, i) => groups[i] === group))]),
  ),
}));
console.log(`\nmean overlap over 1-${FRAMES} by target: ${[...rows.keys()].join(' | ')}`);
for (const { target, tracks, overlaps } of perTarget) {
  const cells = Object.values(overlaps).map((value) => fixed(value));
  console.log(`  ${target.padEnd(26)} ${String(tracks).padStart(2)} tracks  ${cells.join('  ')}`);
}
const gates = gateTable(gated);
console.log('\nkept by a gate on all updates of a track (peak, peak-to-sidelobe ratio) or on its way back:');
for (const { measure, least, keptShare, endOverlap, goodShare } of gates) {
  const kept = `keeps ${fixed(100 * keptShare, 0).padStart(3)} %, overlap at ${FRAMES} ${fixed(endOverlap)}`;
  console.log(
    `  ${measure.padEnd(5)} ${String(least).padEnd(4)} ${kept}, above ${GOOD} ${fixed(100 * goodShare, 0)} %`,
  );
}

if (values.out) {
  await mkdir(path.dirname(values.out), { recursive: true });
  const run = { lines: Number(values.lines), frames: FRAMES, everyFrames: STARTS, tracks: groups.length, options };
  const report = { ...run, processor: cpus()[0]?.model, openCv: openCv?.version, rows: table, perTarget, gates };
  await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\n${values.out}`);
}
const find = (name: string) => table.find((row) => row.name === name);
const [own, kcf, csrt] = [find('ours')!, find(theirNames.kcf), find(theirNames.csrt)];
const misses = [
  !kcf || own.meanOverlap > kcf.meanOverlap ? '' : 'mean overlap not above TrackerKCF',
  !kcf || own.endOverlap > kcf.endOverlap ? '' : 'overlap at the end not above TrackerKCF',
  !csrt || own.meanOverlap >= csrt.meanOverlap - 0.03 ? '' : 'mean overlap more than 0.03 below TrackerCSRT',
  !kcf || own.updatesACpuSecond > kcf.updatesACpuSecond ? '' : 'more processor time than TrackerKCF',
].filter((miss) => miss !== '');
for (const miss of misses) console.error(`FAILED: ${miss}`);
process.exitCode = misses.length > 0 ? 1 : 0;
