import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { DetectionObject, LoadedImage } from '../../../images/detection-dataset.js';
import type { Trunk } from '../../../network/trunk.js';
import { RandomStream } from '../../../numeric/random.js';
import type { Raster } from '../../../numeric/raster.js';
import { softmaxCrossEntropy } from '../../../runtime/ops/softmax-cross-entropy.js';
import { takeAllValues } from '../../../runtime/take-values.js';
import { tf, type Scalar, type Tensor2D, type Tensor4D, type Variable } from '../../../runtime/tensors.js';
import { gradientsByName, type VariableRule } from '../../../training/optimizer.js';
import { stepwise } from '../../../training/schedule.js';
import { sgd } from '../../../training/sgd.js';
import type { ProposalScores } from '../ensemble.js';
import { joinBoxes, matchProposals, truthBoxes, type ProposalMatch } from '../match-proposals.js';
import { flipBoxes, pictureScale, pictureTensor } from '../picture-tensor.js';
import { TensorCache } from '../tensor-cache.js';
import { boxLoss, decodeBoxes } from './box-regression.js';
import { createHead, measureScale, type DetectionHead, type FeatureScale } from './head.js';
import { roiFeatures, spatialLayer, type RoiPooling, type SpatialLayer } from './roi-features.js';
import { sampleRois, type SampledRois } from './sample-rois.js';

/** How Fast R-CNN is trained and run. */
export type FastRcnnOptions = {
  readonly seed: number;
  /**
   * `frozen`: the trunk stays as it is, its maps are computed once and only the head learns (Goyal et al. 2019). `finetune`: a copy
   * of the trunk learns with it, its batch-norm statistics held.
   * @default 'frozen'
   */
  readonly mode?: 'frozen' | 'finetune';
  /**
   * Layer with a map that regions are read from.
   * @default 'conv4'
   */
  readonly layer?: string;
  /**
   * Pictures are scaled so that their long side has this many pixels.
   * @default 320
   */
  readonly longSidePx?: number;
  /** @default 'align' */
  readonly pooling?: RoiPooling;
  /**
   * Cells along each side of a region.
   * @default 4
   */
  readonly bins?: number;
  /**
   * Values of the head's hidden layer.
   * @default 256
   */
  readonly hidden?: number;
  /**
   * Whether the head also moves boxes, class by class.
   * @default true
   */
  readonly boxRegression?: boolean;
  /**
   * Proposals a picture, the best.
   * @default 200
   */
  readonly maxProposals?: number;
  /**
   * Whether the true boxes stand beside the proposals in training.
   * @default true
   */
  readonly truthRois?: boolean;
  /**
   * Whether each training picture is mirrored every other time.
   * @default true
   */
  readonly flip?: boolean;
  /** @default 400 */
  readonly steps?: number;
  /** @default 2 */
  readonly picturesPerStep?: number;
  /** @default 64 */
  readonly roisPerPicture?: number;
  /**
   * Learning rate of the head; a tenth of it for the last quarter.
   * @default 0.01
   */
  readonly rate?: number;
  /**
   * What that is multiplied with for the trunk.
   * @default 0.1
   */
  readonly trunkRate?: number;
  /** @default 0.0005 */
  readonly weightDecay?: number;
  /**
   * Maps of training pictures kept in memory, in bytes; those beyond are computed at every reading.
   * @default 512 MiB
   */
  readonly cacheBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
};

/** What stands where an option is not given. */
export const fastRcnnDefaults = {
  mode: 'frozen',
  layer: 'conv4',
  longSidePx: 320,
  pooling: 'align',
  bins: 4,
  hidden: 256,
  boxRegression: true,
  maxProposals: 200,
  truthRois: true,
  flip: true,
  steps: 400,
  picturesPerStep: 2,
  roisPerPicture: 64,
  rate: 0.01,
  trunkRate: 0.1,
  weightDecay: 0.0005,
  cacheBytes: 2 ** 29,
} as const;

/** A trained detector. */
export type FastRcnnModel = {
  /** Loss of each step. */
  readonly losses: readonly number[];
  /** Scores the first `maxProposals` proposals (`[n, 4]`) of a picture. */
  score(raster: Raster, proposals: Float32Array): ProposalScores;
  /** Frees the head; the trunk is its owner's. */
  dispose(): void;
};

/** Options with their defaults, the layer that is read, and the trunk. */
type Setting = Required<Omit<FastRcnnOptions, 'signal' | 'onProgress' | 'layer'>> & {
  readonly trunk: Trunk;
  readonly layer: SpatialLayer;
};

/** A training picture with what may be drawn from it. */
type TrainingPicture = {
  readonly raster: Raster;
  readonly objects: readonly DetectionObject[];
  readonly boxes: Float32Array;
  readonly match: ProposalMatch;
};

