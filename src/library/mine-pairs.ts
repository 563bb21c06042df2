import { availableParallelism } from 'node:os';
import path from 'node:path';
import { minePairs as pipeline } from '../../pipelines/mine/index.js';
import { refusedVideos } from '../../pipelines/video-ssl/refused-videos.js';
import type { PackedPairs } from '../../pipelines/video-ssl/stages/pack.js';
import type { RefusedVideo } from '../../pipelines/video-ssl/too-few-pairs.js';
import type { Display } from '../pipeline/display.js';
import { commandLine } from '../pipeline/invocation.js';
import type { Json } from '../pipeline/json.js';
import { effectiveParams } from '../pipeline/params.js';
import { Interrupted } from '../pipeline/run-errors.js';
import { runPipeline } from '../pipeline/run-pipeline.js';
import type { StageOutput } from '../pipeline/stage.js';
import { UsageError } from '../pipeline/usage-error.js';
import type { PairRecord } from '../shards/pair-record.js';
import { readPairs } from '../shards/pairs.js';
import { ensureFfmpeg } from '../video/ffmpeg-binary.js';
import { checkInteger, checkPathGiven, checkWord, shown } from './check-arguments.js';

/** How far mining is: after each video, and as one goes on. */
export type MiningProgress = {
  /** `fetch`, `index`, `mine`, `pack`. */
  readonly stage: string;
  /** Videos of this stage that are done, refused ones and those of earlier calls among them, and all of them. */
  readonly done: number;
  readonly total: number;
  /** The video that this is about. */
  readonly video?: string;
  /** What became of it; absent while it is worked on. */
  readonly status?: 'done' | 'rejected' | 'failed';
  /** How far it is, in frames. */
  readonly frames?: number;
};

/** What to mine, and where. */
export type MineOptions = {
  /** A folder, searched through, or a list (`.txt`, one path or address a line). */
  readonly videos: string;
  /** The run folder: what is finished there is taken as it is. */
  readonly work: string;
  /** Whether addresses in the list are fetched. @default false */
  readonly fetch?: boolean;
  /** `demo`, `small` or `paper`, as the pipeline `video-ssl` has them. @default 'small' */
  readonly preset?: 'demo' | 'small' | 'paper';
  /** Parameters over the preset's, by stage: `{ mine: { stepFrames: 4 } }`. `video-ssl run --print-config` names all. */
  readonly params?: { readonly [stage: string]: { readonly [key: string]: Json } };
  /** Videos that are worked on at once. @default one a core */
  readonly jobs?: number;
  /** Tries again what an earlier call refused or failed at. */
  readonly retry?: readonly ('rejected' | 'failed')[];
  readonly onProgress?: (progress: MiningProgress) => void;
  /** Hears lines for people. */
  readonly log?: (line: string) => void;
  /** Stops between frames; the next call goes on from there. */
  readonly signal?: AbortSignal;
};

/** A pair of patches that a track joins; pictures are JPEG. */
export type MinedPair = {
  readonly record: PairRecord;
  /** Where the track begins. */
  readonly a: Uint8Array;
  /** Where it ends. */
  readonly b: Uint8Array;
  /** The control: where it began, at the time it ends. */
  readonly u: Uint8Array;
};

/** What mining came to. */
export type MinedPairs = {
  readonly pairs: number;
  /** Videos that gave some. */
  readonly videos: number;
  readonly refused: readonly RefusedVideo[];
  /** WebDataset tar shards, absolute paths. */
  readonly shards: readonly string[];
  /** sha256 over all of it: equal videos and parameters give equal pairs. */
  readonly digest: string;
  /** Reads the pairs from the shards, one in memory at a time. */
  read(): AsyncGenerator<MinedPair, void, void>;
};

/**
 * Mines tracked pairs of patches from videos, as the pipelines do: finds the videos, looks into each, tracks what moves, packs the pairs
 * of all. The run folder is one of `video-ssl mine`, which goes on where this was stopped, and may be given to `video-ssl run` afterwards, which then
 * mines nothing again.
 *
 * @throws UsageError for videos or parameters that cannot be used; TooFewPairs, a RunError, where fewer than two videos gave pairs;
 *   RunError where the disk is full, or another run holds the folder; the signal's reason where it stops
 */
