import type { FeatureMatrix } from '../neighbors/feature-matrix.js';
import { shown } from './check-arguments.js';
import { checkFeatures, checkLabels } from './check-features.js';
import { featureProtocols } from './feature-protocols.js';
import { given } from './given.js';
import { ensureSetUp } from './set-up.js';
import { withIntervals } from './with-intervals.js';

/** One number that a protocol measured. */
export type Evaluation = {
  /** `knn/conv5`, `low-shot/conv5, k = 1`; of features that were given, `knn` and `low-shot, k = 1`. */
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
  /** Neighbours that vote, at most as many as there are training pictures. @default 20, or all training pictures where there are fewer */
  readonly k?: number;
  /** Temperature of their votes. @default 0.07 */
  readonly sigma?: number;
};

/** Protocols of frozen features on classes. */
export type Protocol = 'knn' | 'linear' | 'multi-layer' | 'svm' | 'low-shot';

/** Those of them that need no network: the multi-layer probe reads its layers. */
export type FeatureProtocol = Exclude<Protocol, 'multi-layer'>;

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
 * Tries features from anywhere by weighted k-NN (Wu et al. 2018), a linear classifier, SVMs and low-shot SVMs (Goyal et al. 2019), as the pipelines
 * do: all learn on the training part, the strength of a penalty is chosen there, and the test part is measured once.
 *
 * @param options.protocols @default ['knn', 'linear']
 * @throws RangeError where features and labels do not fit each other, where a value is not finite, and for a protocol that there is not
 */
export const evaluateFeatures = async (
  { train, trainLabels, test, testLabels }: LabelledSplit,
  { protocols = ['knn', 'linear'], ...knn }: KnnSettings & { readonly protocols?: readonly FeatureProtocol[] } = {},
): Promise<readonly Evaluation[]> => {
  checkProtocols(protocols);
  checkFeatures('train', train);
  checkFeatures('test', test);
  if (train.dim !== test.dim)
    throw new RangeError(`Expected \`train\` and \`test\` of the same dimension, got ${train.dim} and ${test.dim}`);
  checkLabels('trainLabels', trainLabels, train);
  checkLabels('testLabels', testLabels, test);
  await ensureSetUp();
  const classes = Math.max(classesOf(trainLabels), classesOf(testLabels));
  const split = { train, trainLabels, test, testLabels, classes };
  const settings = { k: Math.min(usualNeighbours, train.rows), ...given(knn) };
  return withIntervals(protocols.flatMap((protocol) => featureProtocols[protocol](split, settings)));
};

/** How many neighbours vote unless something else is asked for. */
export const usualNeighbours = 20;

const checkProtocols = (protocols: readonly FeatureProtocol[]): void => {
  const known = Object.keys(featureProtocols);
  const expected = `Expected \`protocols\` to be a list of ${known.join(', ')}`;
  if (!Array.isArray(protocols)) throw new RangeError(`${expected}, got ${shown(protocols)}`);
  if (protocols.length === 0) throw new RangeError(`${expected}, got none`);
  for (const protocol of protocols) {
    if (!known.includes(protocol)) throw new RangeError(`${expected}, got ${shown(protocol)}`);
  }
  if (new Set(protocols).size < protocols.length) throw new RangeError(`${expected}, each once, got one twice`);
};

/** One more than the largest label. */
const classesOf = (labels: ArrayLike<number>): number => {
  let classes = 0;
  for (let i = 0; i < labels.length; i++) classes = Math.max(classes, labels[i]! + 1);
  return classes;
};
