/**
 * Draws the time-steps of the audit and the tracks to look at, and paints these as sheets (`audit-sheet.ts`).
 *
 *   node dist/bench/audit-draw.js --mined FILE.json[,FILE.json] --out DIR [--videos DIR] [--seed 6] [--tracks 300]
 *   node dist/bench/audit-draw.js --labels test/audit/labels.json --mined FILE.json [--run FOLDER] --out DIR
 *
 * The second adds to an audit: what another mining (or the pairs of a run) finds at the drawn time-steps and no label speaks for.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeRaster } from '../src/drawing/image-file.js';
import { iou } from '../src/numeric/box.js';
import { RandomStream } from '../src/numeric/random.js';
import type { Raster } from '../src/numeric/raster.js';
import { toRgb } from '../src/video/frame-colour.js';
import { decodeFrames } from '../src/video/decode-frames.js';
import { auditSchema, fromBox, type Audit, type AuditDraw, type DrawnTrack } from './audit-labels.js';
import type { MinedClip, MinedClips, MinedTrack } from './audit-mine.js';
import { clipsOfRun, pairsOfClips } from './audit-run.js';
import { cropFrames, drawSheet, paintRow, type TrackPictures } from './audit-sheet.js';
import { scorePairs } from './pairs-score.js';

/** Tracks on a sheet, and frames of a track that are shown large. */
const ROWS = 6;
const LARGE = 5;

/**
 * Draws whole time-steps until they hold `tracks` pairs. Every time-step a mining can decide has the same chance, however many pairs it
 * holds and if it holds none: the pairs of a later mining at these steps are then a fair sample of all it finds, and those it
 * finds where this one found nothing count as unaudited. Tracks are numbered so that each half of the numbers is a sample by
 * itself, in order of clip; those that the cap a video left out at these time-steps follow.
 */
export const drawTimeSteps = (
  clips: readonly MinedClip[],
  { seed, tracks }: { readonly seed: number; readonly tracks: number },
): Pick<AuditDraw, 'seed' | 'clips' | 'timeSteps' | 'pairs' | 'steps' | 'tracks'> => {
  const kept = (clip: MinedClip): readonly MinedTrack[] => clip.tracks.filter(({ crowdedOut }) => !crowdedOut);
  const all = [...clips]
    .sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1))
    .flatMap((clip) =>
      clip.steps.filter(({ outcome }) => outcome !== 'clip-ends').map(({ frame }) => ({ clip, frame })),
    );
  const steps: AuditDraw['steps'] = [];
  const drawn: { clip: MinedClip; track: MinedTrack }[] = [];
  for (const { clip, frame } of RandomStream.of(seed, 'audit', 'time-steps').shuffle(all.slice())) {
    if (drawn.length >= tracks) break;
    steps.push({ video: clip.sha256, startFrame: frame });
    for (const track of kept(clip)) if (track.startFrame === frame) drawn.push({ clip, track });
  }
  // What the cap left out there may be what it keeps the next time: looked at too, behind the drawn tracks.
  const at = new Set(steps.map(({ video, startFrame }) => `${video}:${startFrame}`));
  const crowdedOut = clips.flatMap((clip) =>
    clip.tracks
      .filter((track) => track.crowdedOut && at.has(`${clip.sha256}:${track.startFrame}`))
      .map((track) => ({ clip, track })),
  );
  const half = Math.ceil(drawn.length / 2);
  const ordered = [drawn.slice(0, half), drawn.slice(half), crowdedOut].flatMap((part) =>
    part.sort(
      (a, b) =>
        a.clip.file.localeCompare(b.clip.file, 'en') ||
        a.track.startFrame - b.track.startFrame ||
        a.track.window - b.track.window,
    ),
  );
  return {
    ...{ seed, steps },
    clips: clips.length,
    timeSteps: all.length,
    pairs: clips.reduce((sum, clip) => sum + kept(clip).length, 0),
    tracks: ordered.map(({ clip, track }, index) => drawnTrack(index + 1, clip, track)),
  };
};

const drawnTrack = (id: number, clip: MinedClip, track: MinedTrack): DrawnTrack => ({
  ...{ id, video: clip.sha256, clip: clip.file, workingSize: [...clip.workingSize] },
  ...{ startFrame: track.startFrame, endFrame: track.endFrame, window: track.window },
  start: fromBox(track.boxes[0]),
  tracked: fromBox(track.boxes[track.boxes.length - 1]),
});

/** A track to look at, with all its boxes. */
export type TrackToSee = { readonly drawn: DrawnTrack; readonly mined: MinedTrack };

/**
 * What of a mining lies at the drawn time-steps of an audit and has no label, numbered onwards. Of several that one label would
 * speak for (starts that overlap by more than half) the first is taken.
 */
