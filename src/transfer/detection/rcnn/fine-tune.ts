import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { DetectionObject } from '../../../images/detection-dataset.js';
import type { Trunk } from '../../../network/trunk.js';
import { RandomStream } from '../../../numeric/random.js';
import type { Raster } from '../../../numeric/raster.js';
import { biasAdd } from '../../../runtime/ops/bias-add.js';
import { softmaxCrossEntropy } from '../../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Scalar, type Tensor2D, type Tensor4D, type Variable } from '../../../runtime/tensors.js';
import { gradientsByName, type VariableRule } from '../../../training/optimizer.js';
import { stepwise } from '../../../training/schedule.js';
import { sgd } from '../../../training/sgd.js';
import type { ProposalMatch } from '../match-proposals.js';
import type { TensorCache } from '../tensor-cache.js';
import { warpProposals } from './warp-proposals.js';

/** A training picture of R-CNN: proposals and truth boxes `[n, 4]`, and how they lie on its objects. */
export type RcnnPicture = {
  readonly raster: Raster;
  readonly objects: readonly DetectionObject[];
  readonly boxes: Float32Array;
  readonly match: ProposalMatch;
};

/** How a trunk is fine-tuned on warped proposals. */
export type FineTuneOptions = {
  /** @default 50 */
  readonly steps?: number;
  /**
   * Proposals on objects a step; the paper's ratio is 32 to 96.
   * @default 16
   */
  readonly positives?: number;
  /**
   * Proposals beside objects a step.
   * @default 48
   */
  readonly negatives?: number;
  /**
   * Learning rate of the trunk; a tenth of it for the last quarter.
   * @default 0.005
   */
  readonly rate?: number;
  /**
   * What that is multiplied with for the new classifier.
   * @default 10
   */
  readonly classifierRate?: number;
  /** @default 0.0005 */
  readonly weightDecay?: number;
};

/** What stands where an option is not given. */
export const fineTuneDefaults = {
  steps: 50,
  positives: 16,
  negatives: 48,
  rate: 0.005,
  classifierRate: 10,
  weightDecay: 0.0005,
} as const;

const momentum = 0.9;

/** Mean length to which the first batch's features are scaled before the classifier, so that one rate serves every network and layer. */
const featureLength = 10;

/** A proposal of a picture, and its class. */
type Example = { readonly picture: number; readonly row: number; readonly label: number };

/**
 * Fine-tunes a trunk in place for telling classes and background apart on warped proposals (Girshick et al. 2014, section 2.3 and
 * appendix B): on an object from IoU 0.5, background below; `positives` and `negatives` a step, drawn over all pictures, every
 * other one mirrored; batch-norm statistics are held. The classifier on top, `N(0, 0.01^2)`, is thrown away. Returns the loss of
 * each step.
 *
 * @param layer whose features the classifier reads
 * @param pictureTensors pictures as the trunk wants them, by their number
 */
