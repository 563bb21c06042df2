/**
 * Mining of whole clips for the audit of pairs: what `bench:pairs` scores and what the tracks to look at are drawn from.
 *
 *   node dist/bench/audit-mine.js --out FILE.json [--videos DIR] [--set name=value …]    (names of MiningOptions)
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Box } from '../src/numeric/box.js';
import { minePairs } from '../src/tracking/mine-pairs.js';
import type { StepDecision, TrackDecision } from '../src/tracking/mining-log.js';
import type { MiningOptions } from '../src/tracking/mining-options.js';
import { decodeFrames } from '../src/video/decode-frames.js';
import { VideoRejection } from '../src/video/video-rejection.js';

/** A pair as the audit sees it: where it begins and ends, and whether the cap a video left it out. */
export type MinedTrack = {
  readonly startFrame: number;
  readonly endFrame: number;
  readonly window: number;
  /** One a frame, both ends included, pixels of the working size. */
  readonly boxes: readonly Box[];
  readonly crowdedOut: boolean;
  /** The numbers that decided, where mining was watched. */
  readonly numbers?: TrackDecision;
};

/** What came of one clip. `rejected`: why it could not be decoded. */
export type MinedClip = {
  readonly file: string;
  readonly sha256: string;
  readonly workingSize: readonly [width: number, height: number];
  readonly frames: number;
  readonly rejected?: string;
  readonly steps: readonly StepDecision[];
  readonly tracks: readonly MinedTrack[];
};

/** All clips of a folder, and by which options. */
export type MinedClips = { readonly options: MiningOptions; readonly clips: readonly MinedClip[] };

/** The mining the audit was drawn from: the defaults, often, so that a later mining at every so many frames meets its steps. */
export const auditMining: MiningOptions = { stepFrames: 3, patchPx: 16 };

/** `name=value` texts as mining options, numbers where they are numbers. */
export const readSettings = (texts: readonly string[] = []): MiningOptions =>
  Object.fromEntries(
    texts.map((text) => {
      const [name, value = ''] = text.split('=');
      return [name, value !== '' && !Number.isNaN(Number(value)) ? Number(value) : value];
    }),
  ) as MiningOptions;

const mineClip = async (path: string, file: string, options: MiningOptions): Promise<MinedClip> => {
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  const steps: StepDecision[] = [];
  const tracks: { -readonly [Name in keyof MinedTrack]: MinedTrack[Name] }[] = [];
  let workingSize: [number, number] = [0, 0];
  const sized = async function* () {
    for await (const frame of decodeFrames(path)) {
      workingSize = [frame.width, frame.height];
      yield frame;
    }
  };
  const seen = { file, sha256, steps, tracks };
  try {
    const { frames } = await minePairs({ sha256, label: file }, sized(), options, {
      pair: () => {},
      decision: (decision, { boxes = [] }) => {
        if (decision.kind === 'step') steps.push(decision);
        else if (decision.kind === 'selection') {
          const { frame, window } = decision;
          const track = tracks.find((other) => other.startFrame === frame && other.window === window);
          if (track !== undefined) track.crowdedOut = true;
        } else if (decision.outcome === 'pair') {
          const { frame: startFrame, window } = decision;
          const endFrame = startFrame + boxes.length - 1;
          tracks.push({ startFrame, endFrame, window, boxes: [...boxes], crowdedOut: false, numbers: decision });
        }
      },
    });
    return { ...seen, workingSize, frames };
  } catch (error) {
    if (!(error instanceof VideoRejection)) throw error;
    return { ...seen, workingSize, frames: 0, rejected: error.reason };
  }
};

/** Mines every file of a folder (or those that `wanted` names by sha256), in order of name, and tells each. */
export const mineClips = async (
  folder: string,
  options: MiningOptions,
  { wanted, tell = () => {} }: { wanted?: ReadonlySet<string>; tell?: (line: string) => void } = {},
): Promise<MinedClips> => {
  const clips: MinedClip[] = [];
  for (const file of readdirSync(folder).sort()) {
    const path = join(folder, file);
    if (wanted && !wanted.has(createHash('sha256').update(readFileSync(path)).digest('hex'))) continue;
    const clip = await mineClip(path, file, options);
    const kept = clip.tracks.filter(({ crowdedOut }) => !crowdedOut).length;
    tell(`${file.padEnd(60).slice(0, 60)} ${clip.rejected ?? `${clip.frames} frames, ${kept} pairs`}`);
    clips.push(clip);
  }
  return { options, clips };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      videos: { type: 'string', default: join(process.cwd(), '../shared/data/video/clips') },
      set: { type: 'string', multiple: true },
      out: { type: 'string' },
    },
  });
  if (values.out === undefined) throw new Error('Expected --out FILE.json, got none');
  if (existsSync(values.videos)) {
    const options = { ...auditMining, ...readSettings(values.set) };
    writeFileSync(values.out, JSON.stringify(await mineClips(values.videos, options, { tell: console.log })));
  } else console.log(`No clips at ${values.videos}: name their folder with --videos`);
}
