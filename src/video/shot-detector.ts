import type { VideoFrame } from './frame.js';
import { frameSignature, signatureDifference } from './frame-signature.js';
import type { FrameSignature, SignatureDifference } from './frame-signature.js';

/** How a shot begins: with the video, by a cut, or at either end of a gradual transition (a fade is one from or to a blank picture). */
export type ShotStart = 'start' | 'cut' | 'dissolve' | 'fade';

/** The shot one frame belongs to. `start` is set on the first frame of a shot only. */
export type ShotLabel = { readonly shot: number; readonly start: ShotStart | null };

// Levels are 8-bit. On 74 clips of many kinds transitions within a shot reach level 10 once in a thousand and three times the third largest of their
// neighbourhood never above level 8; of 400 splices of two clips all but two are above both.
const minLevel = 8;
const minRatio = 2.5;
const maxCorrelation = 0.88;
/** Transitions on either side that a cut must stand out from. */
const neighbourhood = 6;
/** Frames within which a picture that comes back was only interrupted (a flash, a dropped frame), not cut. */
const interruption = 5;
/** Lengths of gradual transitions looked for, in frames. Longer ones are found in parts, which are merged. */
const gradualLengths = [4, 6, 8, 12, 16, 24] as const;
const minGradualLevel = 10;
const maxGradualCorrelation = 0.55;
/** Below: a blank picture, as a fade starts or ends with. */
const blankContrast = 2;
/** Of both ends of a dissolve: the sky that brightens and the wall a car passes in front of look like blends otherwise. */
const minDissolveContrast = 10;

/** Frames a label waits for until it is final. */
export const shotLookAhead = 26;

/** A moment in the past: what the frame looked like and how it differs from the one before. */
type Moment = { readonly signature: FrameSignature; readonly difference: SignatureDifference };

/** A gradual transition: the last frame before it and the first after it. */
type Gradual = { readonly from: number; readonly to: number; readonly kind: 'dissolve' | 'fade' };

const meanAbsolute = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
};

/**
 * Finds the shots of a video frame by frame, with a look-ahead of `shotLookAhead` frames, from 24 x 24 cells a frame.
 *
 * A cut is an outlier among the differences of successive frames (after the best shift, so that a pan does not count): at least level 8, at least
 * 2.5 times the third largest among six transitions on either side, and not so alike (correlation 0.88) that only the light changed. Where the picture
 * from before comes back within five frames it was a flash. A gradual transition is a stretch of 4 to 24 frames whose ends show different pictures and
 * whose middle frames lie on the straight line between them, `x = (1 - s) a + s b` with `s` growing steadily; camera motion does not do that. It is
 * a shot of its own, so that no track crosses it.
 */
export class ShotDetector {
  // Moments of the latest frames; `#moments[0]` is frame `#base`.
  readonly #moments: Moment[] = [];
  #base = 0;
  #count = 0;
  #labelled = 0;
  #shot = -1;
  readonly #cuts = new Set<number>();
  /** Gradual transitions whose end is not labelled yet, apart from each other. */
  #graduals: Gradual[] = [];

  /** Takes the next frame; returns the labels that have become final, in order of frames. */
  push(frame: VideoFrame): ShotLabel[] {
    const signature = frameSignature(frame);
    const before = this.#moments.at(-1);
    const difference =
      before === undefined ? { level: 0, correlation: 1 } : signatureDifference(before.signature, signature);
    this.#moments.push({ signature, difference });
    this.#count++;
    this.#findGradual(this.#count - 1);
    this.#findCut(this.#count - 1 - neighbourhood);
    const labels = this.#label(this.#count - shotLookAhead);
    const spare = this.#moments.length - (shotLookAhead + 2 * neighbourhood);
    if (spare > 0) {
      this.#moments.splice(0, spare);
      this.#base += spare;
    }
    return labels;
  }

