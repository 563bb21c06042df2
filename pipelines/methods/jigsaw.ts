import { z } from 'zod';
import { createJigsaw } from '../../src/contrast/jigsaw/jigsaw.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { defineMethod } from './image-method.js';

const params = z.strictObject({
  permutations: z
    .int()
    .min(2)
    .max(362_880)
    .default(100)
    .describe('how many orders of the nine patches are told apart: the hardness of the puzzle; papers 100 to 10 000'),
  criterion: z
    .enum(['mean', 'min'])
    .default('mean')
    .describe('permutations are chosen by their mean, or least, Hamming distance to those chosen before'),
  permutationSeed: z.int().min(0).default(0).describe('draws the first of the permutations'),
  normalise: z.boolean().default(true).describe('every patch by itself to mean 0 and deviation 1'),
  grey: z.number().min(0).max(1).default(0.66).describe('probability of a grey picture, against chromatic aberration'),
  patchDim: z.int().min(1).default(64).describe('values kept of a patch before the nine are put together'),
});

/** Nine patches that together have as many pixels as one picture of the trunk's input. */
const patchSide = (inputSize: number): number => Math.floor(inputSize / 3);

/** The picture that they are cut from: cells a third wider than the patches, as 85 px for 64. */
const pictureSide = (inputSize: number): number => 3 * Math.round((patchSide(inputSize) * 85) / 64);

/** Jigsaw puzzles: in which order are the nine patches of a picture? */
export const jigsawMethod = defineMethod<z.infer<typeof params>>({
  name: 'jigsaw',
  title: 'Jigsaw',
  paper: 'Noroozi & Favaro 2016; Goyal et al. 2019',
  summary: 'says in which of |P| orders the nine patches of a picture were shown',
  params,
  views: ({ grey }, { base, inputSize }) => [
    { policy: { ...(base ?? augmentationPolicies.paper), grey }, size: pictureSide(inputSize) },
  ],
  imagesPerSample: (_params, { inputSize }) => (9 * patchSide(inputSize) ** 2) / inputSize ** 2,
  tracks: 'one of both',
  hardness: { parameter: 'permutations', words: 'permutations', values: [10, 100, 1000] },
  create: ({ permutations, criterion, permutationSeed, normalise, patchDim }, { drawView, inputSize }) => {
    const patch = patchSide(inputSize);
    const jitter = pictureSide(inputSize) / 3 - patch;
    return createJigsaw({
      drawView,
      permutations,
      criterion,
      permutationSeed,
      normalise,
      patchDim,
      patch,
      jitter,
    });
  },
});
