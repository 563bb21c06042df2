import type { LoadedNormals } from '../../images/rgbd-dataset.js';
import type { SweepSplit } from '../../images/sweep-split.js';
import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import type { Trunk } from '../../network/trunk.js';
import { extractCellFeatures } from '../features/extract.js';
import type { LbfgsOptions } from '../linear/lbfgs.js';
import { fitStandardisation, standardise } from '../standardise.js';
import { decodeWords, fitCodebook, wordsOfCells, type Codebook, type CellWords } from './codebook.js';
import { gridOf } from './evaluate-normals.js';
import { measureCells, type NormalsOutcome } from './measure-normals.js';
import { mirrorFrames, selectFrames, type FramesOnly } from './mirror.js';
import { fitSoftmaxReadout, readWords, type ReadoutData } from './softmax-readout.js';

/** How the paper's protocol is run on frozen features. */
export type CodebookProtocolOptions = {
  /**
   * Spatial layers whose features are used side by side.
   * @default ['conv3', 'conv5']
   */
  readonly layers?: readonly string[];
  /** Draws the codebook. */
  readonly seed: number;
  /** @default 40 */
  readonly words?: number;
  /**
   * Strengths of the penalty to choose from.
   * @default [0.1, 0.03, 0.01, 0.003, 0.001]
   */
  readonly strengths?: readonly number[];
  /**
   * Blocks of consecutive training frames among which the strength is chosen.
   * @default 2
   */
  readonly folds?: number;
  readonly solver?: LbfgsOptions;
};

/** The outcome, and what was learned on the way. */
export type CodebookOutcome = NormalsOutcome & { readonly l2: number; readonly codebook: Codebook };

/**
 * Surface normals by the protocol of Wang & Gupta 2015 (after Wang, Fouhey & Gupta 2015), on frozen features: a codebook of
 * 40 normals learned on the training frames, classification of every cell of a coarse grid into its words by a linear softmax,
 * trained on the valid pixels of the training frames and of their mirror images; decoded as the sum of the words weighed by
 * their probabilities, enlarged bilinearly to full size and normalised. Measured on the valid pixels of the test frames.
 *
 * The grid is that of the coarsest layer (6 x 6 for `conv3` and `conv5` of the small trunk; 20 x 20 in the paper).
 */
export const evaluateCodebook = (
  trunk: Trunk,
  data: LoadedNormals,
  split: SweepSplit,
  { layers = ['conv3', 'conv5'], seed, words = 40, strengths, folds = 2, solver }: CodebookProtocolOptions,
): CodebookOutcome => {
  const [rows, columns] = gridOf(trunk, layers);
  const straight = selectFrames(data, split.train);
  const parts = [straight, mirrorFrames(straight)];
  const codebook = fitCodebook(data, split.train, { words, seed });
  const featuresOf = ({ colour }: FramesOnly): FeatureMatrix =>
    extractCellFeatures(trunk, colour, layers, rows, columns);
  const raw = joinFeatures(parts.map(featuresOf));
  const scaling = fitStandardisation(raw);
  const train: ReadoutData = {
    ...joinWords(parts.map((part) => wordsOfCells(part, framesOf(part), rows, columns, codebook))),
    features: standardise(raw, scaling),
    words: codebook.words,
    cells: rows * columns,
  };
  const { l2, readout } = chooseAndFit(train, codebook, { strengths, folds, solver });
  const test = standardise(featuresOf(selectFrames(data, split.test)), scaling);
  const cells = decodeWords(readWords(readout, test), codebook);
  return { ...measureCells(cells, data, split, rows, columns), l2, codebook };
};

/** All frames of a part, by number. */
export const framesOf = ({ colour }: FramesOnly): number[] => Array.from({ length: colour.count }, (_, i) => i);

const joinFeatures = (parts: readonly FeatureMatrix[]): FeatureMatrix => {
  const dim = parts[0]!.dim;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const data = new Float32Array(rows * dim);
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { rows, dim, data };
};

