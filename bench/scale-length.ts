import { existsSync, linkSync, copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { minedOf, measureRun } from './scale-run.js';
import { generateVideos, repeatVideo } from './scale-videos.js';

/** One video mined by one worker. */
export type LengthResult = {
  readonly video: string;
  readonly frames: number;
  readonly pairs: number;
  readonly processorSeconds: number;
  /** Of coordinator and worker together (one process), and of the largest of their ffmpeg processes, MB. */
  readonly peakMb: number;
  readonly ffmpegPeakMb: number;
  /** While it was mined: how often the process was looked at, and its mean size in each tenth of that time, MB. */
  readonly samples: number;
  readonly tenthsMb: readonly number[];
  /** From the second fifth of that time on, MB a minute of video (least squares); undefined where it was too short. */
  readonly growthMbAMinute: number | undefined;
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Slope of the least-squares line. */
export const slopeOf = (x: readonly number[], y: readonly number[]): number => {
  const [middleX, middleY] = [mean(x), mean(y)];
  const covariance = x.reduce((sum, value, i) => sum + (value - middleX) * (y[i] - middleY), 0);
  return covariance / x.reduce((sum, value) => sum + (value - middleX) ** 2, 0);
};

const mineOne = async (folder: string, images: string, file: string, name: string): Promise<LengthResult> => {
  const videos = path.join(folder, name, 'video');
  const work = path.join(folder, name, 'run');
  mkdirSync(videos, { recursive: true });
  const target = path.join(videos, `${name}${path.extname(file)}`);
  try {
    linkSync(file, target);
  } catch {
    copyFileSync(file, target);
  }
  const run = await measureRun({ videos, images, work, jobs: 1 });
  const own = run.samples.filter(({ stage }) => stage === 'mine');
  const tenths = Array.from({ length: 10 }, (_, i) =>
    own.slice(Math.floor((i * own.length) / 10), Math.floor(((i + 1) * own.length) / 10)),
  );
  const [mined] = minedOf(work);
  const late = own.slice(Math.floor(own.length / 5));
  // Minutes of video between two looks, at an even pace.
  const step = (0.8 * mined.seconds) / 60 / late.length;
  return {
    ...{ video: name, frames: mined.frames, pairs: mined.pairs, processorSeconds: run.processorSeconds },
    ...{ peakMb: run.peakMb, ffmpegPeakMb: run.ffmpegPeakMb, samples: own.length },
    tenthsMb: tenths.filter((part) => part.length > 0).map((part) => mean(part.map(({ residentMb }) => residentMb))),
    growthMbAMinute:
      late.length < 20
        ? undefined
        : slopeOf(
            late.map((_, index) => index * step),
            late.map(({ residentMb }) => residentMb),
          ),
  };
};

/** Mines ten seconds of 720p, the same six and thirty-six times over, and the long 1080p file if there is one. */
export const measureLength = async (folder: string, images: string, long: string): Promise<LengthResult[]> => {
  const made = path.join(folder, 'made');
  mkdirSync(made, { recursive: true });
  await generateVideos(made, {
    ...{ from: 0, count: 1, width: 1280, height: 720, frames: 300, fps: 30 },
    keyframeInterval: 60,
  });
  const short = path.join(made, '00000.mp4');
  const results = [await mineOne(folder, images, short, '720p-10s')];
  for (const [times, name] of [
    [6, '720p-1min'],
    [36, '720p-6min'],
  ] as const) {
    const file = path.join(made, `${name}.mp4`);
    await repeatVideo(short, times, file);
    results.push(await mineOne(folder, images, file, name));
  }
  if (existsSync(long)) results.push(await mineOne(folder, images, long, '1080p-6min-black'));
  else console.log(`No long video at ${long}: name one with --long`);
  return results;
};
