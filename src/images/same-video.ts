import { mirrored, type FramePrint, type PictureView } from './frame-fingerprint.js';
import { bitCount, similarityOf } from './view-likeness.js';

/** When two videos count as one. */
export type SameVideoThresholds = {
  /** Bits of 64 in which difference hashes may differ: what is compared at all. @default 16 */
  readonly maxBits?: number;
  /** Least correlation of the detail of two frames. @default 0.7 */
  readonly minSimilarity?: number;
  /** Least standard deviation of a frame's detail, grey levels: what is flatter matches nothing. @default 4 */
  readonly minDetail?: number;
  /** Least share of the shorter video's frames that must be found in the other, at one offset in time. @default 0.5 */
  readonly minShare?: number;
  /** Fewest such frames. @default 3 */
  readonly minFrames?: number;
  /** Slack of the offset, seconds: frames are taken only every so often. @default 0.75 */
  readonly slackSeconds?: number;
};

/** How one video is another. */
export type SameVideo = {
  /** Share of the shorter video's usable frames that were found. */
  readonly share: number;
  /** Time in `b` less time in `a`, seconds. */
  readonly offset: number;
  readonly mirrored: boolean;
  /** Mean correlation of what was found. */
  readonly similarity: number;
};

/** A frame of the shorter video found in the other. */
type Found = { readonly frame: number; readonly offset: number; readonly similarity: number };

/**
 * Whether two videos show the same recording: re-encoded, rescaled, with bars, mirrored, cropped by up to about a twentieth of each side, or cut out of
 * the longer one. The frames of the shorter are looked for in the longer as `findLeaks` looks for pictures; enough of them must be found
 * at one offset in time, all upright or all mirrored. Undefined where not, or where one of the two has nothing to recognise.
 *
 * Of two uploads of one recording, each would serve as a negative for the other's pairs.
 */
export const sameVideo = (
  a: readonly FramePrint[],
  b: readonly FramePrint[],
  thresholds: SameVideoThresholds = {},
): SameVideo | undefined => {
  const { minDetail = 4, minShare = 0.5, minFrames = 3, slackSeconds = 0.75 } = thresholds;
  const usable = (frames: readonly FramePrint[]): readonly FramePrint[] =>
    frames.filter(({ whole }) => whole.deviation >= minDetail);
  const [left, right] = [usable(a), usable(b)];
  const swapped = left.length > right.length;
  const [shorter, longer] = swapped ? [right, left] : [left, right];
  if (shorter.length < minFrames) return undefined;
  let best: SameVideo | undefined;
  for (const flip of [false, true]) {
    const found = shorter.flatMap((frame, number) => matches(frame, number, longer, flip, thresholds));
    const { offset, at } = commonOffset(found, slackSeconds);
    const share = at.length / shorter.length;
    if (at.length < minFrames || share < minShare || share <= (best?.share ?? 0)) continue;
    const similarity = at.reduce((sum, match) => sum + match.similarity, 0) / at.length;
    best = { share, offset: swapped ? -offset : offset, mirrored: flip, similarity };
  }
  return best;
};

const matches = (
  frame: FramePrint,
  number: number,
  others: readonly FramePrint[],
  flip: boolean,
  { maxBits = 16, minSimilarity = 0.7, minDetail = 4 }: SameVideoThresholds,
): Found[] => {
  const turned = (view: PictureView): PictureView => (flip ? mirrored(view) : view);
  const [whole, middle] = [turned(frame.whole), turned(frame.middle)];
  const alike = (p: PictureView, q: PictureView): number => {
    if (p.deviation < minDetail || q.deviation < minDetail) return -1;
    if (bitCount(p.hash[0] ^ q.hash[0]) + bitCount(p.hash[1] ^ q.hash[1]) > maxBits) return -1;
    return similarityOf(p.detail, q.detail);
  };
  return others.flatMap((other) => {
    const similarity = Math.max(alike(whole, other.whole), alike(whole, other.middle), alike(middle, other.whole));
    return similarity >= minSimilarity ? [{ frame: number, offset: other.time - frame.time, similarity }] : [];
  });
};

/** The offset at which most frames are found, and for each of them its best match there. */
const commonOffset = (
  found: readonly Found[],
  slack: number,
): { readonly offset: number; readonly at: readonly Found[] } => {
  let best: { offset: number; at: Found[] } = { offset: 0, at: [] };
  for (const { offset } of found) {
    const at = new Map<number, Found>();
    for (const match of found) {
      if (Math.abs(match.offset - offset) > slack) continue;
      if (match.similarity > (at.get(match.frame)?.similarity ?? -1)) at.set(match.frame, match);
    }
    if (at.size > best.at.length) best = { offset, at: [...at.values()] };
  }
  return best;
};