export const unlabelledTracks = (audit: Audit, mined: MinedClips): TrackToSee[] => {
  const pairs = pairsOfClips(mined);
  const without = new Set<object>(
    scorePairs(audit, pairs).verdicts.flatMap(({ pair, label }) => (label === undefined ? [pair] : [])),
  );
  let id = Math.max(0, ...audit.labels.map((label) => label.id));
  const taken: TrackToSee[] = [];
  for (const { video, startFrame, start, clip, track, ...pair } of pairs.filter((some) => without.has(some))) {
    const known = taken.some(
      ({ drawn, mined: { boxes } }) =>
        drawn.video === video &&
        drawn.startFrame === startFrame &&
        drawn.workingSize.every((side, k) => side === pair.workingSize[k]) &&
        iou(boxes[0], start) > 0.5,
    );
    if (!known) taken.push({ drawn: drawnTrack(++id, clip, track), mined: track });
  }
  return taken;
};

/** Cuts the pictures of all tracks of one clip out of its frames, in one pass. */
const picturesOf = async (path: string, tracks: readonly TrackToSee[]) => {
  const pictures = new Map<number, TrackPictures>();
  for await (const frame of decodeFrames(path)) {
    let raster: Raster | undefined;
    for (const { drawn, mined } of tracks) {
      const last = mined.boxes.length - 1;
      const position = frame.index - drawn.startFrame;
      const wanted = Array.from({ length: LARGE }, (_, k) => Math.round((k * last) / (LARGE - 1)));
      if (!wanted.includes(position)) continue;
      raster ??= toRgb(frame);
      const there = pictures.get(drawn.id) ?? [];
      there.push(cropFrames(raster, { boxes: mined.boxes, position }));
      pictures.set(drawn.id, there);
    }
  }
  return pictures;
};

const trackOf = ({ clips }: MinedClips, { video, startFrame, window }: DrawnTrack): MinedTrack =>
  clips
    .find(({ sha256 }) => sha256 === video)!
    .tracks.find((track) => track.startFrame === startFrame && track.window === window)!;

/** Paints tracks as sheets of `ROWS`, named by their first and last number. */
const paintSheets = async (tracks: readonly TrackToSee[], videos: string, out: string): Promise<void> => {
  const pictures = new Map<number, TrackPictures>();
  for (const clip of new Set(tracks.map(({ drawn }) => drawn.clip))) {
    const here = tracks.filter(({ drawn }) => drawn.clip === clip);
    for (const [id, row] of await picturesOf(join(videos, clip), here)) pictures.set(id, row);
    console.log(`${clip}: ${here.length}`);
  }
  for (let first = 0; first < tracks.length; first += ROWS) {
    const rows = tracks.slice(first, first + ROWS).map(({ drawn }) => drawn);
    const [from, to] = [rows[0], rows[rows.length - 1]].map(({ id }) => String(id).padStart(3, '0'));
    const painted = rows.map((track) => paintRow(track, pictures.get(track.id) ?? []));
    await writeRaster(join(out, `sheet-${from}-${to}.png`), drawSheet(painted));
  }
};

const readMined = (files: string): MinedClips => {
  const parts = files.split(',').map((file) => JSON.parse(readFileSync(file, 'utf8')) as MinedClips);
  return { options: parts[0].options, clips: parts.flatMap(({ clips }) => clips) };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      videos: { type: 'string', default: join(process.cwd(), '../shared/data/video/clips') },
      mined: { type: 'string' },
      run: { type: 'string' },
      labels: { type: 'string' },
      seed: { type: 'string', default: '6' },
      tracks: { type: 'string', default: '300' },
      out: { type: 'string' },
    },
  });
  const { out, labels } = values;
  if (out === undefined || (values.mined === undefined && values.run === undefined)) {
    throw new Error('Expected --mined FILE.json or --run FOLDER, and --out DIR');
  }
  const parts = [
    ...(values.mined === undefined ? [] : [readMined(values.mined)]),
    ...(values.run === undefined ? [] : [await clipsOfRun(values.run)]),
  ];
  const mined = { options: parts[0].options, clips: parts.flatMap(({ clips }) => clips) };
  let draw: AuditDraw;
  let tracks: readonly TrackToSee[];
  if (labels === undefined) {
    draw = {
      ...drawTimeSteps(mined.clips, { seed: Number(values.seed), tracks: Number(values.tracks) }),
      mining: mined.options,
    };
    tracks = draw.tracks.map((drawn) => ({ drawn, mined: trackOf(mined, drawn) }));
  } else {
    const audit = auditSchema.parse(JSON.parse(readFileSync(labels, 'utf8')));
    tracks = unlabelledTracks(audit, mined);
    draw = { ...audit.drawn, steps: audit.steps, tracks: tracks.map(({ drawn }) => drawn) };
  }
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'drawn.json'), JSON.stringify(draw));
  console.log(`${draw.tracks.length} tracks at ${draw.steps.length} of ${draw.timeSteps} time-steps`);
  await paintSheets(tracks, values.videos, out);
}
