import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readPairs } from '../src/shards/pairs.js';
import type { MinedClip, MinedClips, MinedTrack } from './audit-mine.js';
import type { ScoredPair } from './pairs-score.js';

/** The pairs in the shards of a run's stage `mine`, clip by clip; what became of time-steps is not read. */
export const clipsOfRun = async (folder: string): Promise<MinedClips> => {
  const mine = join(folder, 'mine');
  if (!existsSync(mine)) throw new Error(`Expected a run with a folder \`mine\`, got ${folder}`);
  const shards = readdirSync(mine, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.tar'))
    .sort();
  const clips = new Map<string, Omit<MinedClip, 'tracks'> & { readonly tracks: MinedTrack[] }>();
  for await (const { record } of readPairs(shards.map((file) => join(mine, file)))) {
    const { key, video, videoLabel, workingSize, startFrame, endFrame, boxes } = record;
    const clip = clips.get(video) ?? {
      ...{ file: basename(videoLabel), sha256: video, workingSize, frames: 0, steps: [] },
      tracks: [],
    };
    const window = Number(key.split('-').at(-1));
    clip.tracks.push({ startFrame, endFrame, window, boxes, crowdedOut: false });
    clips.set(video, clip);
  }
  return { options: {}, clips: [...clips.values()] };
};

/** Tracks of clips as pairs to be scored, without those that the cap left out, each with where it came from. */
export const pairsOfClips = ({ clips }: MinedClips): (ScoredPair & { clip: MinedClip; track: MinedTrack })[] =>
  clips.flatMap((clip) =>
    clip.tracks
      .filter(({ crowdedOut }) => !crowdedOut)
      .map((track) => ({
        ...{ video: clip.sha256, startFrame: track.startFrame, workingSize: clip.workingSize },
        ...{ start: track.boxes[0], end: track.boxes[track.boxes.length - 1], clip, track },
      })),
  );
