import type { Result } from '../pipeline/result.js';

/** A training run that was refused, and why (`The loss is NaN …`). */
export type RejectedRun = { readonly method: string; readonly seed: number; readonly reason: string };

/** `` `rotnet`, seed 1: The loss is NaN … ``: names between backticks. */
export const describeRejected = ({ method, seed, reason }: RejectedRun): string =>
  `\`${method}\`, seed ${seed}: ${reason}`;

/**
 * What a reader of transfer results must know of rejected runs, a sentence a method: that its row is missing, or without which
 * seeds it stands there. Names between backticks.
 */
export const describeMissing = (results: readonly Result[], rejected: readonly RejectedRun[]): string[] => {
  const present = new Set(results.map(({ method }) => method));
  return [...new Set(rejected.map(({ method }) => method))].map((method) => {
    const seeds = rejected.filter((run) => run.method === method).map(({ seed }) => seed);
    const which = `seed${seeds.length === 1 ? '' : 's'} ${seeds.join(', ')}`;
    return present.has(method)
      ? `\`${method}\` stands here without ${which}: training was rejected there, for the reason that stands below the training table.`
      : `\`${method}\` has no row: its training was rejected (${which}), for the reason that stands below the training table.`;
  });
};
