import type { Box } from '../../src/numeric/box.js';
import { placeOf } from '../../src/report/inspect/logged-decision.js';
import type { MiningParams } from '../../src/report/inspect/limits.js';
import { minePairs } from '../../src/tracking/mine-pairs.js';
import type { MiningEvidence } from '../../src/tracking/mining-evidence.js';
import type { MiningOptions } from '../../src/tracking/mining-options.js';
import { decodeFrames } from '../../src/video/decode-frames.js';
import { againIfKilled } from '../../src/video/decoder-killed.js';
import type { VideoInfo } from '../../src/video/probe-video.js';

/** What the miner saw at a time-step, pixels of the frame. */
export type SeenStep = {
  readonly fromX: Float32Array;
  readonly fromY: Float32Array;
  readonly toX: Float32Array;
  readonly toY: Float32Array;
  readonly moving: ReadonlySet<number>;
  readonly spanFrames: number;
  /** The camera's homography, row by row; absent where there was none. */
  readonly homography: readonly number[] | undefined;
  readonly windows: readonly Box[];
};

/** A track as far as it went. */
export type SeenTrack = { readonly boxes: readonly Box[]; readonly peaks: readonly number[] };

/** What mining a video once more showed of the decisions asked for, by `placeOf`, and whether it decided as its log says. */
export type MinedAgain = {
  readonly steps: ReadonlyMap<string, SeenStep>;
  readonly tracks: ReadonlyMap<string, SeenTrack>;
  /** Decisions of the log that fall otherwise today, or not at all. */
  readonly differing: number;
};

const seenStep = (evidence: MiningEvidence): SeenStep | undefined => {
  const { motion, toFrame = 1, spanFrames = 1, moving = [], windows = [] } = evidence;
  if (motion === undefined) return undefined;
  const scaled = (values: Float32Array): Float32Array => values.map((value) => value * toFrame);
  const h = motion.homography;
  return {
    ...{ fromX: scaled(motion.x), fromY: scaled(motion.y), toX: scaled(motion.toX), toY: scaled(motion.toY) },
    ...{ moving: new Set(moving), spanFrames, windows },
    // S H S^-1 with S = diag(toFrame, toFrame, 1).
    homography:
      h.length === 9
        ? [h[0]!, h[1]!, h[2]! * toFrame, h[3]!, h[4]!, h[5]! * toFrame, h[6]! / toFrame, h[7]! / toFrame, h[8]!]
        : undefined,
  };
};

/**
 * Mines a video again with the parameters of its run and keeps what the asked decisions were taken on. The pictures of
 * `inspect` are thereby what the miner itself saw, whatever its rules; `differing` says where it decides otherwise than it did.
 */
export const mineAgain = (
  file: string,
  { sha256, label, info }: { readonly sha256: string; readonly label: string; readonly info: VideoInfo },
  params: MiningParams,
  logged: readonly string[],
  places: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<MinedAgain> => {
  const { areaPx, ...mining } = params as MiningOptions & { readonly areaPx: number };
  // Each line names its place, so no two are equal.
  const log = new Set(logged);
  const again = async (): Promise<MinedAgain> => {
    const steps = new Map<string, SeenStep>();
    const tracks = new Map<string, SeenTrack>();
    let same = 0;
    await minePairs(
      { sha256, label },
      decodeFrames(file, { areaPx, info, ...(signal && { signal }) }),
      { ...mining, strips: 0 },
      {
        pair: () => undefined,
        decision: (decision, evidence) => {
          const stands = log.has(JSON.stringify(decision));
          if (stands) same++;
          const place = placeOf(decision);
          if (!places.has(place)) return;
          const step = seenStep(evidence);
          // Points are there whatever was made of them; windows and tracks of another decision would be shown as this one's.
          if (step !== undefined) steps.set(place, stands ? step : { ...step, windows: [] });
          const { boxes, peaks = [] } = evidence;
          if (boxes !== undefined && stands) tracks.set(place, { boxes: [...boxes], peaks: [...peaks] });
        },
      },
    );
    return { steps, tracks, differing: log.size - same };
  };
  return againIfKilled(again, signal ? { signal } : {});
};
