import { tf } from '../runtime/tensors.js';
import { operationsOf, parametersOf } from './build-trunk.js';
import type { Trunk } from './trunk.js';

/** The grey of a pixel, `0.2989 r + 0.587 g + 0.114 b` (ITU-R 601-2), as views are rendered. */
const luminance: readonly number[] = [0.2989, 0.587, 0.114];

const greyOf = (colour: readonly [number, number, number]): number =>
  luminance.reduce((sum, weight, c) => sum + weight * colour[c]!, 0) / luminance.reduce((sum, weight) => sum + weight);

/** A network that is shown grey pictures: `grey` tells whoever renders for it (`ImageTarget`). */
export type GreyTrunk = Trunk & { readonly grey: true };

/**
 * The network as one that is trained on grey pictures, the grey in all three channels, as the grey model that Wang & Gupta released
 * (2015). All channels are normalised alike, by the grey of its mean and of its standard deviation: what is shown is grey to it too.
 * Shares the variables of `trunk`.
 */
export const onGreyInput = (trunk: Trunk): GreyTrunk => {
  const [mean, std] = [greyOf(trunk.mean), greyOf(trunk.std)];
  return { ...trunk, mean: [mean, mean, mean], std: [std, std, std], grey: true };
};

/**
 * Makes a network that was trained on grey pictures read colour ones as if they were grey, for every reader of its weights: the first
 * filters `w` become `w'[c] = luminance[c] * (w[r] + w[g] + w[b])`, in place. With one mean and one standard deviation for all channels
 * that is exact, at padded borders too, up to the 1e-4 that the three weights of luminance lack of 1. Nothing in it can tell colours
 * apart after this; fine-tuning it may learn to.
 */
export function foldLuminance({ architecture, variables }: GreyTrunk): void {
  const spec = parametersOf(architecture).find(({ shape }) => shape.length === 4 && shape[2] === 3);
  if (!spec) throw new Error(`Expected ${architecture} to begin with a convolution of three channels`);
  const isReversed = operationsOf(architecture).some(
    (step) => 'operation' in step && step.operation.kind === 'reverseChannels',
  );
  const weights = isReversed ? [...luminance].reverse() : [...luminance];
  const filters = variables.get(spec.name)!;
  tf.tidy(() => filters.assign(tf.mul(tf.sum(filters, 2, true), tf.tensor4d(weights, [1, 1, 3, 1]))));
}
