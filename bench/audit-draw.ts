/**
 * Draws the time-steps of the audit and the tracks to look at, and paints these as sheets (`audit-sheet.ts`).
 *
 *   node dist/bench/audit-draw.js --mined FILE.json[,FILE.json] --out DIR [--videos DIR] [--seed 6] [--tracks 300]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeRaster } from '../src/drawing/image-file.js';
import { RandomStream } from '../src/numeric/random.js';
import type { Raster } from '../src/numeric/raster.js';
import { toRgb } from '../src/video/frame-colour.js';
import { decodeFrames } from '../src/video/decode-frames.js';
import { fromBox, type AuditDraw, type DrawnTrack } from './audit-labels.js';
import type { MinedClip, MinedClips, MinedTrack } from './audit-mine.js';
import { cropFrames, drawSheet, paintRow, type TrackPictures } from './audit-sheet.js';

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
    tracks: ordered.map(({ clip, track }, index) => ({
      id: index + 1,
      video: clip.sha256,
      clip: clip.file,
      workingSize: [...clip.workingSize],
      ...{ startFrame: track.startFrame, endFrame: track.endFrame, window: track.window },
      start: fromBox(track.boxes[0]),
      tracked: fromBox(track.boxes[track.boxes.length - 1]),
    })),
  };
};

/** Cuts the pictures of all tracks of one clip out of its frames, in one pass. */
const picturesOf = async (path: string, tracks: readonly { drawn: DrawnTrack; mined: MinedTrack }[]) => {
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

const readMined = (files: string): MinedClips => {
  const parts = files.split(',').map((file) => JSON.parse(readFileSync(file, 'utf8')) as MinedClips);
  return { options: parts[0].options, clips: parts.flatMap(({ clips }) => clips) };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      videos: { type: 'string', default: join(process.cwd(), '../shared/data/video/clips') },
      mined: { type: 'string' },
      seed: { type: 'string', default: '6' },
      tracks: { type: 'string', default: '300' },
      out: { type: 'string' },
    },
  });
  if (values.mined === undefined || values.out === undefined)
    throw new Error('Expected --mined FILE.json and --out DIR');
  const { options, clips } = readMined(values.mined);
  const draw = drawTimeSteps(clips, { seed: Number(values.seed), tracks: Number(values.tracks) });
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'drawn.json'), JSON.stringify({ ...draw, mining: options }));
  console.log(
    `${draw.tracks.length} tracks at ${draw.steps.length} of ${draw.timeSteps} time-steps, of ${draw.pairs} pairs`,
  );
  const pictures = new Map<number, TrackPictures>();
  for (const clip of clips) {
    const tracks = draw.tracks
      .filter(({ video }) => video === clip.sha256)
      .map((drawn) => ({
        drawn,
        mined: clip.tracks.find(
          ({ startFrame, window }) => startFrame === drawn.startFrame && window === drawn.window,
        ) as MinedTrack,
      }));
    if (tracks.length === 0) continue;
    for (const [id, row] of await picturesOf(join(values.videos, clip.file), tracks)) pictures.set(id, row);
    console.log(`${clip.file}: ${tracks.length}`);
  }
  for (let first = 0; first < draw.tracks.length; first += ROWS) {
    const rows = draw.tracks.slice(first, first + ROWS);
    const name = `sheet-${String(rows[0].id).padStart(3, '0')}-${String(rows[rows.length - 1].id).padStart(3, '0')}.png`;
    await writeRaster(
      join(values.out, name),
      drawSheet(rows.map((track) => paintRow(track, pictures.get(track.id) ?? []))),
    );
  }
}
