import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { RunError } from '../../src/pipeline/run-errors.js';
import { formatSeconds } from '../../src/pipeline/rate.js';
import { chooseShown, type ShownCounts } from '../../src/report/inspect/choose-shown.js';
import type { InspectedPicture, InspectedTrack, InspectedVideo } from '../../src/report/inspect/inspected-video.js';
import { scaleOf } from '../../src/report/inspect/limits.js';
import { parseDecision, placeOf, type LoggedDecision } from '../../src/report/inspect/logged-decision.js';
import type { PairRecord } from '../../src/shards/pair-record.js';
import { readPairs } from '../../src/shards/pairs.js';
import type { DecodeOptions } from '../../src/video/decode-frames.js';
import { againIfKilled } from '../../src/video/decoder-killed.js';
import { VideoRejection } from '../../src/video/video-rejection.js';
import { workingSize } from '../../src/video/working-size.js';
import { drawVideo, type DrawnVideo, type PictureFolder } from './draw-video.js';
import type { FoundFile } from './find-files.js';
import { mineAgain, type MinedAgain } from './mine-again.js';
import type { MinedItem, RunToInspect } from './read-run.js';

/** A video's log: the lines as they are, and what they say. */
export type VideoLog = { readonly lines: readonly string[]; readonly decisions: readonly LoggedDecision[] };

/**
 * Reads the log of a mined video.
 *
 * @throws RunError naming the file where it is gone or damaged
 */
export const readLog = async ({ log, label }: Pick<MinedItem, 'log' | 'label'>): Promise<VideoLog> => {
  try {
    const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');
    return { lines, decisions: lines.map((line, index) => parseDecision(line, index + 1)) };
  } catch (error) {
    throw new RunError(`The mining log of ${label} cannot be read (${log}): ${(error as Error).message}`);
  }
};

/** Pixels of a video's frames for one of the paper's. */
export const scaleOfVideo = ({ info }: Pick<MinedItem, 'info'>, { params }: Pick<RunToInspect, 'params'>): number =>
  scaleOf(workingSize(info, typeof params['areaPx'] === 'number' ? params['areaPx'] : undefined));

type StoredPair = { readonly record: PairRecord; readonly a: InspectedPicture; readonly b: InspectedPicture };

/** Where a pair began, from its key. */
const placeOfKey = (key: string): string => {
  const [frame, window] = key.split('-').slice(-2).map(Number);
  return placeOf({ kind: 'track', frame: frame!, window });
};

/** The patches of the pairs asked for, out of the video's shards as they were trained on. */
const storedPairs = async (
  item: MinedItem,
  places: ReadonlySet<string>,
  { folder, href }: PictureFolder,
): Promise<ReadonlyMap<string, StoredPair>> => {
  const found = new Map<string, StoredPair>();
  const write = async (name: string, bytes: Uint8Array): Promise<InspectedPicture> => {
    const { width, height } = await sharp(bytes).metadata();
    await writeFile(path.join(folder, name), bytes);
    return { href: `${href}/${name}`, width, height };
  };
  for await (const { record, a, b } of readPairs(item.shards)) {
    const place = placeOfKey(record.key);
    if (!places.has(place)) continue;
    const name = `pair-${record.key.split('-').slice(-2).join('-')}`;
    found.set(place, { record, a: await write(`${name}-a.jpg`, a), b: await write(`${name}-b.jpg`, b) });
  }
  return found;
};

const nothingSeen: MinedAgain = { steps: new Map(), tracks: new Map(), differing: 0 };
/** Pairs as their records have them, whatever a later miner makes of them. */
const withStored = (seen: MinedAgain, stored: ReadonlyMap<string, StoredPair>): MinedAgain => ({
  ...seen,
  tracks: new Map([
    ...seen.tracks,
    ...[...stored].map(([key, { record }]) => [key, { boxes: record.boxes, peaks: record.peaks }] as const),
  ]),
});

const nothingDrawn: DrawnVideo = { steps: new Map(), tracks: new Map() };

const factsOf = ({ info, mined, sha256 }: MinedItem, area: number | undefined): (readonly [string, string])[] => {
  const { width, height } = workingSize(info, area);
  return [
    ['size', `${info.width} x ${info.height}, worked on at ${width} x ${height}`],
    ['frames', `${mined.frames}${info.fps === null ? '' : ` at ${Number(info.fps.toFixed(2))} a second`}`],
    ...(info.duration === null ? [] : [['length', formatSeconds(info.duration)] as const]),
    ['codec', `${info.codec}, ${info.pixelFormat}`],
    ['sha256', sha256.slice(0, 12)],
  ];
};

