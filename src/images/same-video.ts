import { mirrored, viewSide, type FramePrint, type PictureView } from './frame-fingerprint.js';
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
  /** Slack of the offset, seconds: frames are taken only every so often. @default 0.3 */
  readonly slackSeconds?: number;
  /**
   * Least correlation of what changes over time in the two (see {@link sameVideo}); for few frames it must be higher by `1.2 / frames`, since few
   * agree by chance. @default 0.55
   */
  readonly minChange?: number;
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
  /** Correlation of what changes, 1 where nothing does. */
  readonly change: number;
};

/** A frame of the shorter video beside the one it was found as in the other. */
type Match = { readonly mine: PictureView; readonly its: PictureView; readonly similarity: number };

/** Frames of the shorter video that are looked for, at most: two of hours take no longer than two of minutes. */
const mostFrames = 240;
/** Width of a bin of offsets, seconds, and how many of the fullest are looked into. */
const offsetStep = 0.125;
const triedOffsets = 40;
/** Change (in details of standard deviation 32) below which a video counts as still, and how alike two such must be. */
const stillBelow = 1;
const minStillSimilarity = 0.95;

/**
 * Whether two videos show the same recording: re-encoded, rescaled, with bars, mirrored, cropped by up to about a twentieth of each side, or cut out of
 * the longer one. The frames of the shorter are looked for in the longer as `findLeaks` looks for pictures; enough of them must be found
 * at one offset in time, all upright or all mirrored. Undefined where not, or where one of the two has nothing to recognise.
 *
 * Two recordings of a fixed camera (a street on two days, one speaker's sentences) pass that test, since every frame shows the same
 * place. So what stays is taken off: of the frames that were found, the mean detail is subtracted on each side, and what is left, that is what moves, must
 * correlate over all of them (`minChange`). Where nothing moves in either, only pictures that are as good as equal count.
 *
 * The thresholds were chosen by looking at data, not on a set kept apart: 40 web clips encoded anew, smaller, cropped, mirrored, with bars, at another rate and
 * contrast, and cut, against all pairs of 398 clips, of which two dozen show one place twice. Expect misses of cuts of less than two seconds, of small
 * things that move fast between two frames, and of crops with bars of noise.
 *
 * Of two uploads of one recording, each would serve as a negative for the other's pairs.
 */
export const sameVideo = (
  a: readonly FramePrint[],
  b: readonly FramePrint[],
  thresholds: SameVideoThresholds = {},
): SameVideo | undefined => {
  const { minDetail = 4, minShare = 0.5, minFrames = 3, minChange = 0.55 } = thresholds;
  const usable = (frames: readonly FramePrint[]): readonly FramePrint[] =>
    frames.filter(({ whole }) => whole.deviation >= minDetail);
  const [left, right] = [usable(a), usable(b)];
  const swapped = left.length > right.length;
  const [all, longer] = swapped ? [right, left] : [left, right];
  if (all.length < minFrames) return undefined;
  const shorter = evenly(all, mostFrames);
  const least = Math.max(minFrames, minShare * shorter.length);
  let best: SameVideo | undefined;
  for (const flip of [false, true]) {
    const turned = flip ? shorter.map(mirroredPrint) : shorter;
    for (const offset of commonOffsets(turned, longer, least, thresholds)) {
      const matches = matchesAt(turned, longer, offset, thresholds);
      if (matches.length < least) continue;
      const similarity = matches.reduce((sum, match) => sum + match.similarity, 0) / matches.length;
      const { correlation, energy } = changeOf(matches);
      const still = energy < stillBelow;
      if (still ? similarity < minStillSimilarity : correlation < minChange + 1.2 / matches.length) continue;
      const change = still ? 1 : correlation;
      if (change * matches.length <= (best ? best.change * best.share * shorter.length : 0)) continue;
      const share = matches.length / shorter.length;
      best = { share, offset: swapped ? -offset : offset, mirrored: flip, similarity, change };
    }
  }
  return best;
};

const evenly = <T>(all: readonly T[], most: number): readonly T[] =>
  all.length <= most ? all : Array.from({ length: most }, (_, i) => all[Math.floor((i * all.length) / most)]!);

const mirroredPrint = ({ time, whole, middle }: FramePrint): FramePrint => ({
  ...{ time, whole: mirrored(whole), middle: mirrored(middle) },
});

