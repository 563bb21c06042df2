import { RandomStream } from '../../numeric/random.js';
import type { PixelNormals } from './cells.js';

/** Code words for directions: unit vectors, `directions[word * 3 + axis]`. */
export type Codebook = { readonly words: number; readonly directions: Float64Array };

/** Settings of {@link fitCodebook}. */
export type CodebookOptions = {
  /**
   * Code words (Wang & Gupta 2015: `vocab40`).
   * @default 40
   */
  readonly words?: number;
  /** Draws the pixels to learn from, and the first words. */
  readonly seed: number;
  /**
   * Pixels to learn from at most.
   * @default 20000
   */
  readonly pixels?: number;
};

const rounds = 60;

/**
 * A codebook of normals by spherical k-means (Dhillon & Modha 2001) on valid pixels of the given frames: the nearest word is
 * that of the largest product, a word is the direction of the sum of its normals. The first words are drawn as k-means++
 * does, with `1 - cos` for the squared distance; a word that loses all its normals keeps its place. Where there are fewer
 * different normals than words, there are fewer words.
 *
 * @throws RangeError where the frames have no valid pixel
 */
export const fitCodebook = (
  { width, height, normals, valid }: PixelNormals,
  frames: ArrayLike<number>,
  { words = 40, seed, pixels = 20_000 }: CodebookOptions,
): Codebook => {
  if (!Number.isInteger(words) || words < 2) {
    throw new RangeError(`Expected \`words\` to be an integer from 2, got \`${words}\` (${typeof words})`);
  }
  const random = RandomStream.of(seed, 'normals codebook');
  const known: number[] = [];
  for (let i = 0; i < frames.length; i++) {
    const first = frames[i]! * width * height;
    for (let at = first; at < first + width * height; at++) if (valid[at]) known.push(at);
  }
  if (known.length === 0) throw new RangeError('Expected training frames with at least one valid pixel, got none');
  const chosen =
    known.length <= pixels ? known : random.sample(known.length, pixels).map((index) => known[index] as number);
  const points = new Float64Array(chosen.length * 3);
  chosen.forEach((at, i) => points.set(normals.subarray(at * 3, at * 3 + 3), i * 3));
  const directions = drawWords(points, words, random);
  const codebook = { words: directions.length / 3, directions };
  const assigned = new Int32Array(chosen.length).fill(-1);
  for (let round = 0; round < rounds; round++) {
    let changed = false;
    const sums = new Float64Array(directions.length);
    for (let i = 0; i < chosen.length; i++) {
      const word = nearestWord(codebook, points[i * 3]!, points[i * 3 + 1]!, points[i * 3 + 2]!);
      changed ||= assigned[i] !== word;
      assigned[i] = word;
      for (let c = 0; c < 3; c++) sums[word * 3 + c]! += points[i * 3 + c]!;
    }
    if (!changed) break;
    for (let at = 0; at < sums.length; at += 3) {
      const length = Math.hypot(sums[at]!, sums[at + 1]!, sums[at + 2]!);
      if (length > 0) for (let c = 0; c < 3; c++) directions[at + c] = sums[at + c]! / length;
    }
  }
  return codebook;
};

const drawWords = (points: Float64Array, words: number, random: RandomStream): Float64Array => {
  const count = points.length / 3;
  const distance = new Float64Array(count).fill(Infinity);
  const drawn: number[] = [];
  let next = random.integer(count);
  while (drawn.length < words) {
    drawn.push(next);
    let total = 0;
    for (let i = 0; i < count; i++) {
      let cosine = 0;
      for (let c = 0; c < 3; c++) cosine += points[i * 3 + c]! * points[next * 3 + c]!;
      distance[i] = Math.min(distance[i]!, Math.max(0, 1 - cosine));
      total += distance[i]!;
    }
    // What is left is rounding: all normals are words already.
    if (!(total > 1e-6 * count)) break;
    let left = random.uniform(0, total);
    next = count - 1;
    for (let i = 0; i < count; i++) {
      left -= distance[i]!;
      if (left < 0) {
        next = i;
        break;
      }
    }
  }
  return Float64Array.from(drawn.flatMap((i) => [...points.subarray(i * 3, i * 3 + 3)]));
};

/** The word of the largest product with a direction; of equal ones the first. */
export const nearestWord = ({ words, directions }: Codebook, x: number, y: number, z: number): number => {
  let best = 0;
  let most = -Infinity;
  for (let word = 0; word < words; word++) {
    const cosine = directions[word * 3]! * x + directions[word * 3 + 1]! * y + directions[word * 3 + 2]! * z;
    if (cosine > most) [best, most] = [word, cosine];
  }
  return best;
};

/** Which words the pixels of cells have. */
export type CellWords = {
  /** `[cells, words]`: share of each word among the cell's valid pixels; zeros where `weight` is 0. */
  readonly shares: Float32Array;
  /** `[cells]`: share of the cell's pixels that are valid. */
  readonly weight: Float64Array;
};

/**
 * Every valid pixel gets its nearest word, and every cell the shares of the words of its pixels: cross-entropy against these
 * shares is the mean of the cross-entropies of the pixels, each classified by its cell. (A cell of one word, as a pixel of a
 * coarse grid in the paper, is the case of shares 0 and 1.) A pixel belongs to the cell that its centre lies in.
 */
export const wordsOfCells = (
  { width, height, normals, valid }: PixelNormals,
  frames: ArrayLike<number>,
  rows: number,
  columns: number,
  codebook: Codebook,
): CellWords => {
  const cells = frames.length * rows * columns;
  const shares = new Float32Array(cells * codebook.words);
  const weight = new Float64Array(cells);
  const pixels = new Float64Array(cells);
  for (let i = 0; i < frames.length; i++) {
    for (let y = 0; y < height; y++) {
      const row = Math.floor(((y + 0.5) * rows) / height);
      for (let x = 0; x < width; x++) {
        const cell = (i * rows + row) * columns + Math.floor(((x + 0.5) * columns) / width);
        const at = (frames[i]! * height + y) * width + x;
        pixels[cell]!++;
        if (!valid[at]) continue;
        weight[cell]!++;
        const word = nearestWord(codebook, normals[at * 3]!, normals[at * 3 + 1]!, normals[at * 3 + 2]!);
        shares[cell * codebook.words + word]!++;
      }
    }
  }
  for (let cell = 0; cell < cells; cell++) {
    if (weight[cell] === 0) continue;
    for (let k = 0; k < codebook.words; k++) shares[cell * codebook.words + k]! /= weight[cell]!;
    weight[cell]! /= pixels[cell]!;
  }
  return { shares, weight };
};

/**
 * `sum_k p_k word_k` of each row of probabilities `[rows, words]`, `[rows, 3]`: a direction whose length says how sure it is.
 * Not normalised, so that bilinear interpolation between cells is that of their probabilities; `decodeCells` normalises.
 */
export const decodeWords = (probabilities: ArrayLike<number>, { words, directions }: Codebook): Float64Array => {
  const rows = probabilities.length / words;
  if (!Number.isInteger(rows)) {
    throw new RangeError(`Expected rows of ${words} probabilities, got ${probabilities.length} values`);
  }
  const decoded = new Float64Array(rows * 3);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < words; k++) {
      for (let c = 0; c < 3; c++) decoded[i * 3 + c]! += probabilities[i * words + k]! * directions[k * 3 + c]!;
    }
  }
  return decoded;
};
