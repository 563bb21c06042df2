import type { FramePrint } from './frame-fingerprint.js';
import { anchorSeconds, lengthOf, PrintIndex } from './print-index.js';
import { sameVideo, type SameVideo, type SameVideoThresholds } from './same-video.js';

/** A video among which repeats are looked for. */
export type RecordedVideo = {
  /** sha256 of the file: what decides where nothing else does. */
  readonly content: string;
  /** Frames that were fingerprinted: how long it is. */
  readonly frames: number;
  /** Pixels of a picture. */
  readonly pixels: number;
  load(): Promise<readonly FramePrint[]>;
};

/** A video that shows what another one, which is kept, shows already; both as numbers in the list. */
export type Repeat = { readonly video: number; readonly of: number; readonly same: SameVideo };

/** Videos that are compared with one, at most, the likeliest first. */
const mostCandidates = 32;
/** Fingerprints of so many videos are held in memory for comparisons to come. */
const heldVideos = 64;

/**
 * The one that is kept of two uploads comes first: the longer one (in steps of a tenth, within which a cut more or less says nothing), of equal ones
 * that with larger pictures, else by content, since names and paths are no identity.
 */
const byWorth = (p: RecordedVideo, q: RecordedVideo): number => {
  const steps = ({ frames }: RecordedVideo): number => Math.round(Math.log(Math.max(1, frames)) / Math.log(1.1));
  return steps(q) - steps(p) || q.pixels - p.pixels || (p.content < q.content ? -1 : 1);
};

/**
 * Finds re-uploads: videos that show the same recording (`sameVideo`) as another one of the list. Videos are gone through from the longest on, and each is either
 * kept or the repeat of one that is kept; so a repeat names what it repeats, and two parts of one recording that have nothing in common both go
 * with the whole, or both stay where the whole is not there.
 *
 * No two videos are compared unless anchors of theirs share a bucket of an index of frame hashes (`PrintIndex`) at one offset in time: a quarter of those that
 * the shorter one spans, and two at least where it spans three. With buckets that end at 512 entries and at most 32 comparisons a video the time is near-linear in their number; memory is that of the index, some
 * 90 bytes an anchor (one in two seconds): a gigabyte for 100 000 videos of four minutes.
 */
export const findRepeats = async (
  videos: readonly RecordedVideo[],
  thresholds: SameVideoThresholds = {},
): Promise<Repeat[]> => {
  const order = videos.map((_, number) => number).sort((p, q) => byWorth(videos[p]!, videos[q]!));
  const index = new PrintIndex(thresholds.minDetail);
  const held = new Map<number, readonly FramePrint[]>();
  const printsOf = async (number: number): Promise<readonly FramePrint[]> => {
    const prints = held.get(number) ?? (await videos[number]!.load());
    held.delete(number);
    held.set(number, prints);
    if (held.size > heldVideos) held.delete(held.keys().next().value!);
    return prints;
  };
  const repeats: Repeat[] = [];
  for (const video of order) {
    const prints = await videos[video]!.load();
    const spanned = lengthOf(prints) / anchorSeconds;
    const least = Math.max(spanned < 3 ? 1 : 2, spanned / 4);
    const candidates = index.search(prints).filter(({ votes }) => votes >= least);
    let found: Repeat | undefined;
    for (const candidate of candidates.slice(0, mostCandidates)) {
      const same = sameVideo(prints, await printsOf(candidate.video), thresholds);
      if (same === undefined) continue;
      found = { video, of: candidate.video, same };
      break;
    }
    if (found) repeats.push(found);
    else index.add(video, prints);
  }
  return repeats;
};
