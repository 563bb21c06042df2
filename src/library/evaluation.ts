import type { FeatureMatrix } from '../neighbors/feature-matrix.js';
import { evaluateKnn } from '../transfer/knn/weighted-knn.js';
import { evaluateLinear } from '../transfer/linear/logistic-regression.js';
import { top1 } from '../transfer/metric.js';
import { given } from './given.js';
import { ensureSetUp } from './set-up.js';
import { withIntervals } from './with-intervals.js';

/** One number that a protocol measured. */
export type Evaluation = {
  /** `knn/conv5`, `linear/conv5`; of features that were given, `knn` and `linear`. */
  readonly protocol: string;
  /** `top1`, `mAP`: in percent, more is better. */
  readonly metric: string;
  readonly value: number;
  /**
   * 95 % interval over the test pictures, lower end first: what other pictures would give, not what another training would. Absent where there are
   * too few of them to say.
   */
  readonly interval?: readonly [number, number];
  /** Pictures it was measured on. */
  readonly pictures: number;
};

/** Settings of weighted k-NN. */
export type KnnSettings = {
  /** Neighbours that vote. @default 20 */
  readonly k?: number;
  /** Temperature of their votes. @default 0.07 */
  readonly sigma?: number;
};

/** Protocols of frozen features on classes. */
export type Protocol = 'knn' | 'linear' | 'multi-layer' | 'svm' | 'low-shot';

/** How a network is tried on a folder of classes; the defaults are those of the pipelines. */
export type EvaluateOptions = KnnSettings & {
  /** @default ['knn', 'linear'] */
  readonly protocols?: readonly Protocol[];
  /** Layers that k-NN and linear read; the last also SVM and low-shot. @default ['conv5'] */
  readonly layers?: readonly string[];
  /** Maps are averaged to this many cells a side. @default 2 */
  readonly pool?: number;
  /** Side to which pictures are decoded (`targets.imagePx` of a run). @default 96 */
  readonly px?: number;
  /** Test part, where the folder names none. @default 0.4 */
  readonly testShare?: number;
  /** At most so many pictures a class, drawn. @default all */
  readonly trainPerClass?: number;
  readonly testPerClass?: number;
  /** Of what protocols draw (multi-layer). @default 1 */
  readonly seed?: number;
  readonly signal?: AbortSignal;
};

/** Features of labelled pictures, split into a training and a test part. */
export type LabelledSplit = {
  readonly train: FeatureMatrix;
  /** Class of each row, from 0. */
  readonly trainLabels: ArrayLike<number>;
  readonly test: FeatureMatrix;
  readonly testLabels: ArrayLike<number>;
};

/**
 * Tries features from anywhere by weighted k-NN (Wu et al. 2018) and a linear classifier, as the pipelines do: both learn on the training
 * part, the strength of the classifier's penalty is chosen there, and the test part is measured once.
 *
 * @throws RangeError where features and labels do not fit each other
 */
export const evaluateFeatures = async (
  { train, trainLabels, test, testLabels }: LabelledSplit,
  { protocols = ['knn', 'linear'], ...knn }: KnnSettings & { readonly protocols?: readonly ('knn' | 'linear')[] } = {},
): Promise<readonly Evaluation[]> => {
  checkLabels('trainLabels', trainLabels, train);
  checkLabels('testLabels', testLabels, test);
  await ensureSetUp();
  const classes = Math.max(classesOf(trainLabels), classesOf(testLabels));
  const split = { train, trainLabels, test, testLabels, classes };
  const measured = protocols.map((protocol) => {
    const { top1: value, images } = protocol === 'knn' ? evaluateKnn(split, given(knn)) : evaluateLinear(split);
    return { protocol, metric: top1.name, value, scores: images };
  });
  return withIntervals(measured);
};

/** One more than the largest label. */
const classesOf = (labels: ArrayLike<number>): number => {
  let classes = 0;
  for (let i = 0; i < labels.length; i++) classes = Math.max(classes, labels[i]! + 1);
  return classes;
};

const checkLabels = (name: string, labels: ArrayLike<number>, { rows }: FeatureMatrix): void => {
  if (labels.length !== rows)
    throw new RangeError(`Expected \`${name}\` to have one label a row (${rows}), got ${labels.length}`);
  for (let i = 0; i < labels.length; i++) {
    if (!Number.isInteger(labels[i]) || labels[i]! < 0)
      throw new RangeError(`Expected \`${name}\` to be integers from 0, got \`${labels[i]}\` at ${i}`);
  }
};
