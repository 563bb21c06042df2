import {
  augmentationPolicies,
  drawAugmentation,
  type AugmentationName,
  type ViewSpec,
} from '../../images/augmentation.js';
import type { LoadedClasses } from '../../images/class-dataset.js';
import { openImageSource } from '../../images/pair-source.js';
import { renderPlain } from '../../images/render-views.js';
import { reestimateBatchNorm } from '../../network/batch-norm-statistics.js';
import type { Trunk } from '../../network/trunk.js';
import { RandomStream } from '../../numeric/random.js';
import type { Progress } from '../../pipeline/stage.js';
import type { Tensor4D } from '../../runtime/tensors.js';
import { adamw } from '../../training/adamw.js';
import { cosine, warmUp } from '../../training/schedule.js';
import { train, type TrainResult } from '../../training/train.js';
import { createSoftmaxClassifier } from './softmax-classifier.js';

/** How the supervised control is trained. */
export type SupervisedOptions = {
  readonly seed: number;
  /** Optimiser steps. @default 200 */
  readonly steps?: number;
  /** Pictures a step, at most those there are. @default 64 */
  readonly batch?: number;
  /** @default 'full' */
  readonly augmentation?: AugmentationName;
  /** At its height; half a cosine wave follows a warm-up of a twentieth of the steps. @default 1e-3 */
  readonly learningRate?: number;
  /** AdamW's. @default 1e-2 */
  readonly weightDecay?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly log?: (line: string) => void;
};

/**
 * The control `supervised`: trains a trunk on the labels of the target's own training part, from the weights that it has (random
 * ones: from scratch), by the project's one training loop. Afterwards it is read by the same protocols as every other network.
 * Its test part is not touched. Batch-norm statistics are those of the training pictures without augmentation.
 *
 * The defaults were set for 26 classes of Caltech-101 with 650 training pictures, the target that was developed on: 200 steps of 64
 * are some twenty times through them, and about a quarter of the pictures that the small preset's pre-training draws, so that the
 * control costs less than what it stands beside. They are no optimum: more steps may well give a stronger control.
 */
export const trainSupervised = async (
  trunk: Trunk,
  target: LoadedClasses,
  options: SupervisedOptions,
): Promise<TrainResult> => {
  const { seed, steps = 200, batch = 64, augmentation = 'full', learningRate = 1e-3, weightDecay = 1e-2 } = options;
  const { signal, onProgress, log } = options;
  const policy = augmentationPolicies[augmentation];
  const method = createSoftmaxClassifier<ViewSpec>({
    drawView: (end, random) => ({ end, augmentation: drawAugmentation(policy, random) }),
    labels: target.trainLabels,
    classes: target.classes.length,
  });
  const source = openImageSource(target.train, { target: trunk });
  try {
    const result = await train<ViewSpec>({
      method,
      source,
      trunk,
      optimizer: adamw({ weightDecay }),
      schedule: warmUp(Math.round(steps / 20), cosine(learningRate)),
      length: { steps },
      batchSize: Math.min(batch, source.length),
      seed,
      ...(signal ? { signal } : {}),
      ...(onProgress ? { onProgress } : {}),
      ...(log ? { log } : {}),
    });
    reestimateBatchNorm(trunk, plainBatches(trunk, target, RandomStream.of(seed, 'statistics')));
    return result;
  } finally {
    method.dispose();
  }
};

const plainBatches = function* (trunk: Trunk, { train }: LoadedClasses, random: RandomStream): Generator<Tensor4D> {
  const order = random.sample(train.count, Math.min(1024, train.count));
  for (let from = 0; from + 1 < order.length; from += 128)
    yield renderPlain(train, order.slice(from, from + 128), trunk);
};
