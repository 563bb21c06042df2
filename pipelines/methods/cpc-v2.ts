import { z } from 'zod';
import { createCpcV2 } from '../../src/contrast/cpc/cpc-v2.js';
import { augmentationPolicies } from '../../src/images/augmentation.js';
import { defineMethod } from './image-method.js';

const params = z.strictObject({
  directions: z
    .union([z.literal(1), z.literal(2), z.literal(4)])
    .default(4)
    .describe('of prediction: down; down and up; all four'),
  firstStep: z.int().min(1).max(4).default(2).describe('rows ahead of the nearest prediction: 2 shares no pixel'),
  lastStep: z.int().min(1).max(4).default(4).describe('rows ahead of the farthest prediction'),
  blocks: z.int().min(1).default(2).describe('residual blocks of a context network: the rows above that it sees'),
  hidden: z.int().min(1).default(128).describe('channels inside its blocks'),
  dim: z.int().min(1).default(64).describe('length of predictions and targets'),
  scale: z.number().positive().default(0.1).describe('what their products are multiplied with'),
  dropChannels: z.number().min(0).max(1).default(0.5).describe('probability that a patch keeps one channel alone'),
  statistics: z
    .enum(['apart', 'shared'])
    .default('apart')
    .describe('batch norm over one patch a picture at a time, or over all, which leaks'),
});

const cells = 5;

/** Patches of a third of the picture that overlap by half: five a side. */
const gridOf = (inputSize: number): { readonly patch: number; readonly stride: number } => {
  const patch = Math.floor(inputSize / 3);
  return { patch, stride: Math.floor(patch / 2) };
};

/** CPC v2: which patch comes some rows further on? */
export const cpcV2Method = defineMethod<z.infer<typeof params>>({
  name: 'cpc-v2',
  title: 'CPC v2',
  paper: 'Hénaff 2020',
  summary: 'picks the patches of rows to come out of all patches of the batch, from the rows before',
  params,
  views: (_params, { base }) => [{ policy: base ?? augmentationPolicies.paper }],
  imagesPerSample: (_params, { inputSize }) => (cells * gridOf(inputSize).patch) ** 2 / inputSize ** 2,
  tracks: 'one of both',
  create: (own, { drawView, inputSize, batchSize }) =>
    createCpcV2({ drawView, batchSize, cells, ...gridOf(inputSize), ...own }),
});