const joinWords = (parts: readonly CellWords[]): CellWords => ({
  shares: Float32Array.from(parts.flatMap(({ shares }) => [...shares])),
  weight: Float64Array.from(parts.flatMap(({ weight }) => [...weight])),
});

/** The rows of some images of the training part. */
const pick = ({ features, shares, weight, words, cells }: ReadoutData, images: readonly number[]): ReadoutData => {
  const dim = features.dim;
  const chosen = images.length * cells;
  const result = {
    features: { rows: chosen, dim, data: new Float32Array(chosen * dim) },
    shares: new Float32Array(chosen * words),
    weight: new Float64Array(chosen),
    words,
    cells,
  };
  images.forEach((image, i) => {
    const [from, to, at] = [image * cells, (image + 1) * cells, i * cells];
    result.features.data.set(features.data.subarray(from * dim, to * dim), at * dim);
    result.shares.set(shares.subarray(from * words, to * words), at * words);
    result.weight.set(weight.subarray(from, to), at);
  });
  return result;
};

/** From what flattens all to what follows every cell: which of them is chosen is up to the training frames alone. */
const defaultStrengths: readonly number[] = [0.1, 0.03, 0.01, 0.003, 0.001];
/** Steps of the solver: to compare strengths, each begun where the stronger one ended, and for the readout that is measured. */
const roughIterations = 25;
const iterations = 60;

/**
 * The strength with the least angle between what is decoded and what is true, over blocks of consecutive training frames (neighbours in a sweep would give each
 * other away) as they are, and the readout of that strength on all of them and their mirror images. `train` holds the frames, then
 * their mirror images.
 */
const chooseAndFit = (
  train: ReadoutData,
  codebook: Codebook,
  options: {
    readonly strengths: readonly number[] | undefined;
    readonly folds: number;
    readonly solver: LbfgsOptions | undefined;
  },
): { l2: number; readout: ReturnType<typeof fitSoftmaxReadout> } => {
  const { strengths = defaultStrengths, folds, solver = {} } = options;
  const ordered = [...strengths].sort((a, b) => b - a);
  const frames = train.features.rows / train.cells / 2;
  const count = Math.min(folds, frames);
  if (!(count >= 2)) {
    throw new RangeError(`Expected at least 2 folds and 2 training frames, got ${folds} and ${frames}`);
  }
  const errors = new Float64Array(ordered.length);
  for (let fold = 0; fold < count && ordered.length > 1; fold++) {
    const [from, to] = [Math.round((fold * frames) / count), Math.round(((fold + 1) * frames) / count)];
    const all = Array.from({ length: frames }, (_, i) => i);
    const kept = all.filter((i) => i < from || i >= to);
    const [fitting, judging] = [pick(train, kept), pick(train, all.slice(from, to))];
    let last: ReturnType<typeof fitSoftmaxReadout> | undefined;
    ordered.forEach((l2, s) => {
      last = fitSoftmaxReadout(fitting, l2, { maxIterations: roughIterations, ...solver }, last);
      errors[s]! += turnOf(readWords(last, judging.features), judging, codebook);
    });
  }
  let best = 0;
  for (let s = 1; s < ordered.length; s++) if (errors[s]! < errors[best]!) best = s;
  const l2 = ordered[best] as number;
  return { l2, readout: fitSoftmaxReadout(train, l2, { maxIterations: iterations, ...solver }) };
};

/** Sum over cells, by their weight, of `1 - cos` between the directions of probabilities and of true shares of words. */
const turnOf = (probabilities: Float64Array, { shares, weight }: ReadoutData, codebook: Codebook): number => {
  const [predicted, truth] = [decodeWords(probabilities, codebook), decodeWords(shares, codebook)];
  let sum = 0;
  for (let i = 0; i < weight.length; i++) {
    let [product, lengths] = [0, 1];
    for (let c = 0; c < 3; c++) product += predicted[i * 3 + c]! * truth[i * 3 + c]!;
    for (const side of [predicted, truth]) lengths *= Math.hypot(side[i * 3]!, side[i * 3 + 1]!, side[i * 3 + 2]!);
    if (lengths > 0) sum += weight[i]! * (1 - product / lengths);
  }
  return sum;
};
