// This project's side of the bench of mining, as `MiningSide` says: reads JSON lines {"file", "options": MiningOptions, "areaPx"?, "profile"?} and
// answers each with a MinedClip. Decoding, mining and cutting out patches as the stage `mine` does, one clip after another; ffmpeg's time counts.
import path from 'node:path';
import { createInterface } from 'node:readline';
import { minePairs } from '../src/tracking/mine-pairs.js';
import type { TrackDecision } from '../src/tracking/mining-log.js';
import type { MiningOptions } from '../src/tracking/mining-options.js';
import { openCv } from '../src/tracking/opencv.js';
import type { MinedPair } from '../src/tracking/pair-miner.js';
import { decodeFrames } from '../src/video/decode-frames.js';
import { findFfmpeg } from '../src/video/ffmpeg-binary.js';
import { VideoRejection } from '../src/video/video-rejection.js';
import { processorTime, processorTimeSince } from './mining-processor-time.js';
import { profiled } from './mining-profile.js';
import type { MinedChange, MinedClip } from './mining-side.js';

type Task = {
  readonly file: string;
  readonly options: MiningOptions;
  readonly areaPx?: number;
  /** Tells the parts of the main thread's time, too. */
  readonly profile?: boolean;
};

const changeOf = ({ travelPx = 0, sidePx = 1, scaleChange = 1, appearanceChange = 0 }: TrackDecision): MinedChange => ({
  travelPx,
  sidePx,
  scaleChange,
  appearanceChange,
});

const mine = async ({ file, options, areaPx }: Task): Promise<MinedClip | { rejected: string }> => {
  const outcomes: Record<string, number> = {};
  const changes = new Map<string, MinedChange>();
  const patches: MinedPair[] = [];
  const label = path.basename(file);
  const before = processorTime();
  try {
    const { frames } = await minePairs(
      { sha256: label, label },
      decodeFrames(file, areaPx === undefined ? {} : { areaPx }),
      options,
      {
        pair: (pair) => void patches.push(pair),
        decision: (decision) => {
          const name = `${decision.kind}: ${decision.outcome}`;
          outcomes[name] = (outcomes[name] ?? 0) + 1;
          if (decision.kind === 'step') return;
          const pair = `${decision.frame} ${decision.window}`;
          if (decision.kind === 'selection') changes.delete(pair);
          else if (decision.outcome === 'pair') changes.set(pair, changeOf(decision));
        },
      },
    );
    const { own, children } = processorTimeSince(before);
    const profile = { node: own, ffmpeg: children };
    return { frames, outcomes, pairs: [...changes.values()], cpuSeconds: own + children, profile };
  } catch (error) {
    if (error instanceof VideoRejection) return { rejected: error.reason };
    throw error;
  }
};

const mineProfiled = async (task: Task): ReturnType<typeof mine> => {
  const { value, shares } = await profiled(() => mine(task));
  if ('rejected' in value) return value;
  const { ffmpeg, node } = value.profile;
  const parts = Object.entries(shares).map(([part, share]) => [part, share * node] as const);
  return { ...value, profile: { ffmpeg, ...Object.fromEntries(parts) } };
};

const ffmpeg = await findFfmpeg();
openCv();
const { own, children } = processorTime();
const versions = `Node ${process.versions.node}, ffmpeg ${ffmpeg.version}`;
console.log(JSON.stringify({ versions, startCpuSeconds: own + children }));
for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line) as Task;
  console.log(JSON.stringify(await (task.profile === true ? mineProfiled(task) : mine(task))));
}
