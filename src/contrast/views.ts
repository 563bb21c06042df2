import type { RandomStream } from '../numeric/random.js';
import type { SampleInfo } from '../training/method.js';

/**
 * Draws view number `view` of a sample, from `random` alone. Which picture a view shows (the same one again, or the other end of
 * the track), how it is augmented and how large it is, is decided by whoever puts a method together; the method only counts views.
 */
export type DrawView<V> = (sample: SampleInfo, view: number, random: RandomStream) => V;

/** The first `count` views of a sample, in order. */
export const drawViews = <V>(draw: DrawView<V>, count: number, sample: SampleInfo, random: RandomStream): V[] =>
  Array.from({ length: count }, (_, view) => draw(sample, view, random));