/** What became of a pair after it was mined. */
const fateOf = (
  decision: LoggedDecision,
  sha256: string,
  selected: ReadonlyMap<string, LoggedDecision>,
  packed: RunToInspect['packed'],
): string | undefined => {
  if (decision.outcome !== 'pair') return undefined;
  const place = `${decision.frame} ${decision.window ?? ''}`;
  const selection = selected.get(place);
  if (selection !== undefined) return `Then ${selection.outcome}: it made room for others of this video.`;
  if (packed === undefined) return undefined;
  const key = `${sha256.slice(0, 12)}-${decision.frame}-${decision.window ?? 0}`;
  return packed.has(key)
    ? 'In the shards that are trained on.'
    : 'Not in the shards that are trained on: the cap a video left it out.';
};

/** What is drawn of one video, and where pictures go. */
export type VideoInspection = {
  readonly found: FoundFile;
  readonly shown: ShownCounts;
  readonly pictures: PictureFolder;
  readonly signal?: AbortSignal;
};

/** Mines one video of a run again, draws what it saw, and gathers what the page shows. What cannot be drawn is said in its notes. */
export const inspectVideo = async (
  item: MinedItem,
  run: RunToInspect,
  { found, shown, pictures, signal }: VideoInspection,
): Promise<InspectedVideo> => {
  const { lines, decisions } = await readLog(item);
  const place = {
    folder: path.join(pictures.folder, item.sha256.slice(0, 12)),
    href: `${pictures.href}/${item.sha256.slice(0, 12)}`,
  };
  await rm(place.folder, { recursive: true, force: true });
  await mkdir(place.folder, { recursive: true });
  const { steps, tracks } = chooseShown(decisions, shown);
  const strips = new Set(tracks.map(placeOf));
  const frames = new Set(steps.map(({ frame }) => frame));
  const onSteps = decisions.filter(({ kind, frame }) => kind === 'track' && frames.has(frame));
  const places = new Set([...steps, ...tracks, ...onSteps].map(placeOf));
  const notes = item.warnings.map((warning) => `While it was mined: ${warning}`);
  const area = typeof run.params['areaPx'] === 'number' ? run.params['areaPx'] : undefined;
  const stored = await storedPairs(item, strips, place);
  let seen = nothingSeen;
  let drawn = nothingDrawn;
  if ('missing' in found) notes.push(`Frames are not drawn: ${found.missing}.`);
  else if (places.size > 0) {
    const decoding: DecodeOptions = {
      info: item.info,
      ...(area !== undefined && { areaPx: area }),
      ...(signal && { signal }),
    };
    try {
      seen = withStored(await mineAgain(found.file, item, run.params, lines, places, signal), stored);
      drawn = await againIfKilled(
        () => drawVideo(found.file, decoding, seen, decisions, strips, place),
        signal ? { signal } : {},
      );
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof VideoRejection)) throw error;
      notes.push(`Frames are not drawn: ${error.reason}.`);
    }
    if (seen.differing > 0) {
      notes.push(
        `Today's miner decides ${seen.differing} of ${lines.length} otherwise than the log of this run. Numbers are the log's; of these, points are drawn, but no windows, and no track unless it became a pair.`,
      );
    }
  }
  const selected = new Map(
    decisions.filter(({ kind }) => kind === 'selection').map((one) => [`${one.frame} ${one.window ?? ''}`, one]),
  );
  return {
    ...{ label: item.label, sha256: item.sha256, frames: item.mined.frames, decisions, notes },
    facts: factsOf(item, area),
    scale: scaleOfVideo(item, run),
    steps: steps.flatMap((step) => drawn.steps.get(placeOf(step)) ?? []),
    tracks: tracks.map((decision): InspectedTrack => {
      const pair = stored.get(placeOf(decision));
      const own = drawn.tracks.get(placeOf(decision));
      return {
        decision,
        ...{ strip: own?.strip, frames: own?.frames ?? [] },
        ...{ a: pair?.a ?? own?.a, b: pair?.b ?? own?.b },
        peaks: pair?.record.peaks ?? seen.tracks.get(placeOf(decision))?.peaks ?? [],
        accepted: pair?.record.accepted,
        after: fateOf(decision, item.sha256, selected, run.packed),
      };
    }),
    log: path.relative(run.folder, item.log),
  };
};
