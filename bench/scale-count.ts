import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { generateVideos } from './scale-videos.js';
import { countStages, measureRun, type MeasuredRun, type StageCounts } from './scale-run.js';

/** A stretch of a stage's items: what one item cost in it, and how the process stood at its end. */
export type Stretch = {
  readonly items: number;
  readonly processorSecondsAnItem: number;
  readonly residentMb: number;
  readonly ledgerMb: number;
};

/** A run that has little to do. */
export type ShortRun = {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peakMb: number;
  /** Results recorded in it. */
  readonly executed: number;
};

/** Many tiny videos: what an item costs as their number grows. */
export type CountResult = {
  readonly videos: number;
  readonly added: number;
  readonly jobs: number;
  readonly processorSeconds: number;
  readonly peakMb: number;
  readonly ffmpegPeakMb: number;
  /** Until the list of videos was hashed and known, and the pool at work: from the end of the stage before. */
  readonly stages: Readonly<Record<string, StageCounts & { readonly processorSeconds: number }>>;
  readonly stretches: Readonly<Record<string, readonly Stretch[]>>;
  readonly ledgerMb: number;
  readonly again: ShortRun;
  readonly plan: ShortRun;
  readonly withMore: ShortRun;
};

/** Tiny videos of one time-step each: what is measured is all that stands around the mining. */
const tiny = { width: 96, height: 64, frames: 24, fps: 20 };

/** One track a video, on patches of a size that fits. */
export const tinySettings: readonly string[] = [
  ...['mine.trackFrames=20', 'mine.followFrames=10', 'mine.stepFrames=24', 'mine.maxWindows=1', 'mine.patchPx=64'],
];

/** Generates the tiny videos `from` to `from + count`. */
export const generateTinyVideos = async (folder: string, from: number, count: number): Promise<void> => {
  mkdirSync(folder, { recursive: true });
  await generateVideos(folder, { ...tiny, from, count });
};

/** What items cost in stretches of `every`, in the stages that have as many. */
export const stretchesOf = ({ samples }: MeasuredRun, every: number): Record<string, Stretch[]> => {
  const found: Record<string, Stretch[]> = {};
  for (const stage of ['index', 'leaks', 'mine']) {
    const own = samples.filter((sample) => sample.stage === stage);
    let before = own[0];
    for (let goal = every; before !== undefined; goal += every) {
      const sample = own.find(({ finished }) => finished >= goal);
      if (sample === undefined) break;
      if (sample.finished > before.finished) {
        (found[stage] ??= []).push({
          items: sample.finished,
          processorSecondsAnItem:
            (sample.processorSeconds - before.processorSeconds) / (sample.finished - before.finished),
          ...{ residentMb: sample.residentMb, ledgerMb: sample.ledgerMb },
        });
      }
      before = sample;
    }
  }
  return found;
};

const executionsIn = (work: string): number =>
  Object.values(countStages(work)).reduce((sum, { executions }) => sum + executions, 0);

/** Processor seconds of each stage: from the end of the one before to its own. */
export const processorSecondsByStage = ({ ends }: MeasuredRun): Record<string, number> =>
  Object.fromEntries(
    ends.map(({ stage, processorSeconds }, i) => [stage, processorSeconds - (ends[i - 1]?.processorSeconds ?? 0)]),
  );

/** Mines `videos` tiny videos in one run, does it again with nothing to do, then with some more. */
export const measureCount = async (
  folder: string,
  images: string,
  { videos, added, jobs, every }: { videos: number; added: number; jobs: number; every: number },
): Promise<CountResult> => {
  const place = path.join(folder, 'tiny');
  const work = path.join(folder, 'run');
  await generateTinyVideos(place, 0, videos);
  const run = { videos: place, images, work, jobs, sets: tinySettings };
  const first = await measureRun(run);
  const counts = countStages(work);
  const byStage = processorSecondsByStage(first);
  const short = async (more: { readonly plan?: boolean } = {}): Promise<ShortRun> => {
    const before = executionsIn(work);
    const { seconds, processorSeconds, peakMb } = await measureRun({ ...run, ...more, everyMs: 100 });
    return { seconds, processorSeconds, peakMb, executed: executionsIn(work) - before };
  };
  const again = await short();
  const plan = await short({ plan: true });
  await generateTinyVideos(place, videos, added);
  return {
    ...{ videos, added, jobs, processorSeconds: first.processorSeconds },
    ...{ peakMb: first.peakMb, ffmpegPeakMb: first.ffmpegPeakMb },
    stages: Object.fromEntries(
      Object.entries(counts).map(([name, stage]) => [name, { ...stage, processorSeconds: byStage[name] ?? NaN }]),
    ),
    stretches: stretchesOf(first, every),
    ledgerMb: Math.max(...first.samples.map(({ ledgerMb }) => ledgerMb)),
    ...{ again, plan, withMore: await short() },
  };
};
