import type { VideoFrame } from '../video/frame.js';
import { labelShots } from '../video/shot-detector.js';
import type { MiningEvidence } from './mining-evidence.js';
import type { MiningDecision, MiningSummary } from './mining-log.js';
import { miningDefaults, type MiningOptions } from './mining-options.js';
import { PairCap } from './pair-cap.js';
import { PairMiner, type MinedPair, type MinedVideo } from './pair-miner.js';
import type { TrackStrip } from './track-strip.js';

/** Where what is mined goes, in order. The next frame is taken only once `pair` has settled. */
export type MiningSink = {
  pair(pair: MinedPair): void | Promise<void>;
  /** Every decision, for the log, and what it was taken on, for drawings. */
  decision?(decision: MiningDecision, evidence: MiningEvidence): void;
};

type Frames = AsyncIterable<VideoFrame> | Iterable<VideoFrame>;

async function* labelByCut(frames: Frames, isCut: (frame: VideoFrame) => boolean) {
  let shot = 0;
  let first = true;
  for await (const frame of frames) {
    if (isCut(frame) && !first) shot++;
    first = false;
    yield { frame, shot };
  }
}

/**
 * Mines pairs out of the frames of one video, in bounded memory: finds the shots (or asks `options.isCut`), tracks what moves, and
 * gives each pair to the sink: as it comes, or with `options.maxPairs` those that stay, when the video has ended. Returns the counts and the tracks kept for a figure. The same frames give the same
 * bytes, whatever was mined before. Wang & Gupta 2015, section 3; `PairMiner` says how a time-step is decided.
 */
export const minePairs = async (
  video: MinedVideo,
  frames: Frames,
  options: MiningOptions,
  sink: MiningSink,
): Promise<MiningSummary & { readonly strips: readonly TrackStrip[] }> => {
  const miner = new PairMiner(video, options, (decision, evidence) => sink.decision?.(decision, evidence));
  try {
    const labelled = options.isCut === undefined ? labelShots(frames) : labelByCut(frames, options.isCut);
    const { maxPairs = miningDefaults.maxPairs } = options;
    const cap = new PairCap<MinedPair>(maxPairs);
    for await (const { frame, shot } of labelled) {
      for (const pair of miner.push(frame, shot)) {
        if (maxPairs === 0) await sink.pair(pair);
        else {
          const crowdedOut = cap.offer({ time: pair.record.startFrame, quality: pair.quality, value: pair });
          if (crowdedOut !== undefined) miner.crowdOut(crowdedOut.value);
        }
      }
    }
    miner.finish();
    for (const { value } of cap.kept) await sink.pair(value);
  } finally {
    miner.dispose();
  }
  return { ...miner.summary, strips: miner.strips };
};