export async function fineTune(
  trunk: Trunk,
  pictures: readonly RcnnPicture[],
  classes: number,
  layer: string,
  pictureTensors: TensorCache<Tensor4D>,
  options: FineTuneOptions & {
    readonly seed: number;
    readonly signal?: AbortSignal;
    readonly onProgress?: (done: number, total: number) => void;
  },
): Promise<number[]> {
  const { seed, steps, positives, negatives, rate, classifierRate, weightDecay, signal, onProgress } = {
    ...fineTuneDefaults,
    ...options,
  };
  if (steps === 0) return [];
  const [onObjects, background] = examplesOf(pictures, classes);
  const nextPositive = endless(onObjects, RandomStream.of(seed, 'rcnn', 'positives'));
  const nextNegative = endless(background, RandomStream.of(seed, 'rcnn', 'negatives'));
  const { channels, height = 1, width = 1 } = trunk.layers.find(({ name }) => name === layer)!;
  const classifier = createClassifier(
    channels * height * width,
    classes + 1,
    RandomStream.of(seed, 'rcnn', 'classifier'),
  );
  const variables = new Map<string, Variable>([...trunk.variables, ...classifier.variables]);
  const rules = new Map<string, VariableRule>();
  for (const [name, variable] of variables)
    rules.set(name, { rate: classifier.variables.has(name) ? classifierRate : 1, decay: variable.rank > 1 ? 1 : 0 });
  const optimizer = sgd({ momentum, weightDecay });
  const state = optimizer.init(variables);
  const schedule = stepwise(rate, { at: [0.75] });
  const losses: number[] = [];
  let scale: number | undefined;
  try {
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const batch = [
        ...Array.from({ length: positives }, nextPositive),
        ...Array.from({ length: negatives }, nextNegative),
      ];
      const random = RandomStream.of(seed, 'rcnn', 'flips', step);
      losses.push(
        tf.tidy(() => {
          const crops = tf.concat4d(
            batch.map(({ picture, row }) => {
              const flip = random.chance(0.5);
              const box = pictures[picture]!.boxes.slice(row * 4, row * 4 + 4);
              return warpProposals(pictureTensors.read(picture), box, trunk.inputSize, () => flip);
            }),
            0,
          );
          const labels = tf.tensor1d(
            Int32Array.from(batch, ({ label }) => label),
            'int32',
          );
          const read = (): Tensor2D =>
            trunk.features(crops, [layer], 'eval')[layer]!.reshape<Tensor2D>([batch.length, -1]);
          const factor = (scale ??= featureLength / (meanLength(read()) || 1));
          const { value, grads } = tf.variableGrads(() => {
            const logits = classifier.apply(tf.mul(read(), factor));
            return tf.mean(softmaxCrossEntropy(logits, labels)) as Scalar;
          }, [...variables.values()]);
          optimizer.update(state, variables, gradientsByName(variables, grads), schedule.rate(step, steps), rules);
          return value.dataSync()[0]!;
        }),
      );
      onProgress?.(step + 1, steps);
      await yieldToEvents();
    }
  } finally {
    tf.dispose([...state.slots.values(), ...classifier.variables.values()]);
  }
  return losses;
}

/** All proposals on objects, and all beside them. */
function examplesOf(pictures: readonly RcnnPicture[], classes: number): [Example[], Example[]] {
  const onObjects: Example[] = [];
  const background: Example[] = [];
  pictures.forEach(({ objects, match: { overlap, object, ignored } }, picture) => {
    overlap.forEach((iou, row) => {
      if (ignored[row]) return;
      if (iou >= 0.5) onObjects.push({ picture, row, label: objects[object[row]!]!.label });
      else background.push({ picture, row, label: classes });
    });
  });
  if (onObjects.length === 0 || background.length === 0)
    throw new RangeError(
      `Expected training proposals on objects and beside them, got ${onObjects.length} and ${background.length}`,
    );
  return [onObjects, background];
}

/** Gives examples in random order, each once before any comes again. */
function endless(examples: readonly Example[], random: RandomStream): () => Example {
  let round: Example[] = [];
  return () => {
    if (round.length === 0) round = random.shuffle([...examples]);
    return round.pop()!;
  };
}

const meanLength = (rows: Tensor2D): number => tf.tidy(() => tf.mean(tf.norm(rows, 2, 1)).dataSync()[0]!);

function createClassifier(dim: number, outputs: number, random: RandomStream) {
  const weight = tf.tidy(() => {
    const values = Float32Array.from({ length: dim * outputs }, () => random.normal(0, 0.01));
    return tf.variable(tf.tensor2d(values, [dim, outputs]));
  });
  const bias = tf.tidy(() => tf.variable(tf.zeros([outputs])));
  return {
    variables: new Map<string, Variable>([
      ['classifier.weight', weight],
      ['classifier.bias', bias],
    ]),
    apply: (features: Tensor2D): Tensor2D => biasAdd(tf.matMul(features, weight as unknown as Tensor2D), bias),
  };
}
