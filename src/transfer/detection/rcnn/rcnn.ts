import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { LoadedDetection, LoadedImage } from '../../../images/detection-dataset.js';
import type { FeatureMatrix } from '../../../neighbors/feature-matrix.js';
import { cloneTrunk } from '../../../network/clone-trunk.js';
import type { Trunk } from '../../../network/trunk.js';
import { RandomStream } from '../../../numeric/random.js';
import { takeValues } from '../../../runtime/take-values.js';
import { tf, type Tensor4D } from '../../../runtime/tensors.js';
import { checkProposals } from '../check-proposals.js';
import { detectionsOf, type DetectionOptions, type ProposalScores } from '../ensemble.js';
import { joinBoxes, matchProposals, overlapsByClass, truthBoxes } from '../match-proposals.js';
import type { Detection } from '../metrics/detections.js';
import { pictureTensor } from '../picture-tensor.js';
import type { Proposals } from '../proposals.js';
import { TensorCache } from '../tensor-cache.js';
import { fineTune, fineTuneDefaults, type FineTuneOptions, type RcnnPicture } from './fine-tune.js';
import { mineClassifiers, scoreRows, type MiningOptions, type NegativeRows } from './hard-negatives.js';
import { warpProposals } from './warp-proposals.js';

/** How R-CNN is trained and run. */
export type RcnnOptions = {
  readonly seed: number;
  /**
   * Layer whose features are classified; a map is taken cell by cell. The paper's is `fc`; with hundreds of training pictures the
   * last map is the steadier choice.
   * Layers behind it are not tuned.
   * @default 'pool5'
   */
  readonly layer?: string;
  /**
   * Proposals a training picture, the best.
   * @default 100
   */
  readonly trainProposals?: number;
  /**
   * Proposals a test picture, the best.
   * @default 200
   */
  readonly testProposals?: number;
  /** Fine-tuning of a copy of the trunk; `false` classifies features of the trunk as it is. */
  readonly fineTune?: FineTuneOptions | false;
  /** The classifiers. */
  readonly svm?: MiningOptions;
  readonly detection?: DetectionOptions;
  /**
   * Proposals a forward pass.
   * @default 100
   */
  readonly batch?: number;
  /**
   * Pictures, and again features of training pictures, kept in memory, in bytes; those beyond are computed at every reading.
   * @default 512 MiB
   */
  readonly cacheBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
};

/** What R-CNN found in the test pictures. */
export type RcnnResult = {
  readonly detections: readonly Detection[];
  /** Decision values of every proposal, by test picture; several networks' go into `ensembleDetections`. */
  readonly scores: readonly ProposalScores[];
  /** Loss of each step of fine-tuning. */
  readonly losses: readonly number[];
  /** Where it was fine-tuned, the tuned trunk, to be saved or trained on (the paper's iterative scheme); the caller disposes. */
  readonly trunk?: Trunk;
};

/** What stands where an option is not given. */
const rcnnDefaults = {
  layer: 'pool5',
  trainProposals: 100,
  testProposals: 200,
  batch: 100,
  cacheBytes: 2 ** 29,
} as const;

/** A proposal below this IoU with every object of a class is a negative of it (Girshick et al. 2014, appendix B). */
const negativeBelow = 0.3;

/** Mean length to which features are scaled for the classifiers, as released, so that a cost means the same for every network. */
const meanLength = 20;

/**
 * R-CNN (Girshick et al. 2014) as Wang & Gupta 2015 used it to measure their features: every proposal is warped to the trunk's input
 * with some context, a copy of the trunk is fine-tuned to tell classes and background apart, and its features are classified
 * by one linear SVM a class (positives the true boxes, negatives below IoU 0.3, what lies between left out); no box regression.
 * The trunk that is given stays as it is.
 *
 * @throws RangeError for options or proposals that do not fit
 */
