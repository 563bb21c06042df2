import { createHash } from 'node:crypto';
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
  ...{ videos: 100_000, seconds: 240, fps: 30, bytesASecond: 125_000, cores: 64, pairs: 80 },
};

/** What mining such videos would cost. */
export type Derived = {
  readonly assumed: WebVideos;
  /** Measured just now: sha256 in one thread, MB a second. */
  readonly hashMbASecond: number;
  /** Measured on clips: frames a processor second. */
  readonly framesAProcessorSecond: { readonly leaks: number; readonly mine: number };
  readonly coreHours: { readonly index: number; readonly leaks: number; readonly mine: number; readonly all: number };
  /** Wall: all cores at work, apart from hashing, which the coordinator does alone. */
  readonly days: number;
  readonly hashingHours: number;
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

/** Carries what was measured over to `assumed`. Frames cost by their number, files by theirs. */
export const deriveScale = (
  { clips, count, few }: { readonly clips: ClipsResult; readonly count: CountResult; readonly few: CountResult },
  hashMbASecond: number,
  assumed: WebVideos = webVideos,
): Derived => {
  const { videos, seconds, fps, bytesASecond, cores } = assumed;
  const frames = videos * seconds * fps;
  const speed = (stage: string): number =>
    clips.frames / mean(clips.runs.map(({ processorSeconds }) => processorSeconds[stage]));
  const framesAProcessorSecond = { leaks: speed('leaks'), mine: speed('mine') };
  const hashing = (videos * seconds * bytesASecond) / 1e6 / hashMbASecond;
  const index = (videos * count.stages['index'].processorSeconds) / count.stages['index'].items + hashing;
  const hours = {
    index: index / 3600,
    leaks: frames / framesAProcessorSecond.leaks / 3600,
    mine: frames / framesAProcessorSecond.mine / 3600,
  };
  const all = hours.index + hours.leaks + hours.mine;
  const hashingHours = hashing / 3600;
  const pairsAVideo = (clips.pairs / clips.seconds) * seconds;
  const minedGb = (clips.artefactsMb['mine'] / clips.seconds) * seconds * videos * 1e-3;
  const capped = Math.min(1, assumed.pairs / pairsAVideo);
  const perTiny = (of: (stage: CountResult['stages'][string]) => number): number =>
    Object.values(count.stages).reduce((sum, stage) => sum + of(stage), 0) / count.videos;
  const grownMbAVideo = (count.again.peakMb - few.again.peakMb) / (count.videos - few.videos);
  return {
    ...{ assumed, hashMbASecond, framesAProcessorSecond, coreHours: { ...hours, all } },
    ...{ days: ((all - hashingHours) / cores + hashingHours) / 24, hashingHours },
    disk: {
      videosGb: (videos * seconds * bytesASecond) / 1e9,
      ledgerGb: ((count.ledgerMb / count.videos) * videos) / 1e3,
      printsGb: ((clips.artefactsMb['leaks'] / clips.seconds) * seconds * videos) / 1e3,
      ...{ minedGb, minedCappedGb: minedGb * capped },
      files: perTiny(({ files }) => files) * videos,
    },
    ...{ pairs: pairsAVideo * videos, pairsCapped: pairsAVideo * capped * videos },
    coordinatorGb: (few.again.peakMb + grownMbAVideo * videos) / 1e3,
  };
};
