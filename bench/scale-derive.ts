import { createHash } from 'node:crypto';
import { miningDefaults } from '../src/tracking/mining-options.js';
import type { ClipsResult } from './scale-clips.js';
import type { CountResult } from './scale-count.js';

/** What is assumed of the videos to be learned from, and of the machine. */
export type WebVideos = {
  readonly videos: number;
  /** Of each: length, frames a second, and bytes a second of the file. */
  readonly seconds: number;
  readonly fps: number;
  readonly bytesASecond: number;
  readonly cores: number;
  /** Kept of each by `pack.maxPairsPerVideo` or `mine.maxPairs`. */
  readonly pairs: number;
};

/** A hundred thousand videos as the web has them: four minutes each, 1 Mbit/s. */
export const webVideos: WebVideos = {
  ...{ videos: 100_000, seconds: 240, fps: 30, bytesASecond: 125_000, cores: 64, pairs: miningDefaults.maxPairs },
};

/** The stages that look at every video. */
export const perVideoStages = ['index', 'leaks', 'mine'] as const;

/** What one stage costs: so much a file (processes started, files written), and so much a frame. */
export type StageCost = {
  readonly secondsAFile: number;
  readonly secondsAFrame: number;
  /** Of all videos. */
  readonly coreHours: number;
};

/** What mining such videos would cost. */
export type Derived = {
  readonly assumed: WebVideos;
  /** Measured just now: sha256 in one thread, MB a second. */
  readonly hashMbASecond: number;
  readonly hashingHours: number;
  readonly stages: Readonly<Record<(typeof perVideoStages)[number], StageCost>>;
  readonly coreHours: number;
  /** Wall: all cores at work, apart from hashing, which the coordinator does alone. */
  readonly days: number;
  readonly disk: {
    readonly videosGb: number;
    readonly ledgerGb: number;
    readonly printsGb: number;
    /** What `mine` leaves: every pair; with no more than `pairs` a video. */
    readonly minedGb: number;
    readonly minedCappedGb: number;
    readonly files: number;
  };
  readonly pairs: number;
  readonly pairsCapped: number;
  /** Memory of the coordinator, as it grew from few to many tiny videos in a run that has nothing to do. */
  readonly coordinatorGb: number;
};

/** Speed of sha256 in this process, MB a second of processor time. */
export const hashSpeed = (megabytes = 400): number => {
  const block = Buffer.alloc(1e6, 7);
  const before = process.cpuUsage();
  const hash = createHash('sha256');
  for (let i = 0; i < megabytes; i++) hash.update(block);
  hash.digest();
  const { user, system } = process.cpuUsage(before);
  return (megabytes * 1e6) / (user + system);
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Carries what was measured over to `assumed`. The tiny videos, whose frames cost next to nothing, say what a file costs; the clips, less that,
 * what a frame does.
 */
export const deriveScale = (
  { clips, count, few }: { readonly clips: ClipsResult; readonly count: CountResult; readonly few: CountResult },
  hashMbASecond: number,
  assumed: WebVideos = webVideos,
): Derived => {
  const { videos, seconds, fps, bytesASecond, cores } = assumed;
  const costOf = (stage: string): StageCost => {
    const secondsAFile = (count.stages[stage]?.processorSeconds ?? 0) / count.videos;
    const ofClips = mean(clips.runs.map(({ processorSeconds }) => processorSeconds[stage] ?? 0));
    const secondsAFrame = Math.max(0, ofClips - clips.clips * secondsAFile) / clips.frames;
    return {
      ...{ secondsAFile, secondsAFrame },
      coreHours: (videos * (secondsAFile + seconds * fps * secondsAFrame)) / 3600,
    };
  };
  const stages = { index: costOf('index'), leaks: costOf('leaks'), mine: costOf('mine') };
  const hashingHours = (videos * seconds * bytesASecond) / 1e6 / hashMbASecond / 3600;
  const working = perVideoStages.reduce((sum, stage) => sum + stages[stage].coreHours, 0);
  const pairsAVideo = (clips.pairs / clips.seconds) * seconds;
  const capped = Math.min(1, assumed.pairs / pairsAVideo);
  const gigabytesOf = (...names: readonly string[]): number =>
    (names.reduce((sum, name) => sum + (clips.artefactsMb[name] ?? 0), 0) / clips.seconds) * seconds * videos * 1e-3;
  const filesAVideo = Object.values(count.stages).reduce((sum, { files }) => sum + files, 0) / count.videos;
  const grownMbAVideo = (count.again.peakMb - few.again.peakMb) / (count.videos - few.videos);
  return {
    ...{ assumed, hashMbASecond, hashingHours, stages, coreHours: working + hashingHours },
    days: (working / cores + hashingHours) / 24,
    disk: {
      videosGb: (videos * seconds * bytesASecond) / 1e9,
      ledgerGb: ((count.ledgerMb / count.videos) * videos) / 1e3,
      printsGb: gigabytesOf('index', 'leaks'),
      ...{ minedGb: gigabytesOf('mine'), minedCappedGb: gigabytesOf('mine') * capped },
      files: filesAVideo * videos,
    },
    ...{ pairs: pairsAVideo * videos, pairsCapped: pairsAVideo * capped * videos },
    coordinatorGb: (few.again.peakMb + grownMbAVideo * videos) / 1e3,
  };
};
