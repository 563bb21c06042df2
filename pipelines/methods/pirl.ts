import { z } from 'zod';
import { createPirl } from '../../src/contrast/pirl/pirl.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { mlp } from '../../src/network/head.js';
import { bankParams } from './bank-params.js';
import { defineMethod } from './image-method.js';

/** Pretext-invariant representations. */
export const pirlMethod = defineMethod({
  name: 'pirl',
  title: 'PIRL',
  paper: 'Misra and van der Maaten 2020',
  summary: 'a picture and its jigsaw puzzle are the same sample of a memory bank',
  params: z.strictObject({
    ...bankParams,
    patchWeight: z.number().min(0).max(1).default(0.5).describe('weight of the puzzle; the picture has the rest'),
    dim: z.int().min(1).default(128).describe('length of the compared rows'),
    imageArea: z
      .tuple([z.number(), z.number()])
      .default([0.08, 1])
      .describe('share of the picture that the image branch shows'),
    puzzleArea: z
      .tuple([z.number(), z.number()])
      .default([0.6, 1])
      .describe('share of the picture that is cut into patches'),
  }),
  views: ({ imageArea, puzzleArea }, { base, inputSize }) => {
    const policy = base ?? { ...augmentationPolicies.npid, saturation: 0.4, hue: 0.2 };
    return [
      { policy: { ...policy, cropArea: imageArea } },
      { policy: { ...policy, cropArea: puzzleArea }, size: puzzleSize(inputSize) },
    ];
  },
  // Nine patches of a third of the input's side have its area.
  imagesPerSample: () => 2,
  tracks: 'two views',
  create: ({ temperature, bankMomentum, estimator, noise, bankStart, patchWeight, dim }, { drawView, inputSize }) =>
    createPirl({
      drawView,
      patch: Math.floor(inputSize / 3),
      patchWeight,
      tau: temperature,
      momentum: bankMomentum,
      estimator,
      noise,
      bankStart,
      projector: mlp({ hidden: [], dim, batchNorm: 'none' }),
    }),
});

/** A cell of the puzzle is by a third larger than its patch, as 85 px for 64 in the paper. */
const puzzleSize = (inputSize: number): number => Math.round((inputSize * 4) / 3);
