import { iou, type Box } from '../numeric/box.js';
import { likeness, type PatchLook } from './patch-look.js';

/** What is remembered of a pair: when and where it begins and ends, and how both ends look. */
export type MinedLook = {
  readonly frame: number;
  readonly first: Box;
  readonly last: Box;
  readonly a: PatchLook;
  readonly b: PatchLook;
};

/** The pair of a video that another resembles most. */
export type NearestPair = { readonly frame: number; readonly likeness: number };

/** Two pairs can show the same only where their boxes overlap by this much, at both ends. */
const SAME_PLACE = 0.5;

/**
 * The pairs of a video that a new one may repeat: those of the last `span` frames. Time-steps lie a few frames apart and tracks last
 * thirty, so that whatever moves slowly is found again and again.
 */
export class MinedLooks {
  readonly #span: number;
  readonly #kept: MinedLook[] = [];

  constructor(span: number) {
    this.#span = span;
  }

  /** Of the pairs that begin and end in the same place, the one most alike: the smaller of the correlations of both ends counts. */
  nearest({ frame, first, last, a, b }: MinedLook): NearestPair | undefined {
    while (this.#kept.length > 0 && this.#kept[0].frame < frame - this.#span) this.#kept.shift();
    let nearest: NearestPair | undefined;
    for (const other of this.#kept) {
      if (iou(other.first, first) < SAME_PLACE || iou(other.last, last) < SAME_PLACE) continue;
      const alike = Math.min(likeness(other.a, a), likeness(other.b, b));
      if (nearest === undefined || alike > nearest.likeness) nearest = { frame: other.frame, likeness: alike };
    }
    return nearest;
  }

  add(look: MinedLook): void {
    this.#kept.push(look);
  }
}