const momentum = 0.9;

/**
 * Trains a detector on pictures with their proposals. Each step draws `picturesPerStep` pictures (every picture once before any
 * comes again) and `roisPerPicture` of their regions, and follows the gradient of the mean cross-entropy plus the box loss.
 * With `finetune` the trunk that is given is itself trained.
 */
export async function trainFastRcnn(
  trunk: Trunk,
  images: readonly LoadedImage[],
  classes: number,
  proposals: readonly Float32Array[],
  options: FastRcnnOptions,
): Promise<FastRcnnModel> {
  const { signal, onProgress, layer, ...settings } = { ...fastRcnnDefaults, ...options };
  const setting: Setting = { ...settings, trunk, layer: spatialLayer(trunk, layer) };
  checkCounts(setting);
  const { seed, steps, mode, picturesPerStep } = setting;
  const stream = (...labels: (string | number)[]): RandomStream => RandomStream.of(seed, 'fast-rcnn', ...labels);
  const pictures = images.map((image, i) => trainingPicture(image, proposals[i]!, setting));
  // Even places hold a picture as it is, odd ones its mirror image.
  const maps = new TensorCache(setting.cacheBytes, (place) => {
    const { raster } = pictures[Math.floor(place / 2)]!;
    return readMap(setting, raster, place % 2 === 1);
  });
  const read = ({ picture, flip, boxes }: Draw): Tensor2D => {
    const { raster } = pictures[picture]!;
    const map = mode === 'frozen' ? maps.read(picture * 2 + Number(flip)) : readMap(setting, raster, flip);
    return readRegions(setting, map, raster, boxes);
  };
  const head = createHead({
    ...setting,
    dim: setting.layer.channels * setting.bins ** 2,
    classes,
    scale: featureScale(setting, pictures, read, stream('scale')),
    random: stream('head'),
  });
  const learner = createLearner(setting, head);
  const next = pictureOrder(pictures, stream('order'));
  const losses: number[] = [];
  try {
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const random = stream('step', step);
      const draws = Array.from({ length: picturesPerStep }, () => drawRegions(setting, pictures, next(), random));
      losses.push(learner.step(step, () => tf.concat2d(draws.map(read), 0), draws));
      onProgress?.(step + 1, steps);
      await yieldToEvents();
    }
  } catch (error) {
    head.dispose();
    throw error;
  } finally {
    maps.dispose();
    learner.dispose();
  }
  return {
    losses,
    score: (raster, list) => scorePicture(setting, head, raster, joinBoxes(list, setting.maxProposals)),
    dispose: () => head.dispose(),
  };
}

/** Options that must be whole numbers above 0. */
const counts = ['longSidePx', 'bins', 'hidden', 'maxProposals', 'steps', 'picturesPerStep', 'roisPerPicture'] as const;

const checkCounts = (setting: Setting): void => {
  for (const name of counts) {
    const value = setting[name];
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`Expected \`${name}\` to be an integer from 1, got \`${value}\` (${typeof value})`);
  }
};

const trainingPicture = (
  { raster, objects }: LoadedImage,
  proposals: Float32Array,
  { maxProposals, truthRois }: Setting,
): TrainingPicture => {
  const boxes = joinBoxes(proposals, maxProposals, truthRois ? truthBoxes(objects) : undefined);
  return { raster, objects, boxes, match: matchProposals(boxes, objects) };
};

/** The map of one picture, `[1, height, width, channels]`. */
const readMap = ({ trunk, layer, longSidePx }: Setting, raster: Raster, flip: boolean): Tensor4D =>
  tf.tidy(
    () =>
      trunk.features(pictureTensor(raster, trunk, { longSidePx, flip }), [layer.name], 'eval')[layer.name] as Tensor4D,
  );

const readRegions = (setting: Setting, map: Tensor4D, raster: Raster, boxes: Float32Array): Tensor2D =>
  roiFeatures(map, boxes, pictureScale(raster, setting.longSidePx), setting.layer, setting.pooling, setting.bins);

/** Regions of one picture, drawn for a step; boxes are those of the mirror image where `flip`. */
type Draw = SampledRois & { readonly picture: number; readonly flip: boolean };

const drawRegions = (
  { flip: flips, roisPerPicture }: Setting,
  pictures: readonly TrainingPicture[],
  picture: number,
  random: RandomStream,
): Draw => {
  const { raster, objects, boxes, match } = pictures[picture]!;
  const flip = flips && random.chance(0.5);
  const sampled = flip
    ? sampleRois(flipBoxes(boxes, raster.width), match, flipObjects(objects, raster.width), random, {
        count: roisPerPicture,
      })
    : sampleRois(boxes, match, objects, random, { count: roisPerPicture });
  return { ...sampled, picture, flip };
};

