import { pretrainParams, type PretrainParams } from '../pipelines/benchmark/params.js';
import { imageMethods } from '../pipelines/methods/index.js';
import { imageRow } from '../pipelines/rows/image-rows.js';
import { rankingRows } from '../pipelines/rows/ranking-rows.js';
import type { Row, TrainingSet } from '../pipelines/rows/row.js';
import type { ViewSpec } from '../src/images/augmentation.js';
import type { PairCache } from '../src/images/pair-cache.js';
import { cacheSizeFor, pixelCacheOf, type PixelCache } from '../src/images/pixel-cache.js';
import { placeLength } from '../src/images/track-place.js';
import { architectures, buildTrunk } from '../src/network/build-trunk.js';
import type { Trunk } from '../src/network/trunk.js';
import { RandomStream } from '../src/numeric/random.js';
import { adamw } from '../src/training/adamw.js';
import { lars } from '../src/training/lars.js';
import type { Method } from '../src/training/method.js';
import type { Optimizer } from '../src/training/optimizer.js';
import { cosine } from '../src/training/schedule.js';
import { sgd } from '../src/training/sgd.js';
import type { TrainOptions } from '../src/training/train.js';
import { createRegions } from './determinism-regions.js';

/** A training to run twice. */
export type DeterminismCase = {
  readonly name: string;
  readonly architecture: string;
  /** `triplet`, an image-based method, or `regions`: the ops that detection reads regions with. */
  readonly method: string;
  readonly optimizer: 'sgd' | 'adamw' | 'lars';
  /** Pairs, or half the pictures of the trunk's size, a step. */
  readonly batchPairs: number;
  /** Share of the steps asked for: heavy networks do fewer. */
  readonly share: number;
  /** Side of the views, px, where it is not the trunk's: methods that read maps take any. */
  readonly inputSize?: number;
  /** Parameters of the method that differ from its defaults: what few samples allow. */
  readonly own?: object;
};

const trunkCase = (architecture: string, batchPairs: number, share: number): DeterminismCase => ({
  ...{ name: `triplet, ${architecture}`, architecture, method: 'triplet', optimizer: 'sgd', batchPairs, share },
  own: { negatives: 2, queue: 8, sameVideoNegatives: true, perVideo: 2 },
});

/** Every trunk, under the method of the paper: those of large pictures for a few steps only. */
const trunkCases: readonly DeterminismCase[] = [
  trunkCase('small', 4, 1),
  trunkCase('resnet18-cifar', 4, 0.1),
  trunkCase('caffenet', 2, 0.025),
  trunkCase('resnet50-cifar', 4, 0.03),
  trunkCase('small-double', 4, 0.05),
  trunkCase('alexnet-bn', 2, 0.02),
  trunkCase('resnet18', 2, 0.02),
  trunkCase('alexnet', 2, 0.02),
  trunkCase('resnet50', 2, 0.015),
  trunkCase('vgg16', 2, 0.01),
];

const clusters = { clusters: 6 };
/** What 24 pictures allow, where the defaults want more. */
const ofFewSamples: Readonly<Record<string, object>> = {
  deepcluster: { ...clusters, sobel: true },
  'deepcluster-v2': clusters,
  'local-aggregation': { background: 12, samplesPerCluster: 4 },
  'moco-v2': { queue: 16 },
  npid: { estimator: 'nce', noise: 32, proximal: 1 },
  'pcl-v1': { queue: 16, samplesPerPrototype: [6, 4] },
  'pcl-v2': { queue: 16, samplesPerPrototype: [6, 4] },
  swav: { prototypes: 12, queueRows: 16 },
  colorization: { pictures: 20 },
};

/** Every image-based method, on the trunk of half width and small views, each optimiser among them. */
const methodCases: readonly DeterminismCase[] = imageMethods.map(({ name }) => ({
  ...{ name, architecture: 'small-half', method: name, batchPairs: 4, share: 1, inputSize: 48 },
  optimizer: ['byol', 'swav'].includes(name) ? 'lars' : ['jigsaw', 'rotnet'].includes(name) ? 'sgd' : 'adamw',
  ...(ofFewSamples[name] ? { own: ofFewSamples[name] } : {}),
}));

/** All trainings, the heaviest last. */
export const determinismCases: readonly DeterminismCase[] = [
  { name: 'regions', architecture: 'small-half', method: 'regions', optimizer: 'adamw', batchPairs: 2, share: 0.1 },
  ...methodCases,
  ...trunkCases,
];

