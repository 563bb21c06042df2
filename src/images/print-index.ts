import { mirrored, type FramePrint, type PictureView } from './frame-fingerprint.js';
import { bitCount } from './view-likeness.js';

/** Bands of 16 bits that a 64-bit hash is cut into. */
const bands = 4;
/** Of one band's value so many frames are kept: what more recordings than that have in common tells none from another. */
const mostInBucket = 512;
/** Bits in which two frames may differ whose hashes agree in a band. */
const maxBits = 16;

/** Numbers that grow at the end: four bytes each, a hundred million of them must fit. */
class Bucket {
  values = new Int32Array(2);
  count = 0;

  push(value: number): void {
    if (this.count === this.values.length) {
      const grown = new Int32Array(Math.ceil(this.count * 1.5) + 1);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.count++] = value;
  }
}

/** A video that frames were found in: mirrored or not, and at how many of its anchors, all at one offset in time. */
export type Candidate = { readonly video: number; readonly votes: number };

/**
 * Where frames like a given one have been seen: anchors of the videos that were added, in buckets by each 16-bit band of the difference hashes of
 * their two views. A look-up costs what its buckets hold, at most `4 x 512` comparisons of two words a view, whatever the number of videos.
 */
export class PrintIndex {
  readonly #buckets: (Bucket | undefined)[] = [];
  // One entry a view of an anchor.
  readonly #first = new Bucket();
  readonly #second = new Bucket();
  readonly #video = new Bucket();
  readonly #time = new Bucket();
  readonly #isMiddle = new Bucket();

  constructor(readonly minDetail = 4) {}

  /** Adds a video's anchors: eight of a short one, else one in two seconds. */
  add(video: number, frames: readonly FramePrint[]): void {
    for (const { time, whole, middle } of anchorsOf(frames)) {
      this.#addView(video, time, whole, 0);
      this.#addView(video, time, middle, 1);
    }
  }

  #addView(video: number, time: number, view: PictureView, isMiddle: number): void {
    if (view.deviation < this.minDetail) return;
    const entry = this.#video.count;
    this.#first.push(view.hash[0]);
    this.#second.push(view.hash[1]);
    this.#video.push(video);
    this.#time.push(Math.round(time * 1000));
    this.#isMiddle.push(isMiddle);
    for (let band = 0; band < bands; band++) {
      const bucket = (this.#buckets[bandKey(view, band)] ??= new Bucket());
      if (bucket.count < mostInBucket) bucket.push(entry);
    }
  }

  /**
   * The videos that share frames with this one, most votes first: an anchor votes for the offset in time between it and a frame whose hash is near its own, and
   * a video has the votes of its best offset.
   */
  search(frames: readonly FramePrint[]): readonly Candidate[] {
    const votes = new Map<string, Set<number>>();
    for (const frame of frames) {
      for (const flip of [false, true]) {
        this.#look(flip ? mirrored(frame.whole) : frame.whole, frame.time, flip, false, votes);
        this.#look(flip ? mirrored(frame.middle) : frame.middle, frame.time, flip, true, votes);
      }
    }
    const best = new Map<number, number>();
    for (const [key, anchors] of votes) {
      const video = Number.parseInt(key, 10);
      best.set(video, Math.max(best.get(video) ?? 0, anchors.size));
    }
    return [...best]
      .map(([video, count]) => ({ video, votes: count }))
      .sort((p, q) => q.votes - p.votes || p.video - q.video);
  }

  #look(view: PictureView, time: number, flip: boolean, ofMiddle: boolean, votes: Map<string, Set<number>>): void {
    if (view.deviation < this.minDetail) return;
    const [first, second] = view.hash;
    const seen = new Set<number>();
    for (let band = 0; band < bands; band++) {
      const bucket = this.#buckets[bandKey(view, band)];
      if (bucket === undefined) continue;
      for (let i = 0; i < bucket.count; i++) {
        const entry = bucket.values[i]!;
        if (ofMiddle && this.#isMiddle.values[entry] === 1) continue;
        if (bitCount(this.#first.values[entry]! ^ first) + bitCount(this.#second.values[entry]! ^ second) > maxBits)
          continue;
        if (seen.has(entry)) continue;
        seen.add(entry);
        const at = this.#time.values[entry]!;
        const offset = (at / 1000 - time) / offsetBin;
        // In both bins next to it: a border lies through no video.
        for (const bin of [Math.floor(offset), Math.floor(offset) + 1]) {
          const key = `${this.#video.values[entry]!} ${flip ? 'm' : 'u'} ${bin}`;
          const anchors = votes.get(key) ?? new Set();
          votes.set(key, anchors.add(at));
        }
      }
    }
  }
}

/** Seconds by which offsets in time may differ that count as one. */
const offsetBin = 0.5;

const bandKey = ({ hash }: PictureView, band: number): number =>
  band * 65536 + ((hash[band >> 1]! >>> ((band & 1) * 16)) & 0xffff);

/** Seconds between two anchors of a video. */
export const anchorSeconds = 2;

/** Seconds from a video's first frame to its last. */
export const lengthOf = (frames: readonly FramePrint[]): number =>
  frames.length === 0 ? 0 : frames.at(-1)!.time - frames[0]!.time;

/** Frames that stand for a video: one in two seconds, but eight where there are as many. */
const anchorsOf = (frames: readonly FramePrint[]): readonly FramePrint[] => {
  const count = Math.min(frames.length, Math.max(8, Math.ceil(lengthOf(frames) / anchorSeconds)));
  return Array.from({ length: count }, (_, i) => frames[Math.floor((i * frames.length) / count)]!);
};
