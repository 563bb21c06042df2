import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { processorSecondsByStage } from './scale-count.js';
import { countStages, measureRun, minedOf } from './scale-run.js';

/** Real clips, mined by one worker and by two in turns. */
export type ClipsResult = {
  readonly clips: number;
  readonly seconds: number;
  readonly frames: number;
  readonly pairs: number;
  /** Median pixels of a frame of the files. */
  readonly pixels: number;
  readonly runs: readonly {
    readonly jobs: number;
    /** Wall and processor time by stage. */
    readonly seconds: Readonly<Record<string, number>>;
    readonly processorSeconds: Readonly<Record<string, number>>;
    readonly peakMb: number;
    readonly ffmpegPeakMb: number;
  }[];
  /** Of the artefacts, by stage, MB. */
  readonly artefactsMb: Readonly<Record<string, number>>;
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Mines every third clip of a folder, `rounds` times with one worker and with two. */
export const measureClips = async (
  folder: string,
  images: string,
  source: string,
  rounds = 2,
): Promise<ClipsResult | undefined> => {
  if (!existsSync(source)) {
    console.log(`No clips at ${source}: name their folder with --clips`);
    return undefined;
  }
  const videos = path.join(folder, 'clips');
  mkdirSync(videos, { recursive: true });
  const names = readdirSync(source)
    .sort()
    .filter((_, i) => i % 3 === 0);
  for (const name of names) symlinkSync(path.resolve(source, name), path.join(videos, name));
  const runs: ClipsResult['runs'][number][] = [];
  const work = path.join(folder, 'run');
  for (const jobs of Array.from({ length: rounds }, () => [1, 2]).flat()) {
    rmSync(work, { recursive: true, force: true });
    const run = await measureRun({ videos, images, work, jobs });
    runs.push({
      ...{ jobs, peakMb: run.peakMb, ffmpegPeakMb: run.ffmpegPeakMb },
      seconds: Object.fromEntries(Object.entries(countStages(work)).map(([name, { seconds }]) => [name, seconds])),
      processorSeconds: processorSecondsByStage(run),
    });
  }
  const mined = minedOf(work);
  const sum = (of: (video: (typeof mined)[number]) => number): number => mined.reduce((so, video) => so + of(video), 0);
  return {
    ...{ clips: mined.length, seconds: sum(({ seconds }) => seconds), frames: sum(({ frames }) => frames) },
    ...{ pairs: sum(({ pairs }) => pairs), pixels: median(mined.map(({ pixels }) => pixels)), runs },
    artefactsMb: Object.fromEntries(
      Object.entries(countStages(work)).map(([name, stage]) => [name, stage.artefactsMb]),
    ),
  };
};