const samples = 24;
const videos = 6;

/** Pictures with structure: a few waves of colour, and noise. */
const picturesOf = (count: number, size: number): PixelCache =>
  pixelCacheOf(
    Array.from({ length: count }, (_, picture) => {
      const random = RandomStream.of(picture, 'determinism picture');
      const waves = Array.from({ length: 9 }, () => random.uniform(0, 0.4));
      const data = Uint8Array.from({ length: size * size * 3 }, (_, at) => {
        const [channel, x, y] = [at % 3, Math.floor(at / 3) % size, Math.floor(at / 3 / size)];
        const [a, b, c] = waves.slice(3 * channel, 3 * channel + 3) as [number, number, number];
        return Math.round(128 + 70 * Math.sin(a * x + b * y + 9 * c) + random.uniform(-30, 30));
      });
      return { width: size, height: size, channels: 3, data };
    }),
  );

/** Pairs of such pictures; two tracks of a video are seen at once in different places. */
const pairsOf = (count: number, size: number): PairCache => {
  const pixels = picturesOf(2 * count, size);
  return {
    pixels,
    keys: Array.from({ length: count }, (_, i) => `pair ${i}`),
    a: Int32Array.from({ length: count }, (_, i) => 2 * i),
    b: Int32Array.from({ length: count }, (_, i) => 2 * i + 1),
    u: new Int32Array(count).fill(-1),
    video: Int32Array.from({ length: count }, (_, i) => i % videos),
    videos: Array.from({ length: videos }, (_, i) => `video ${i}`),
    places: Float32Array.from({ length: count * placeLength }, (_, at) => placeOf(Math.floor(at / placeLength), at)),
    digest: pixels.digest,
  };
};

/** First and last frame, then both boxes: side by side, one a track. */
const placeOf = (pair: number, at: number): number =>
  [0, 30, 60 * pair, 0, 50, 50, 60 * pair, 0, 50, 50][at % placeLength]!;

const setFor = ({ learnsFrom }: Row, size: number): TrainingSet =>
  learnsFrom === 'pairs'
    ? { kind: 'pairs', cache: pairsOf(samples, size) }
    : { kind: 'images', cache: picturesOf(samples, size) };

const rowOf = (name: string): Row => {
  const image = imageMethods.find((method) => method.name === name);
  return image ? imageRow(image, 'images') : rankingRows.find((row) => row.name === name)!;
};

const optimizers: Readonly<Record<DeterminismCase['optimizer'], readonly [rate: number, () => Optimizer]>> = {
  sgd: [0.01, () => sgd({ momentum: 0.9, weightDecay: 5e-4 })],
  adamw: [1e-3, () => adamw({ weightDecay: 1e-2 })],
  lars: [0.2, () => lars({ momentum: 0.9, weightDecay: 1e-6 })],
};

/** What to train with, and the steps it takes of those asked for. */
export type BuiltCase = Omit<TrainOptions<ViewSpec>, 'length'> & {
  readonly trunk: Trunk;
  readonly length: { readonly steps: number };
};

/** Puts a case together, as the pipelines do: the same rows, sources, augmentation and rendering threads. */
export const buildCase = (asked: DeterminismCase, askedSteps: number): BuiltCase => {
  const steps = Math.max(2, Math.round(askedSteps * asked.share));
  const { architecture, method: name, batchPairs, own = {} } = asked;
  const trunk = buildTrunk(architecture, { random: RandomStream.of(1, 'trunk') });
  const inputSize = asked.inputSize ?? architectures[architecture]!.inputSize;
  const target = { ...trunk, inputSize };
  const isRegions = name === 'regions';
  const settings = { architecture, steps, batchPairs, ...(isRegions ? {} : { [name]: own }) };
  const params = pretrainParams.parse(settings) as unknown as PretrainParams;
  const row = rowOf(isRegions ? 'simclr' : name);
  const set = setFor(row, cacheSizeFor(inputSize));
  const assembled = row.training!.assemble({ params, set, target, seed: 1 });
  const [rate, optimizer] = optimizers[asked.optimizer];
  return {
    ...assembled,
    ...(isRegions ? { method: createRegions(assembled.method) as Method<ViewSpec> } : {}),
    trunk,
    optimizer: optimizer(),
    schedule: cosine(rate),
    length: { steps },
    seed: 1,
    onCollapse: 'warn',
    config: { case: asked.name },
  };
};