export async function rcnn(
  trunk: Trunk,
  data: LoadedDetection,
  proposals: Proposals,
  options: RcnnOptions,
): Promise<RcnnResult> {
  const { seed, layer, trainProposals, testProposals, batch, cacheBytes, signal, onProgress } = {
    ...rcnnDefaults,
    ...options,
  };
  checkProposals(data, proposals);
  checkCounts({ trainProposals, testProposals, batch });
  if (!trunk.layers.some(({ name }) => name === layer))
    throw new RangeError(
      `Expected \`layer\` to be one of ${trunk.layers.map(({ name }) => name).join(', ')}, got \`${layer}\``,
    );
  const tuned = options.fineTune === false ? undefined : cloneTrunk(trunk);
  const network = tuned ?? trunk;
  const fineTuneOptions = { ...fineTuneDefaults, ...(options.fineTune === false ? { steps: 0 } : options.fineTune) };
  const total = fineTuneOptions.steps + data.train.length + data.test.length;
  let done = 0;
  const advance = async (): Promise<void> => {
    signal?.throwIfAborted();
    onProgress?.(++done, total);
    await yieldToEvents();
  };
  const pictures = data.train.map((image, i) => trainingPicture(image, proposals.train[i]!, trainProposals));
  const tensors = new TensorCache<Tensor4D>(cacheBytes, (i) => pictureTensor(pictures[i]!.raster, network));
  const read = (picture: () => Tensor4D, boxes: Float32Array): FeatureMatrix =>
    warpedFeatures(network, picture, boxes, layer, batch);
  try {
    const losses = await fineTune(network, pictures, data.classes.length, layer, tensors, {
      ...fineTuneOptions,
      seed,
      ...(signal ? { signal } : {}),
      onProgress: () => onProgress?.(++done, total),
    });
    const kept = new Map<number, FeatureMatrix>();
    let room = cacheBytes;
    const trainingFeatures = (i: number): FeatureMatrix => {
      const known = kept.get(i);
      if (known) return known;
      const features = read(() => tensors.read(i), pictures[i]!.boxes);
      if (features.data.byteLength <= room) {
        room -= features.data.byteLength;
        kept.set(i, features);
      }
      return features;
    };
    const lengths: number[] = [];
    const truth: Float32Array[][] = data.classes.map(() => []);
    for (const [i, picture] of pictures.entries()) {
      const { rows, dim, data: values } = trainingFeatures(i);
      const row = (at: number): Float32Array => values.subarray(at * dim, (at + 1) * dim);
      for (let at = 0; at < rows; at++) lengths.push(lengthOf(row(at)));
      picture.truth.forEach(({ label }, j) => truth[label]!.push(row(picture.proposals + j).slice()));
      await advance();
    }
    const scale = meanLength / (lengths.reduce((sum, length) => sum + length, 0) / lengths.length || 1);
    const scaled = (features: FeatureMatrix): FeatureMatrix => ({
      ...features,
      data: features.data.map((value) => value * scale),
    });
    const svms = mineClassifiers(
      truth.map((rows) => scaled(stack(rows, trainingFeatures(0).dim))),
      pictures.length,
      (i): NegativeRows => ({
        features: scaled(trainingFeatures(i)),
        negative: pictures[i]!.negative(data.classes.length),
      }),
      RandomStream.of(seed, 'rcnn', 'mining'),
      options.svm,
    );
    const scores: ProposalScores[] = [];
    for (const [i, { raster }] of data.test.entries()) {
      const boxes = joinBoxes(proposals.test[i]!, testProposals);
      const features = read(() => pictureTensor(raster, network), boxes);
      scores.push({ boxes, scores: scoreRows(scaled(features), svms) });
      await advance();
    }
    return { detections: detectionsOf(scores, options.detection), scores, losses, ...(tuned ? { trunk: tuned } : {}) };
  } catch (error) {
    tuned?.dispose();
    throw error;
  } finally {
    tensors.dispose();
  }
}

type TrainingPicture = RcnnPicture & {
  /** How many of the boxes are proposals; the true ones of `truth` stand behind them. */
  readonly proposals: number;
  readonly truth: readonly { readonly label: number }[];
  /** `[boxes, classes]`: 1 where a box may serve as negative of a class. */
  negative(classes: number): Uint8Array;
};

function trainingPicture({ raster, objects }: LoadedImage, list: Float32Array, most: number): TrainingPicture {
  const truth = objects.filter(({ difficult, crowd }) => !difficult && !crowd);
  const boxes = joinBoxes(list, most, truthBoxes(objects));
  return {
    raster,
    objects,
    boxes,
    match: matchProposals(boxes, objects),
    proposals: boxes.length / 4 - truth.length,
    truth,
    negative: (classes) =>
      Uint8Array.from(overlapsByClass(boxes, objects, classes), (iou) => Number(iou < negativeBelow)),
  };
}

const checkCounts = (values: Readonly<Record<string, number>>): void => {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`Expected \`${name}\` to be an integer from 1, got \`${value}\` (${typeof value})`);
  }
};

const lengthOf = (row: Float32Array): number => Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));

/** Features of boxes of one picture, `[n, dim]`, warped and read `batch` at a time. */
function warpedFeatures(
  trunk: Trunk,
  picture: () => Tensor4D,
  boxes: Float32Array,
  layer: string,
  batch: number,
): FeatureMatrix {
  const rows = boxes.length / 4;
  const { channels, height = 1, width = 1 } = trunk.layers.find(({ name }) => name === layer)!;
  const dim = channels * height * width;
  const data = new Float32Array(rows * dim);
  tf.tidy(() => {
    const whole = picture();
    for (let from = 0; from < rows; from += batch) {
      const part = takeValues(() => {
        const crops = warpProposals(whole, boxes.subarray(from * 4, (from + batch) * 4), trunk.inputSize);
        return trunk.features(crops, [layer], 'eval')[layer]!;
      });
      data.set(part, from * dim);
    }
  });
  return { rows, dim, data };
}

const stack = (rows: readonly Float32Array[], dim: number): FeatureMatrix => {
  const data = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => data.set(row, i * dim));
  return { rows: rows.length, dim, data };
};