  /** The video has ended: the labels of the remaining frames. */
  finish(): ShotLabel[] {
    for (let frame = Math.max(1, this.#count - neighbourhood); frame < this.#count; frame++) this.#findCut(frame);
    return this.#label(this.#count);
  }

  #at(frame: number): Moment | undefined {
    return frame < this.#base ? undefined : this.#moments[frame - this.#base];
  }

  #label(end: number): ShotLabel[] {
    const labels: ShotLabel[] = [];
    for (; this.#labelled < end; this.#labelled++) {
      const frame = this.#labelled;
      const gradual = this.#graduals.find(({ from, to }) => from + 1 === frame || to === frame);
      const start = frame === 0 ? 'start' : (gradual?.kind ?? (this.#cuts.has(frame) ? 'cut' : null));
      if (start !== null) this.#shot++;
      this.#cuts.delete(frame);
      this.#graduals = this.#graduals.filter(({ to }) => to > frame);
      labels.push({ shot: this.#shot, start });
    }
    return labels;
  }

  /** Decides whether a shot begins with this frame by a cut. */
  #findCut(frame: number): void {
    const moment = this.#at(frame);
    if (frame < 1 || moment === undefined) return;
    const { level, correlation } = moment.difference;
    if (level < minLevel || correlation > maxCorrelation) return;
    const others: number[] = [];
    for (let other = Math.max(1, frame - neighbourhood); other <= frame + neighbourhood; other++) {
      const neighbour = this.#at(other);
      if (other !== frame && neighbour !== undefined) others.push(neighbour.difference.level);
    }
    // The third largest, so that two more cuts close by, or the two sides of a flash, do not hide this one.
    others.sort((a, b) => b - a);
    if (level < minRatio * ((others[2] ?? 0) + 0.5)) return;
    if (this.#isInterruption(frame, level)) return;
    this.#cuts.add(frame);
  }

  /** Whether the picture from before this transition comes back soon, or the one after it was there shortly before. */
  #isInterruption(frame: number, level: number): boolean {
    const alike = (a: Moment | undefined, b: Moment | undefined): boolean => {
      if (a === undefined || b === undefined) return false;
      const { level: rest, correlation } = signatureDifference(a.signature, b.signature);
      return rest < 0.5 * level && correlation > 0.7;
    };
    for (let gap = 1; gap <= interruption; gap++) {
      if (alike(this.#at(frame - 1), this.#at(frame + gap)) || alike(this.#at(frame - 1 - gap), this.#at(frame)))
        return true;
    }
    return false;
  }

  /** Looks for a gradual transition that ends with this frame. */
  #findGradual(to: number): void {
    const end = this.#at(to)?.signature;
    if (end === undefined) return;
    for (const length of gradualLengths) {
      const from = to - length;
      const start = from < 0 ? undefined : this.#at(from)?.signature;
      if (start === undefined) return;
      const blank = start.contrast < blankContrast || end.contrast < blankContrast;
      if (!blank && Math.min(start.contrast, end.contrast) < minDissolveContrast) continue;
      const distance = meanAbsolute(start.y, end.y);
      if (distance < 1.6 * minGradualLevel || !this.#isBlend(from, length, distance)) continue;
      const { level, correlation } = signatureDifference(start, end);
      if (level < minGradualLevel || (!blank && correlation > maxGradualCorrelation)) continue;
      this.#addGradual({ from, to, kind: blank ? 'fade' : 'dissolve' });
      return;
    }
  }

  /** Merges a stretch with those it touches: they are parts of one transition. What is labelled already stays as it is. */
  #addGradual(found: Gradual): void {
    const apart = this.#graduals.filter(({ from, to }) => to + 1 < found.from || found.to + 1 < from);
    const parts = [found, ...this.#graduals.filter((other) => !apart.includes(other))];
    const from = Math.min(...parts.map((part) => part.from));
    const begun = this.#graduals.find((other) => !apart.includes(other) && other.from + 1 < this.#labelled);
    this.#graduals = [
      ...apart,
      {
        from: begun?.from ?? Math.max(from, this.#labelled - 1),
        to: Math.max(...parts.map((part) => part.to)),
        kind: parts.some(({ kind }) => kind === 'fade') ? 'fade' : 'dissolve',
      },
    ];
  }

  /** Whether the frames in between lie on the line from the first to the last, in even steps. */
  #isBlend(from: number, length: number, distance: number): boolean {
    const a = (this.#at(from) as Moment).signature.y;
    const b = (this.#at(from + length) as Moment).signature.y;
    let norm = 0;
    for (let i = 0; i < a.length; i++) norm += (b[i] - a[i]) ** 2;
    const stride = Math.max(1, length >> 2);
    for (let step = stride; step < length; step += stride) {
      const x = (this.#at(from + step) as Moment).signature.y;
      let along = 0;
      for (let i = 0; i < a.length; i++) along += (x[i] - a[i]) * (b[i] - a[i]);
      const share = along / norm;
      if (Math.abs(share - step / length) > 0.2) return false;
      let rest = 0;
      for (let i = 0; i < a.length; i++) rest += Math.abs(x[i] - a[i] - share * (b[i] - a[i]));
      if (rest / a.length > 0.2 * distance) return false;
    }
    return true;
  }
}

/**
 * Labels the frames of a video with their shots. Frames come out in order, `shotLookAhead` frames late, so that many of them are held.
 */
export async function* labelShots(
  frames: AsyncIterable<VideoFrame> | Iterable<VideoFrame>,
): AsyncGenerator<ShotLabel & { readonly frame: VideoFrame }, void, void> {
  const detector = new ShotDetector();
  const held: VideoFrame[] = [];
  for await (const frame of frames) {
    held.push(frame);
    for (const label of detector.push(frame)) yield { frame: held.shift() as VideoFrame, ...label };
  }
  for (const label of detector.finish()) yield { frame: held.shift() as VideoFrame, ...label };
}
