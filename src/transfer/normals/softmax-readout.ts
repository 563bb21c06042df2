import { takeValues } from '../../runtime/take-values.js';
import { tf, type Tensor2D } from '../../runtime/tensors.js';
import { checkMatrix, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { minimise, type LbfgsOptions } from '../linear/lbfgs.js';
import type { CellWords } from './codebook.js';

/**
 * A linear classifier of cells into words: the scores of cell `c` of an image are `x W + b_c`. Each cell has offsets of its own,
 * as it has in the paper's dense layer on top, so that every network starts from what normals stand where.
 */
export type SoftmaxReadout = {
  readonly dim: number;
  readonly words: number;
  /** Cells an image. */
  readonly cells: number;
  /** `[dim, words]`. */
  readonly weights: Float64Array;
  /** `[cells, words]`. */
  readonly offsets: Float64Array;
  readonly iterations: number;
};

/** What a readout is trained on: rows are cells, image after image. */
export type ReadoutData = CellWords & {
  readonly features: FeatureMatrix;
  readonly words: number;
  /** Cells an image. */
  readonly cells: number;
};

/**
 * Minimises, by full-batch L-BFGS,
 *
 * `sum_i w_i sum_k -q_ik log softmax(x_i W + b_c(i))_k / sum w + l2 / 2 (|W|^2 + sum_c |b_c - mean b|^2 / cells)`,
 *
 * `q` the shares of the words of cell i and `w` its share of valid pixels: softmax cross-entropy over the valid pixels. The
 * offsets count as the weights of features that say which cell it is, scaled as all features are to a deviation of 1; what all
 * cells have in common is not penalised. Products on tensors, exponentials and sums in float64.
 *
 * @param start where to begin (another strength's solution, say); zeros if absent
 */
export const fitSoftmaxReadout = (
  data: ReadoutData,
  l2: number,
  solver: LbfgsOptions = {},
  start?: SoftmaxReadout,
): SoftmaxReadout => {
  const { features, words, cells, shares, weight } = data;
  checkMatrix('features', features);
  const { rows, dim } = features;
  if (weight.length !== rows || shares.length !== rows * words || rows % cells !== 0) {
    throw new RangeError(
      `Expected ${words} shares and a weight for each of ${rows} rows, ${cells} an image, got ${shares.length} and ${weight.length}`,
    );
  }
  if (!(l2 >= 0)) throw new RangeError(`Expected \`l2\` to be a number from 0, got \`${l2}\` (${typeof l2})`);
  let total = 0;
  for (const value of weight) total += value;
  if (!(total > 0)) throw new RangeError('Expected cells with valid pixels to train on, got none');
  const begin = new Float64Array((dim + cells) * words);
  if (start) {
    begin.set(start.weights);
    begin.set(start.offsets, dim * words);
  }
  const x = tf.tensor2d(features.data, [rows, dim]);
  try {
    const residuals = new Float32Array(rows * words);
    const end = minimise(
      (parameters, gradient) => {
        const scores = scoresOf(x, parameters, dim, words, cells);
        const loss = crossEntropyOf(scores, shares, weight, words, total, residuals);
        const slopes = takeValues(() => x.matMul(tf.tensor2d(residuals, [rows, words]), true, false));
        let penalty = 0;
        for (let i = 0; i < dim * words; i++) {
          const value = parameters[i]!;
          penalty += value * value;
          gradient[i] = slopes[i]! + l2 * value;
        }
        gradient.fill(0, dim * words);
        for (let i = 0; i < residuals.length; i++) gradient[dim * words + (i % (cells * words))]! += residuals[i]!;
        for (let k = 0; k < words; k++) {
          let common = 0;
          for (let c = 0; c < cells; c++) common += parameters[(dim + c) * words + k]! / cells;
          for (let c = 0; c < cells; c++) {
            const value = parameters[(dim + c) * words + k]! - common;
            penalty += (value * value) / cells;
            gradient[(dim + c) * words + k]! += (l2 * value) / cells;
          }
        }
        return loss + (l2 / 2) * penalty;
      },
      begin,
      solver,
    );
    const { iterations } = end;
    return { dim, words, cells, iterations, weights: end.x.slice(0, dim * words), offsets: end.x.slice(dim * words) };
  } finally {
    x.dispose();
  }
};

/** Probabilities of the words, `[rows, words]`, of rows of features: cells, image after image. */
export const readWords = (
  { dim, words, cells, weights, offsets }: SoftmaxReadout,
  features: FeatureMatrix,
): Float64Array => {
  if (features.dim !== dim) throw new RangeError(`Expected features of dimension ${dim}, got ${features.dim}`);
  const parameters = new Float64Array((dim + cells) * words);
  parameters.set(weights);
  parameters.set(offsets, dim * words);
  const x = tf.tensor2d(features.data, [features.rows, dim]);
  try {
    const scores = scoresOf(x, parameters, dim, words, cells);
    for (let at = 0; at < scores.length; at += words) softmax(scores, at, words);
    return scores;
  } finally {
    x.dispose();
  }
};

const scoresOf = (x: Tensor2D, parameters: Float64Array, dim: number, words: number, cells: number): Float64Array => {
  const products = takeValues(() =>
    x.matMul(tf.tensor2d(new Float32Array(parameters.subarray(0, dim * words)), [dim, words])),
  );
  const scores = new Float64Array(products);
  const period = cells * words;
  for (let first = 0; first < scores.length; first += period) {
    for (let i = 0; i < period; i++) scores[first + i]! += parameters[dim * words + i]!;
  }
  return scores;
};

/** Turns a row of scores into probabilities; returns `log sum exp` of the scores. */
const softmax = (scores: Float64Array, at: number, words: number): number => {
  let top = -Infinity;
  for (let k = 0; k < words; k++) top = Math.max(top, scores[at + k]!);
  let sum = 0;
  for (let k = 0; k < words; k++) sum += scores[at + k] = Math.exp(scores[at + k]! - top);
  for (let k = 0; k < words; k++) scores[at + k]! /= sum;
  return top + Math.log(sum);
};

/** Weighted mean cross-entropy; writes its gradient with respect to the scores into `residuals`, and spoils `scores`. */
const crossEntropyOf = (
  scores: Float64Array,
  shares: Float32Array,
  weight: Float64Array,
  words: number,
  total: number,
  residuals: Float32Array,
): number => {
  let loss = 0;
  for (let i = 0; i < weight.length; i++) {
    const at = i * words;
    const w = weight[i]! / total;
    if (w === 0) {
      residuals.fill(0, at, at + words);
      continue;
    }
    let inner = 0;
    for (let k = 0; k < words; k++) inner += shares[at + k]! * scores[at + k]!;
    loss += w * (softmax(scores, at, words) - inner);
    for (let k = 0; k < words; k++) residuals[at + k] = w * (scores[at + k]! - shares[at + k]!);
  }
  return loss;
};
