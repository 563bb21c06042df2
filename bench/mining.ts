/**
 * Mines the clips of a folder as the pipeline does, and prints what came of it: pairs a clip, outcomes of time-steps and tracks by
 * reason, how much the pairs change, the largest share of one clip, and processor time (decoding alone, and all).
 *
 *   node dist/bench/mining.js [--videos DIR] [--only PART,PART] [--set name=value …] [--out FILE.json]    (names of MiningOptions)
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { minePairs } from '../src/tracking/mine-pairs.js';
import type { TrackDecision } from '../src/tracking/mining-log.js';
import type { MiningOptions } from '../src/tracking/mining-options.js';
import { decodeFrames } from '../src/video/decode-frames.js';
import { VideoRejection } from '../src/video/video-rejection.js';

const { values } = parseArgs({
  options: {
    videos: { type: 'string' },
    only: { type: 'string' },
    set: { type: 'string', multiple: true },
    out: { type: 'string' },
  },
});
const folder = values.videos ?? join(process.cwd(), '../shared/data/video/clips');
const setting = (text: string): [string, number | string] => {
  const [name, value = ''] = text.split('=');
  return [name, Number.isNaN(Number(value)) ? value : Number(value)];
};
// As often as the preset `small`, whose mining is otherwise the paper's: a clip is short.
const options = {
  stepFrames: 4,
  patchPx: 160,
  ...Object.fromEntries((values.set ?? []).map(setting)),
} as MiningOptions;

/** Processor seconds of this process and of the children it waited for (0 where the system does not tell). */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  let children = 0;
  try {
    // Fields 16 and 17 of proc(5), hundredths of a second; the name before them may hold spaces.
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
    children = (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    // Another system.
  }
  return (user + system) / 1e6 + children;
};

/** What counts as a visible change: a quarter of the side, a fifth in size, or a correlation of the two ends below 0.75. */
const changesVisibly = ({ travelPx = 0, sidePx = 1, scaleChange = 1, appearanceChange = 0 }: TrackDecision): boolean =>
  travelPx > 0.25 * sidePx || Math.abs(Math.log(scaleChange)) > Math.log(1.2) || appearanceChange > 0.25;

/** Runs the bench and prints its table. */
export const runMiningBench = async (): Promise<void> => {
  if (!existsSync(folder)) {
    console.log(`No clips at ${folder}: name their folder with --videos`);
    return;
  }
  const parts = values.only?.split(',');
  const files = readdirSync(folder)
    .sort()
    .filter((file) => parts === undefined || parts.some((part) => file.includes(part)));
  const outcomes = new Map<string, number>();
  const clips: { file: string; frames: number; pairs: number }[] = [];
  const total = { frames: 0, pairs: 0, kept: 0, changing: 0, decoding: 0, all: 0 };
  for (const file of files) {
    const path = join(folder, file);
    const kept: TrackDecision[] = [];
    try {
      const start = processorSeconds();
      for await (const frame of decodeFrames(path)) void frame;
      const decoded = processorSeconds();
      const summary = await minePairs({ sha256: file, label: file }, decodeFrames(path), options, {
        pair: () => {},
        decision: (decision) => {
          const name = `${decision.kind}: ${decision.outcome}`;
          outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
          if (decision.kind === 'track' && decision.outcome === 'pair') kept.push(decision);
        },
      });
      total.decoding += decoded - start;
      total.all += processorSeconds() - decoded;
      total.frames += summary.frames;
      total.pairs += summary.pairs;
      total.kept += kept.length;
      total.changing += kept.filter(changesVisibly).length;
      clips.push({ file, frames: summary.frames, pairs: summary.pairs });
      console.log(
        `${file.padEnd(60).slice(0, 60)} ${String(summary.frames).padStart(6)} frames ${String(summary.pairs).padStart(5)} pairs`,
      );
    } catch (error) {
      if (!(error instanceof VideoRejection)) throw error;
      console.log(`${file}: ${error.reason}`);
    }
  }
  const most = Math.max(0, ...clips.map(({ pairs }) => pairs));
  const result = {
    options,
    videos: clips.length,
    videosWithPairs: clips.filter(({ pairs }) => pairs > 0).length,
    frames: total.frames,
    pairs: total.pairs,
    largestShare: total.pairs > 0 ? most / total.pairs : 0,
    changingShare: total.kept > 0 ? total.changing / total.kept : 0,
    processorSeconds: { decoding: total.decoding, all: total.all },
    framesPerProcessorSecond: total.frames / total.all,
    outcomes: Object.fromEntries([...outcomes].sort(([a], [b]) => (a < b ? -1 : 1))),
    clips,
  };
  const { clips: _, outcomes: counted, ...numbers } = result;
  console.log(JSON.stringify(numbers, null, 2));
  for (const [name, count] of Object.entries(counted)) console.log(`${String(count).padStart(6)}  ${name}`);
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMiningBench();