export const minePairs = async (options: MineOptions): Promise<MinedPairs> => {
  checkOptions(options);
  const { signal, log = () => {} } = options;
  signal?.throwIfAborted();
  const argv = wordsOf(options);
  const stages = pipeline.stages({ options: videoOptions(options), seed: 1, seeds: 1 });
  const params = effectiveParams(pipeline, stages, { preset: options.preset, set: assignments(options) }).values;
  const jobs = options.jobs ?? availableParallelism();
  checkInteger('jobs', jobs, 1);
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(new Interrupted());
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await ensureFfmpeg(log);
    const finished = await runPipeline(
      {
        ...{ pipeline: pipeline.name, stages, params, workDir: path.resolve(options.work) },
        settings: { device: 'auto', jobs, command: commandLine(argv) },
        ...{ origin: { argv, directory: process.cwd() }, retry: new Set(options.retry ?? []), verify: false },
      },
      {
        display: displayOf(options),
        ...{ stop: stop.signal, stopNow: new AbortController().signal, workerEnvironment: {} },
      },
    );
    return minedPairs(finished);
  } catch (error) {
    throw error instanceof Interrupted && signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
};

const checkOptions = (options: MineOptions): void => {
  if (typeof options !== 'object' || options === null)
    throw new UsageError(`Expected options of minePairs, { videos, work }, got ${shown(options)}`);
  const { videos, work, retry = [], params = {} } = options;
  checkPathGiven('videos', videos);
  checkPathGiven('work', work);
  if (!Array.isArray(retry)) throw new UsageError(`Expected \`retry\` to be a list, got ${shown(retry)}`);
  for (const status of retry as unknown[]) checkWord('retry', status, ['rejected', 'failed']);
  for (const [name, value] of [['params', params] as const, ...Object.entries(params ?? {})]) {
    const place = name === 'params' ? name : `params.${name}`;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new UsageError(`Expected \`${place}\` to be keys and values, got ${shown(value)}`);
  }
};

const videoOptions = ({ videos, fetch = false }: MineOptions): Record<string, string | undefined> => ({
  videos,
  fetch: fetch ? 'true' : undefined,
});

/** Parameters as `--set` has them. */
const assignments = ({ params = {} }: MineOptions): string[] =>
  Object.entries(params).flatMap(([stage, values]) =>
    Object.entries(values).map(([key, value]) => `${stage}.${key}=${JSON.stringify(value)}`),
  );

/** The command that does the same: what the run's record names, and `video-ssl status` says goes on. */
const wordsOf = (options: MineOptions): string[] => [
  ...[pipeline.name, '--videos', path.resolve(options.videos), '--work', path.resolve(options.work)],
  ...(options.fetch ? ['--fetch'] : []),
  ...(options.retry ?? []).flatMap((status) => ['--retry', status]),
  ...(options.preset === undefined ? [] : ['--preset', options.preset]),
  ...assignments(options).flatMap((assignment) => ['--set', assignment]),
  ...(options.jobs === undefined ? [] : ['--jobs', String(options.jobs)]),
];

const displayOf = ({ onProgress, log }: MineOptions): Display => ({
  stage: (stage, total, already) => {
    let done = already;
    onProgress?.({ stage, done, total });
    return {
      ended: (video, status) => {
        done++;
        onProgress?.({ stage, done, total, video, status });
      },
      item: (video, progress) => onProgress?.({ stage, done, total, video, frames: progress.done }),
      close: () => undefined,
    };
  },
  log: (line) => log?.(line),
  close: () => undefined,
});

const minedPairs = (finished: ReadonlyMap<string, StageOutput>): MinedPairs => {
  const { data, artefacts, digest } = finished.get('pack')!;
  const { pairs, videos } = data as PackedPairs;
  const shards = artefacts.filter(({ name }) => name.endsWith('.tar')).map((file) => file.path);
  return { pairs, videos, refused: refusedVideos(finished), shards, digest, read: () => readPairs(shards) };
};
