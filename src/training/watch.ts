import type { Trunk } from '../network/trunk.js';

/**
 * Looks at a network while it is trained: what its features are worth on labelled pictures, beside a loss that does not tell. Decides
 * nothing: a run comes to the same bytes with and without it, and may go on from a checkpoint with another one or none.
 */
export type Watch = {
  /** Steps between readings. Each falls on the first point of the curve from there on; the first weights and the last are read in any case. */
  readonly every: number;
  /** Accuracy of k-NN in percent; must leave the network and everything random as they are. */
  readonly knn: (trunk: Trunk) => number;
};

/** Whether the point of the curve at `step`, which follows that at `before` (0 for the first), gets a reading. */
export const isWatched = ({ every }: Watch, step: number, before: number, steps: number): boolean =>
  step === steps || Math.floor(step / every) > Math.floor(before / every);

/** A {@link Watch} that is asked by the training loop: reads, and keeps the time that takes. */
export const openWatch = (
  watch: Watch,
  trunk: Trunk,
): { readonly read: () => number; readonly seconds: () => number } => {
  let seconds = 0;
  const read = (): number => {
    const began = performance.now();
    const knn = watch.knn(trunk);
    seconds += (performance.now() - began) / 1000;
    return knn;
  };
  return { read, seconds: () => seconds };
};
