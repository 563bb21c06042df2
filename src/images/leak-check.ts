import { mirrored, type Fingerprint, type FramePrint, type PictureView } from './frame-fingerprint.js';
import { bitCount, similarityOf } from './view-likeness.js';

/** A video's frames as fingerprints. */
export type VideoPrints = { readonly video: string; readonly frames: readonly FramePrint[] };

/** A picture of the target that is, as good as, a frame of a video. */
export type Leak = {
  /** Number of the picture in the target. */
  readonly image: number;
  readonly video: string;
  /** Of the frame most alike, seconds. */
  readonly time: number;
  /** Correlation of the detail of the two, -1 to 1. */
  readonly similarity: number;
  /** Whether one is the other's mirror image. */
  readonly mirrored: boolean;
};

/** When a picture counts as a frame. */
export type LeakThresholds = {
  /** Bits of 64 in which the difference hashes may differ: what is compared at all. @default 16 */
  readonly maxBits?: number;
  /** Least correlation. @default 0.7 */
  readonly minSimilarity?: number;
  /** Least standard deviation of the detail, grey levels: what is flatter matches nothing. @default 4 */
  readonly minDetail?: number;
};

/** Frames as arrays, for a search that looks at little but two words a frame. */
type FrameIndex = {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly frames: readonly { readonly video: number; readonly time: number; readonly view: PictureView }[];
};

const indexOf = (videos: readonly VideoPrints[], part: 'whole' | 'middle', minDetail: number): FrameIndex => {
  const frames = videos.flatMap((prints, video) =>
    prints.frames.map((print) => ({ video, time: print.time, view: print[part] })),
  );
  const usable = frames.filter(({ view }) => view.deviation >= minDetail);
  return {
    first: Int32Array.from(usable, ({ view }) => view.hash[0]),
    second: Int32Array.from(usable, ({ view }) => view.hash[1]),
    frames: usable,
  };
};

/**
 * Pictures of a target that also served for pre-training. A picture and a frame are compared where the 64-bit difference hashes
 * of two of their views (whole and whole, whole and middle, middle and whole; upright or mirrored) differ in at most `maxBits`;
 * they are one where the correlation of the views' detail reaches `minSimilarity`. For each picture and video the frame most
 * alike; in order of picture, then of similarity.
 *
 * The thresholds were chosen by looking at data, not on a set kept apart: frames of sequences of tracking benchmarks (OTB, TLP and
 * others) that also exist as videos, as they are and encoded anew, smaller, mirrored, with bars, with other gamma and contrast and
 * cropped, had to be found among frames taken every half second; pictures of the targets that were
 * developed on, Caltech-101 among them, had not to be. They lie between the two. Expect misses where frames are taken more seldom
 * than the picture changes, and where more is cut off a side than the middle view leaves out (a twentieth).
 *
 * Exhaustive: every view of every picture is held against every frame, two words each; the detail is looked at only where these
 * are alike. The time grows with pictures times frames.
 */
export const findLeaks = (
  targets: readonly Fingerprint[],
  videos: readonly VideoPrints[],
  { maxBits = 16, minSimilarity = 0.7, minDetail = 4 }: LeakThresholds = {},
): Leak[] => {
  const whole = indexOf(videos, 'whole', minDetail);
  const middle = indexOf(videos, 'middle', minDetail);
  return targets.flatMap((target, image) => {
    const best = new Map<number, Leak>();
    const search = (upright: PictureView, { first, second, frames }: FrameIndex): void => {
      if (upright.deviation < minDetail) return;
      for (const view of [upright, mirrored(upright)]) {
        const [a, b] = view.hash;
        for (let f = 0; f < first.length; f++) {
          if (bitCount(first[f]! ^ a) + bitCount(second[f]! ^ b) > maxBits) continue;
          const { video, time, view: other } = frames[f]!;
          const similarity = similarityOf(view.detail, other.detail);
          if (similarity < minSimilarity || similarity <= (best.get(video)?.similarity ?? -1)) continue;
          best.set(video, { image, video: videos[video]!.video, time, similarity, mirrored: view !== upright });
        }
      }
    };
    search(target.whole, whole);
    search(target.whole, middle);
    search(target.middle, whole);
    return [...best.values()].sort((p, q) => q.similarity - p.similarity);
  });
};
