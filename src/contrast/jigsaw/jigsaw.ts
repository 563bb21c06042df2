import { buildHead, type Head } from '../../network/head.js';
import { batchNorm, linear, relu } from '../../network/layers.js';
import type { Trunk } from '../../network/trunk.js';
import { RandomStream } from '../../numeric/random.js';
import { softmaxCrossEntropy } from '../../runtime/ops/softmax-cross-entropy.js';
import { tf, type Scalar, type Tensor1D, type Tensor2D, type Tensor4D, type Variable } from '../../runtime/tensors.js';
import type { Batch, Method, StepResult } from '../../training/method.js';
import { assignNamedArrays, namedArraysOf } from '../../training/named-arrays.js';
import { accuracy } from '../accuracy.js';
import { representationDim } from '../encoder.js';
import { cutGrid } from '../patch-grid.js';
import { lastMap, unitMean } from '../pooled-map.js';
import { drawViews, type DrawView } from '../views.js';
import { permutationSet, type PermutationCriterion } from './permutations.js';
import { normalisePatches, shufflePatches } from './puzzle.js';

/** Parameters of the jigsaw puzzle. */
export type JigsawOptions<V> = {
  /** Draws the one view of a sample, the picture that is cut up. */
  readonly drawView: DrawView<V>;
  /** Permutations to tell apart, |P|. Papers: 100 to 10 000. @default 100 */
  readonly permutations?: number;
  /** How they are chosen. @default 'mean' */
  readonly criterion?: PermutationCriterion;
  /** Their seed: a set is a function of size, criterion and seed. @default 0 */
  readonly permutationSeed?: number;
  /** Cells a side; 2 or 3. @default 3 */
  readonly cells?: number;
  /** Side of a patch, px. @default 32, a third of the small trunk's input */
  readonly patch?: number;
  /** Px by which a patch lies anywhere in its cell, so that edges do not continue from one patch to the next. @default 10 */
  readonly jitter?: number;
  /** Whether each patch is brought to mean 0 and deviation 1. @default true */
  readonly normalise?: boolean;
  /** Width of what is kept of a patch before the patches are put together; 1000 in VISSL, at 2048 features. @default 64 */
  readonly patchDim?: number;
};

/** Cross-entropy of telling which permutation it was, the mean over pictures; `ln |P|` for equal logits. */
export const jigsawLoss = (logits: Tensor2D, permutations: Tensor1D): Scalar =>
  tf.tidy(() => tf.mean(softmaxCrossEntropy(logits, permutations)));

const check = (name: string, value: number, least: number): void => {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(
    `Expected \`${name}\` to be a whole number of at least ${least}, got \`${value}\` (${typeof value})`,
  );
};

type Parts = {
  readonly trunk: Trunk;
  readonly orders: readonly Uint8Array[];
  /** From the features of a patch to a row; the same for all places. */
  readonly tower: Head;
  /** From the rows of all places to the logits. */
  readonly classifier: Head;
};

/**
 * Jigsaw puzzles (Noroozi & Favaro 2016, as Goyal et al. 2019 train them): a picture is cut into 3 x 3 patches, which are shown in the
 * order of one of |P| permutations; each goes through the same network, and from all nine together it says which permutation it was.
 * To do so it must know how the parts of things lie to each other.
 */
export function createJigsaw<V>(options: JigsawOptions<V>): Method<V> {
  const { drawView, permutations = 100, criterion = 'mean', permutationSeed = 0 } = options;
  const { cells = 3, patch = 32, jitter = 10, normalise = true, patchDim = 64 } = options;
  check('permutations', permutations, 2);
  check('permutationSeed', permutationSeed, 0);
  check('patch', patch, 1);
  check('jitter', jitter, 0);
  check('patchDim', patchDim, 1);
  if (cells !== 2 && cells !== 3) {
    throw new RangeError(`Expected \`cells\` to be 2 or 3, got \`${cells}\` (${typeof cells})`);
  }
  const pieces = cells * cells;
  let parts: Parts | undefined;
  const ready = (): Parts => {
    if (!parts) throw new Error('Expected `init` to be called before any other call');
    return parts;
  };
  const named = (kind: 'variables' | 'buffers'): Map<string, Variable> =>
    new Map(
      (['tower', 'classifier'] as const).flatMap((head) =>
        [...ready()[head][kind]].map(([name, value]) => [`${head}.${name}`, value] as const),
      ),
    );

  const step = ([pictures]: readonly Tensor4D[], { random }: Batch): StepResult => {
    const { trunk, orders, tower, classifier } = ready();
    const batch = pictures!.shape[0];
    const drawn = Int32Array.from({ length: batch }, () => random.integer(permutations));
    const labels = tf.tensor1d(drawn, 'int32');
    const cut = cutGrid(pictures!, { cells, patch, jitter, random });
    const shuffled = shufflePatches(
      normalise ? normalisePatches(cut) : cut,
      Array.from(drawn, (permutation) => orders[permutation]!),
    );
    const map = lastMap(trunk, shuffled, 'train');
    const rows = tower.apply(tf.mean(map, [1, 2]), 'train');
    const logits = classifier.apply(tf.reshape(rows, [batch, -1]) as Tensor2D, 'train');
    return {
      loss: jigsawLoss(logits, labels),
      signals: { accuracy: accuracy(logits, labels), embedding: unitMean(map) },
    };
  };

  return {
    name: 'jigsaw',
    views: (sample, random) => drawViews(drawView, 1, sample, random),
    init: (trunk, _source, random) => {
      const tower = buildHead([linear(patchDim), batchNorm(), relu()], representationDim(trunk), random);
      // Small weights, so that the loss begins at chance.
      const classifier = buildHead([linear(permutations, { init: { std: 0.01 } })], pieces * patchDim, random);
      const orders = permutationSet({
        size: permutations,
        pieces,
        criterion,
        random: RandomStream.of(permutationSeed, 'permutations'),
      });
      parts = { trunk, orders, tower, classifier };
    },
    variables: () => named('variables'),
    rules: () => {
      const { tower, classifier } = ready();
      return new Map(
        Object.entries({ tower, classifier }).flatMap(([head, { rules }]) =>
          [...rules].map(([name, rule]) => [`${head}.${name}`, rule] as const),
        ),
      );
    },
    step,
    uniformLoss: () => Math.log(permutations),
    save: () => namedArraysOf(named('buffers'), ''),
    load: (state) => assignNamedArrays(named('buffers'), state, ''),
    dispose: () => {
      parts?.tower.dispose();
      parts?.classifier.dispose();
    },
  };
}