const flipObjects = (objects: readonly DetectionObject[], width: number): DetectionObject[] =>
  objects.map((object) => ({ ...object, box: { ...object.box, x: width - object.box.x - object.box.width } }));

/** Gives picture numbers, each once before any comes again; pictures without a region to draw never. */
function pictureOrder(pictures: readonly TrainingPicture[], random: RandomStream): () => number {
  const usable = pictures.flatMap(({ match }, i) => (match.ignored.some((ignored) => !ignored) ? [i] : []));
  if (usable.length === 0) throw new RangeError('Expected training pictures with regions to learn from, got none');
  let round: number[] = [];
  return () => {
    if (round.length === 0) round = random.shuffle([...usable]);
    return round.pop()!;
  };
}

/** Pictures whose regions' features give the scale of the head's input. */
const scalePictures = 32;

/** Mean and spread of region features, over draws from the first pictures of a random order. */
function featureScale(
  setting: Setting,
  pictures: readonly TrainingPicture[],
  read: (draw: Draw) => Tensor2D,
  random: RandomStream,
): FeatureScale {
  const next = pictureOrder(pictures, random);
  const features = tf.tidy(() => {
    const parts = Array.from({ length: Math.min(scalePictures, pictures.length) }, () =>
      read(drawRegions({ ...setting, flip: false }, pictures, next(), random)),
    );
    return tf.concat2d(parts, 0);
  });
  const scale = measureScale(features, setting.layer.channels);
  features.dispose();
  return scale;
}

/** The trained variables and how they move. */
function createLearner({ mode, trunk, rate, trunkRate, weightDecay, steps }: Setting, head: DetectionHead) {
  const parts = { head: head.variables, ...(mode === 'finetune' ? { trunk: trunk.variables } : {}) };
  const variables = new Map<string, Variable>();
  const rules = new Map<string, VariableRule>();
  for (const [part, members] of Object.entries(parts)) {
    for (const [name, variable] of members) {
      variables.set(`${part}.${name}`, variable);
      // Biases and batch norm's own weights do not decay.
      rules.set(`${part}.${name}`, { rate: part === 'head' ? 1 : trunkRate, decay: variable.rank > 1 ? 1 : 0 });
    }
  }
  const optimizer = sgd({ momentum, weightDecay });
  const state = optimizer.init(variables);
  const schedule = stepwise(rate, { at: [0.75] });
  return {
    /** One step; returns its loss. */
    step: (step: number, read: () => Tensor2D, draws: readonly Draw[]): number =>
      tf.tidy(() => {
        // Frozen features are constants: the tape need not see how they came about.
        const frozen = mode === 'frozen' ? read() : undefined;
        const { value, grads } = tf.variableGrads(() => lossOf(head, frozen ?? read(), draws), [...variables.values()]);
        optimizer.update(state, variables, gradientsByName(variables, grads), schedule.rate(step, steps), rules);
        return value.dataSync()[0]!;
      }),
    dispose: () => tf.dispose([...state.slots.values()]),
  };
}

/** Mean cross-entropy of classes and background, plus the box loss. */
function lossOf(head: DetectionHead, features: Tensor2D, draws: readonly SampledRois[]): Scalar {
  const { logits, deltas } = head.apply(features);
  const labels = Int32Array.from(draws.flatMap((draw) => [...draw.labels]));
  const background = logits.shape[1] - 1;
  const goals = tf.tensor1d(
    labels.map((label) => (label < 0 ? background : label)),
    'int32',
  );
  const loss = tf.mean(softmaxCrossEntropy(logits, goals)) as Scalar;
  if (!deltas) return loss;
  const targets = Float32Array.from(draws.flatMap((draw) => [...draw.targets]));
  return tf.add(loss, boxLoss(deltas, labels, targets));
}

function scorePicture(setting: Setting, head: DetectionHead, raster: Raster, boxes: Float32Array): ProposalScores {
  const count = boxes.length / 4;
  if (count === 0) return { boxes, scores: new Float32Array() };
  const [probabilities, deltas] = takeAllValues(() => {
    const read = head.apply(readRegions(setting, readMap(setting, raster, false), raster, boxes));
    const classes = read.logits.shape[1] - 1;
    const scores = tf.slice2d(tf.softmax(read.logits), [0, 0], [count, classes]);
    return read.deltas ? [scores, read.deltas] : [scores];
  });
  if (!deltas) return { boxes, scores: probabilities };
  return { boxes, scores: probabilities, regressed: decodeBoxes(boxes, deltas, raster.width, raster.height) };
}
