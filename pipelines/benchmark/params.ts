import { z } from 'zod';
import { shareOf } from '../../src/triplet/negatives.js';
import { imageMethods } from '../methods/index.js';

/** Names of the trunks. */
export const architectureNames = [
  ...['small', 'small-half', 'small-double', 'caffenet', 'alexnet', 'alexnet-bn', 'vgg16'],
  ...['resnet18', 'resnet18-cifar', 'resnet50', 'resnet50-cifar'],
] as const;

/** Layers of every architecture that give maps. */
export const spatialLayers = ['conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'pool5'] as const;
/** All layers of every architecture. */
export const allLayers = [...spatialLayers, 'fc', 'embedding'] as const;

const differ = (names: readonly string[]): boolean => new Set(names).size === names.length;
const twice = { error: 'expected each layer once' };
const once = { error: 'expected each once' };

/** Parameters of `synthesize`: the embedded demo's videos and targets. */
export const synthesizeParams = z.strictObject({
  seed: z.int().min(0).default(1).describe('seed of the rendered videos and scenes'),
  moving: z
    .int()
    .min(1)
    .max(100_000)
    .default(11)
    .describe('videos in which objects move; three more must give no pair'),
  length: z.number().positive().max(1000).default(1).describe('scales the videos, of 6 to 8 seconds'),
  trainPerClass: z
    .int()
    .min(2)
    .max(100_000)
    .default(25)
    .describe('training pictures a class of the classification target'),
  testPerClass: z.int().min(1).max(100_000).default(15).describe('test pictures a class'),
  scenes: z
    .int()
    .min(6)
    .max(100_000)
    .default(48)
    .describe('how many rooms with exact normals to render; fewer cannot be split'),
});

/** Parameters of `targets`: how target data is decoded. */
export const targetsParams = z.strictObject({
  imagePx: z.int().min(16).default(96).describe('side of the pictures as the network sees them'),
  testShare: z.number().gt(0).lt(1).default(0.4).describe('test part where the data set names none'),
  trainPerClass: z
    .int()
    .min(1)
    .optional()
    .describe('training pictures a class of classification targets, drawn (default: all)'),
  testPerClass: z.int().min(1).optional().describe('test pictures a class, drawn (default: all)'),
  detectionPx: z.int().min(32).max(4096).default(320).describe('long side at which detection pictures are kept'),
  proposals: z.enum(['fast', 'quality']).default('fast').describe('mode of selective search'),
  maxProposals: z.int().min(1).default(200).describe('regions a picture'),
});

/** Own parameters of every image-based method, by its name. */
const methodParams = Object.fromEntries(imageMethods.map(({ name, params }) => [name, params.prefault({})]));

const sharedPretrainParams = {
  architecture: z.enum(architectureNames).default('small'),
  steps: z
    .int()
    .min(1)
    .default(400)
    .describe('optimiser steps a run; every method gets the same number of image draws'),
  batchPairs: z.int().min(2).default(64).describe('pairs a step; single-image methods draw twice as many images'),
  optimizer: z.enum(['sgd', 'adamw', 'lars']).default('adamw'),
  learningRate: z.number().positive().default(1e-3).describe('adamw; lars wants 0.1 or more: docs/methods/byol.md'),
  weightDecay: z.number().min(0).default(1e-2).describe('lars wants 1e-6'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('sgd and lars only'),
  schedule: z.enum(['cosine', 'step']).default('cosine'),
  warmupSteps: z.int().min(0).default(0),
  stepAt: z
    .array(z.number().gt(0).lt(1))
    .default([0.25, 0.5, 0.75])
    .describe('step schedule: shares of the run after which the rate falls to a tenth'),
  augmentation: z
    .enum(['full', 'paper', 'none', 'own'])
    .default('full')
    .describe(
      "of every method alike, so that methods are compared and not their crops; `own`: as each method's paper has it",
    ),
  colour: z
    .enum(['rgb', 'grey'])
    .default('rgb')
    .describe('what networks see: `grey` is luminance alone, in training and wherever their weights are read'),
  views: z
    .strictObject({
      cropArea: z.number().gt(0).max(1).nullable().default(null).describe('least share of the area that a crop keeps'),
      jitter: z
        .number()
        .min(0)
        .max(1)
        .nullable()
        .default(null)
        .describe('strength of the colour jitter: of brightness, contrast and saturation; of hue a quarter of it'),
      grey: z.number().min(0).max(1).nullable().default(null).describe('chance of a grey view; 1 hides all colour'),
      swapEnd: z
        .number()
        .min(0)
        .max(0.5)
        .default(0)
        .describe(
          'of rows on tracks and their controls but `shuffled`: chance that a view shows the other end than its own; with 0.5 half of the positives are one patch, augmented twice',
        ),
    })
    .prefault({})
    .describe('other values than `augmentation` has, where they are not null, and which ends are shown'),
  checkpointEvery: z.int().min(1).default(50).describe('steps between checkpoints: what a kill can cost'),
  logEvery: z.int().min(1).default(10).describe('steps between points of the curves'),
  memoryMb: z
    .int()
    .min(64)
    .max(4096)
    .default(4096)
    .describe('MiB that decoded pictures may take: a larger set stays on disk, and so many are held of it'),
  shuffle: z
    .enum(['buffer', 'uniform'])
    .default('buffer')
    .describe(
      'of a set that stays on disk: read in sequence through a buffer of `memoryMb`, or at random (as fast on an SSD, slow elsewhere), which gives what a set in memory gives',
    ),
  watch: z
    .strictObject({
      every: z
        .int()
        .min(1)
        .default(100)
        .describe('steps between two looks; the first weights and the last are seen too'),
      pictures: z.int().min(4).default(500).describe('training pictures of the folder, of all classes alike'),
      layer: z.enum(allLayers).default('conv5'),
    })
    .prefault({})
    .describe('what `--watch` costs: decides nothing, and changing it trains nothing again'),
  triplet: z
    .strictObject({
      margin: z.number().positive().default(0.5).describe('the paper 0.5, the released code 1'),
      negatives: z.int().min(1).default(4).describe('K'),
      hardRatio: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe('share of K drawn from the K hardest, once hard mining is on'),
      randomShare: z.number().min(0).max(1).default(0.5).describe('share of the steps with random negatives only'),
      mining: z
        .enum(['hard', 'semi-hard'])
        .default('hard')
        .describe('which are drawn then: the most similar, or those of them that are less similar than the positive'),
      sameVideoNegatives: z
        .boolean()
        .default(false)
        .describe('negatives also from tracks of the same video that are seen at the same time in another place'),
      perVideo: z.int().min(1).default(1).describe('tracks of a video that stand together in a batch'),
      queue: z
        .int()
        .min(0)
        .max(2 ** 18)
        .default(0)
        .describe('embeddings of earlier batches that are candidates too'),
    })
    .refine(({ negatives, hardRatio }) => shareOf(negatives, hardRatio) + shareOf(negatives, 1 - hardRatio) > 0, {
      path: ['negatives'],
      error:
        'expected `hardRatio` to leave a negative once both shares of K are rounded down (more negatives, or a `hardRatio` of 0 or 1)',
    })
    .prefault({}),
};

/** Parameters of `pretrain`: the trunk, the budget and each method's own constants. */
export const pretrainParams = z
  .strictObject({ ...sharedPretrainParams, ...methodParams })
  .superRefine(({ augmentation, views }, { addIssue }) => {
    if (augmentation !== 'own') return;
    for (const name of ['cropArea', 'jitter', 'grey'] as const) {
      if (views[name] === null) continue;
      addIssue({
        code: 'custom',
        path: ['views', name],
        message: `expected \`${name}\` to be null where \`augmentation\` is own, which every method has for itself, got \`${views[name]}\``,
      });
    }
  });

/** Protocols by kind of target, in the order of the tables. */
export const protocols = {
  classification: ['knn', 'linear', 'multi-layer', 'svm', 'low-shot'],
  detection: ['fast-rcnn', 'fast-rcnn-finetuned', 'rcnn'],
  normals: ['ridge', 'codebook', 'codebook-finetuned'],
} as const;

const layerList = (names: readonly [string, ...string[]]) => z.array(z.enum(names)).min(1).refine(differ, twice);

/** Parameters of `transfer`: what is read where, and by which protocols. */
export const transferParams = z.strictObject({
  probes: z
    .array(z.enum(protocols.classification))
    .min(1)
    .refine(differ, once)
    .default([...protocols.classification])
    .describe('protocols on classification targets'),
  layers: layerList(allLayers)
    .default(['conv5'])
    .describe('layers read by k-NN and linear; the last by SVM and low-shot'),
  pooled: z.int().min(1).default(2).describe('spatial layers are average-pooled to this side'),
  knnK: z.int().min(1).default(20),
  knnSigma: z.number().positive().default(0.07),
  probeLayers: layerList(spatialLayers)
    .default(['conv1', 'conv2', 'conv3', 'conv4', 'conv5'])
    .describe('layers of the multi-layer probe'),
  probeDims: z.int().min(1).default(9216).describe('about so many values a layer are left by pooling for that probe'),
  lowShot: z
    .array(z.int().min(1))
    .min(1)
    .refine((shots) => new Set(shots).size === shots.length, once)
    .default([1, 2, 4, 8, 16, 32, 64, 96])
    .describe('positives a class; more than the smallest class has are left out'),
  supervised: z
    .strictObject({
      steps: z.int().min(0).default(200).describe('of training from scratch on the target; 0 leaves the control out'),
      batch: z.int().min(2).default(64),
    })
    .prefault({}),
  detection: z
    .strictObject({
      methods: z
        .array(z.string())
        .refine(differ, once)
        .optional()
        .describe('rows that are measured so, since it takes minutes a row (default: all)'),
      protocols: z.array(z.enum(protocols.detection)).min(1).refine(differ, once).default(['fast-rcnn', 'rcnn']),
      layer: z.enum(spatialLayers).default('conv4').describe('the map that Fast R-CNN reads regions from'),
      maxProposals: z.int().min(1).default(200).describe('regions a picture for Fast R-CNN, the best'),
      boxRegression: z.boolean().default(true).describe('Fast R-CNN only; the paper goes without'),
      steps: z.int().min(1).default(400).describe('of Fast R-CNN on frozen features'),
      finetuneSteps: z.int().min(1).default(400).describe('of fine-tuned Fast R-CNN'),
      rcnnLayer: z.enum(allLayers).default('pool5').describe('what R-CNN classifies; `fc` in the paper'),
      rcnnProposals: z.int().min(1).default(200).describe('regions a test picture for R-CNN; half of them in training'),
      rcnnSteps: z.int().min(0).default(50).describe('of fine-tuning in R-CNN; 0 takes the features as they are'),
      ensembles: z
        .array(z.string())
        .refine(differ, once)
        .default([])
        .describe('methods whose seeds are also tried together, their scores averaged'),
    })
    .prefault({}),
  normals: z
    .strictObject({
      methods: z
        .array(z.string())
        .refine(differ, once)
        .optional()
        .describe('rows that are measured so, since it takes minutes a row (default: all)'),
      protocols: z
        .array(z.enum(protocols.normals))
        .min(1)
        .refine(differ, once)
        .default([...protocols.normals]),
      layers: layerList(spatialLayers).default(['conv3', 'conv5']),
      words: z.int().min(2).default(40).describe('of the codebook of normals'),
      finetuneSteps: z.int().min(1).default(250),
    })
    .prefault({}),
});

/** Parameters of `images`: the pictures that image-based methods learn from. */
export const imagesParams = z.strictObject({
  cachePx: z
    .int()
    .min(16)
    .max(1024)
    .default(128)
    .describe('side at which pictures are kept decoded: four thirds of the input of the trunk'),
  maxImages: z.int().min(2).optional().describe('at most so many, drawn by the seed, classes alike (default: all)'),
  testShare: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.4)
    .describe('left out where classes bring no test part: as `targets` has it'),
  sheetImages: z.int().min(1).default(40).describe('pictures on the contact sheet'),
  seed: z.int().min(0).default(1).describe('which pictures are drawn'),
});

/** Parameters of `report`: none; what it shows is decided by what was run. */
export const reportParams = z.strictObject({});

/** Parameter types by stage. */
export type SynthesizeParams = z.infer<typeof synthesizeParams>;
/** See {@link targetsParams}. */
export type TargetsParams = z.infer<typeof targetsParams>;
/** See {@link imagesParams}. */
export type ImagesParams = z.infer<typeof imagesParams>;
/** See {@link pretrainParams}; what a method has for itself stands under its name. */
export type PretrainParams = z.infer<ReturnType<typeof z.strictObject<typeof sharedPretrainParams>>>;
/** See {@link transferParams}. */
export type TransferParams = z.infer<typeof transferParams>;
/** See {@link reportParams}. */
export type ReportParams = z.infer<typeof reportParams>;