/** The views of two frames that are held against one another: what was cropped is found in the other's middle. */
const viewPairs = (p: FramePrint, q: FramePrint): readonly (readonly [PictureView, PictureView])[] => [
  [p.whole, q.whole],
  [p.whole, q.middle],
  [p.middle, q.whole],
];

const bestMatch = (
  p: FramePrint,
  q: FramePrint,
  { maxBits = 16, minSimilarity = 0.7, minDetail = 4 }: SameVideoThresholds,
): Match | undefined => {
  let best: Match | undefined;
  for (const [mine, its] of viewPairs(p, q)) {
    if (mine.deviation < minDetail || its.deviation < minDetail) continue;
    if (bitCount(mine.hash[0] ^ its.hash[0]) + bitCount(mine.hash[1] ^ its.hash[1]) > maxBits) continue;
    const similarity = similarityOf(mine.detail, its.detail);
    if (similarity >= Math.max(minSimilarity, best?.similarity ?? -1)) best = { mine, its, similarity };
  }
  return best;
};

/** The offsets in time at which most frames of the one are found in the other, most first; none at which too few are. */
const commonOffsets = (
  frames: readonly FramePrint[],
  others: readonly FramePrint[],
  least: number,
  thresholds: SameVideoThresholds,
): readonly number[] => {
  const { slackSeconds = 0.3 } = thresholds;
  const reach = Math.ceil(slackSeconds / offsetStep);
  // In how many frames an offset was found, each counted once, and with what similarity in all.
  const bins = new Map<number, { count: number; last: number; sum: number; best: number }>();
  frames.forEach((frame, number) => {
    for (const other of others) {
      const match = bestMatch(frame, other, thresholds);
      if (match === undefined) continue;
      const middle = Math.round((other.time - frame.time) / offsetStep);
      for (let at = middle - reach; at <= middle + reach; at++) {
        const bin = bins.get(at) ?? { count: 0, last: -1, sum: 0, best: 0 };
        bins.set(at, bin);
        if (bin.last !== number) Object.assign(bin, { count: bin.count + 1, last: number, best: 0 });
        if (match.similarity <= bin.best) continue;
        bin.sum += match.similarity - bin.best;
        bin.best = match.similarity;
      }
    }
  });
  return [...bins]
    .filter(([, { count }]) => count >= least)
    .sort(([m, p], [n, q]) => q.sum - p.sum || Math.abs(m) - Math.abs(n) || m - n)
    .slice(0, triedOffsets)
    .map(([at]) => at * offsetStep);
};

/** For each frame its best match at an offset, as far as there is one within the slack. */
const matchesAt = (
  frames: readonly FramePrint[],
  others: readonly FramePrint[],
  offset: number,
  thresholds: SameVideoThresholds,
): readonly Match[] => {
  const { slackSeconds = 0.3 } = thresholds;
  let from = 0;
  return frames.flatMap((frame) => {
    while (from < others.length && others[from]!.time < frame.time + offset - slackSeconds) from++;
    let best: Match | undefined;
    for (let at = from; at < others.length && others[at]!.time <= frame.time + offset + slackSeconds; at++) {
      const match = bestMatch(frame, others[at]!, thresholds);
      if (match && match.similarity > (best?.similarity ?? -1)) best = match;
    }
    return best ? [best] : [];
  });
};

/** Correlation of what differs from the mean over time on the two sides, and how much that is on the livelier one. */
const changeOf = (matches: readonly Match[]): { readonly correlation: number; readonly energy: number } => {
  const area = viewSide ** 2;
  const mean = (side: 'mine' | 'its'): Float64Array => {
    const sum = new Float64Array(area);
    for (const match of matches) for (let i = 0; i < area; i++) sum[i]! += match[side].detail[i]!;
    return sum.map((value) => value / matches.length);
  };
  const [mine, its] = [mean('mine'), mean('its')];
  let product = 0;
  let squaresMine = 0;
  let squaresIts = 0;
  for (const match of matches) {
    for (let i = 0; i < area; i++) {
      const [u, v] = [match.mine.detail[i]! - mine[i]!, match.its.detail[i]! - its[i]!];
      product += u * v;
      squaresMine += u * u;
      squaresIts += v * v;
    }
  }
  return {
    correlation: product / Math.max(1, Math.sqrt(squaresMine * squaresIts)),
    energy: Math.sqrt(Math.max(squaresMine, squaresIts) / (matches.length * area)),
  };
};
