import path from 'node:path';
import type { Trunk } from '../../src/network/trunk.js';
import { loadWeights, modelFiles, saveTrunk, weightsOf } from '../../src/network/weights.js';
import type { BestWeights } from '../../src/training/best-weights.js';

/** Where the network at its best look stands, beside the last one. */
export const bestFolder = 'best';

/**
 * Writes the network as it was where the watch read most, as a model folder `best` of its own: `--weights …/best` tries it beside the
 * last. The trunk has its last weights again afterwards, to the bit.
 *
 * @param finish what is done to every trained network before it is written, in place
 * @returns names of the files written. Which step looked best is no part of what the training is
 */
export const saveBest = async (
  outputs: string,
  trunk: Trunk,
  { point, weights }: BestWeights,
  finish: () => void,
): Promise<string[]> => {
  const last = weightsOf(trunk);
  try {
    loadWeights(trunk, weights);
    finish();
    await saveTrunk(path.join(outputs, bestFolder), trunk, { ...point });
  } finally {
    loadWeights(trunk, last);
  }
  return Object.values(modelFiles).map((name) => `${bestFolder}/${name}`);
};
