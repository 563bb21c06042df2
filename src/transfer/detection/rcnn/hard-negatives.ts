import type { FeatureMatrix } from '../../../neighbors/feature-matrix.js';
import type { RandomStream } from '../../../numeric/random.js';
import { takeValues } from '../../../runtime/take-values.js';
import { tf } from '../../../runtime/tensors.js';
import { trainLinearSvm, type LinearSvm, type LinearSvmOptions } from '../../svm/linear-svm.js';

/** How the classifiers are trained. */
export type MiningOptions = {
  /**
   * Cost of a violated margin. (Girshick et al. 2014 have 0.001 with a plain hinge, on features of a mean length of 20, as here.)
   * @default 0.001
   */
  readonly c?: number;
  /**
   * Factor on the cost of positives.
   * @default 2
   */
  readonly positiveWeight?: number;
  /**
   * Negatives a picture, at random, that the first classifiers are trained on.
   * @default 10
   */
  readonly firstNegatives?: number;
  /**
   * Passes over the pictures in search of hard negatives; ends sooner where a pass finds none.
   * @default 1
   */
  readonly passes?: number;
  /**
   * New hard negatives of a class after which it is trained again.
   * @default 2000
   */
  readonly retrainAfter?: number;
};

/** What stands where an option is not given. */
export const miningDefaults = {
  c: 0.001,
  positiveWeight: 2,
  firstNegatives: 10,
  passes: 1,
  retrainAfter: 2000,
} as const;

/** Negatives above this decision value are hard, those in the cache below the other are let go, as released. */
const [hard, easy] = [-1.0001, -1.2];

/** Value of the constant feature, as released: the bias is hardly penalised. */
const interceptScaling = 10;

/** The solution need not be exact, since the negatives change at once. */
const tolerance = 1e-3;

/** Training rows of one picture: features of proposals `[n, dim]`, and whether each may serve as negative of each class, `[n, classes]`. */
export type NegativeRows = { readonly features: FeatureMatrix; readonly negative: Uint8Array };

/** The training rows of one class that were found so far. */
type ClassCache = { rows: Float32Array[]; fresh: number; readonly seen: Set<number>; svm?: LinearSvm };

/**
 * Trains one linear SVM a class, one against the rest, with hard negative mining (Girshick et al. 2014, section 2.3, after
 * Felzenszwalb et al. 2010): positives are the true boxes of the class; first negatives are drawn from every picture, then all
 * pictures are searched for negatives that score above -1, the classifier is trained again on them, and negatives that have become
 * easy are let go. Only the cached negatives are in memory. A class without positives gets weights of zero and the bias -1.
 *
 * @param positives features of each class's true boxes, `[n, dim]`
 * @param pictures how many there are
 * @param read the rows of a picture; called once a pass and once before
 */
export function mineClassifiers(
  positives: readonly FeatureMatrix[],
  pictures: number,
  read: (picture: number) => NegativeRows,
  random: RandomStream,
  options: MiningOptions = {},
): Pick<LinearSvm, 'weights' | 'bias'>[] {
  const { c, positiveWeight, firstNegatives, passes, retrainAfter } = { ...miningDefaults, ...options };
  const { dim } = positives[0]!;
  const settings = { c, positiveWeight, interceptScaling, tolerance };
  const caches = positives.map((): ClassCache => ({ rows: [], fresh: 0, seen: new Set() }));
  const add = (label: number, picture: number, row: number, { features }: NegativeRows): void => {
    const cache = caches[label]!;
    const key = picture * 2 ** 20 + row;
    if (cache.seen.has(key)) return;
    cache.seen.add(key);
    cache.rows.push(features.data.slice(row * dim, (row + 1) * dim));
    cache.fresh++;
  };
  const trainClass = (label: number): void => {
    const cache = caches[label]!;
    if (positives[label]!.rows === 0 || cache.rows.length === 0 || cache.fresh === 0) return;
    cache.svm = trainOn(positives[label]!, cache, settings);
    cache.rows = cache.rows.filter((row) => decide(cache.svm!, row) >= easy);
    cache.fresh = 0;
  };
  const trainAll = (): void => caches.forEach((_, label) => trainClass(label));

  for (let picture = 0; picture < pictures; picture++) {
    const rows = read(picture);
    const order = random.sample(rows.features.rows, Math.min(rows.features.rows, firstNegatives));
    caches.forEach((_, label) => {
      for (const row of order) if (rows.negative[row * caches.length + label]) add(label, picture, row, rows);
    });
  }
  trainAll();
  for (let pass = 0; pass < passes; pass++) {
    for (let picture = 0; picture < pictures; picture++) {
      const rows = read(picture);
      const scores = scoreRows(
        rows.features,
        caches.map(({ svm }) => svm ?? never(dim)),
      );
      caches.forEach((cache, label) => {
        for (let row = 0; row < rows.features.rows; row++) {
          const at = row * caches.length + label;
          if (rows.negative[at] && scores[at]! > hard) add(label, picture, row, rows);
        }
        if (cache.fresh >= retrainAfter) trainClass(label);
      });
    }
    if (caches.every(({ fresh }) => fresh === 0)) break;
    trainAll();
  }
  return caches.map(({ svm }) => svm ?? never(dim));
}

/** What says no to everything. */
const never = (dim: number): Pick<LinearSvm, 'weights' | 'bias'> => ({ weights: new Float64Array(dim), bias: -1 });

const trainOn = (positives: FeatureMatrix, { rows, svm }: ClassCache, settings: LinearSvmOptions): LinearSvm => {
  const { dim } = positives;
  const count = positives.rows + rows.length;
  const data = new Float32Array(count * dim);
  data.set(positives.data);
  rows.forEach((row, i) => data.set(row, (positives.rows + i) * dim));
  const labels = new Int8Array(count).fill(-1).fill(1, 0, positives.rows);
  return trainLinearSvm({ rows: count, dim, data }, labels, svm ? { ...settings, start: svm } : settings);
};

const decide = ({ weights, bias }: LinearSvm, row: Float32Array): number => {
  let sum = bias;
  for (let j = 0; j < row.length; j++) sum += row[j]! * weights[j]!;
  return sum;
};

/** Decision values of rows for all classes, `[rows, classes]`. */
export function scoreRows(features: FeatureMatrix, svms: readonly Pick<LinearSvm, 'weights' | 'bias'>[]): Float32Array {
  const { rows, dim, data } = features;
  if (rows === 0) return new Float32Array();
  const weights = new Float32Array(dim * svms.length);
  svms.forEach((svm, label) => svm.weights.forEach((value, j) => (weights[j * svms.length + label] = value)));
  return takeValues(() => {
    const product = tf.matMul(tf.tensor2d(data, [rows, dim]), tf.tensor2d(weights, [dim, svms.length]));
    return tf.add(product, tf.tensor1d(svms.map(({ bias }) => bias)));
  });
}
