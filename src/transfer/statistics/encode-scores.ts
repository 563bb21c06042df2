import { z } from 'zod';
import { parseForeignJson } from '../../pipeline/parse-json.js';
import type { ImageScores } from './image-scores.js';

/**
 * Scores as short JSON: no more digits than the statistics need, histograms with their runs of zeros counted, and of
 * detections their rank instead of their score, without those that stand below the last true positive (no metric sees them).
 */
export const encodeScores = (scores: ImageScores): string => JSON.stringify(shorten(scores));

const shorten = (scores: ImageScores): ImageScores => {
  switch (scores.kind) {
    case 'mean':
      return { ...scores, values: scores.values.map(short) };
    case 'ratio':
      return { ...scores, hits: scores.hits.map(short), totals: scores.totals.map(short) };
    case 'quantile':
      return { ...scores, edges: scores.edges.map(short), counts: scores.counts.map(packZeros) };
    case 'average-precision':
      return { ...scores, classes: scores.classes.map(rankOnly) };
  }
};

/** Nine digits, as many as a 32-bit float has. */
const short = (value: number): number => Number(value.toPrecision(9));

/** `[0, 0, 0, 5, 0, 2]` becomes `[-3, 5, -1, 2]`: counts are never negative. */
const packZeros = (counts: readonly number[]): number[] => {
  const packed: number[] = [];
  for (const [k, count] of counts.entries()) {
    if (count !== 0) packed.push(count);
    else if (k > 0 && counts[k - 1] === 0) packed[packed.length - 1]!--;
    else packed.push(-1);
  }
  return packed;
};

const unpackZeros = (packed: readonly number[], bins: number): number[] => {
  const counts: number[] = [];
  for (const entry of packed) {
    if (counts.length + Math.max(1, -entry) > bins) throw new Error(`Expected ${bins} counts of an image, got more`);
    if (entry < 0) for (let k = 0; k < -entry; k++) counts.push(0);
    else counts.push(entry);
  }
  return counts;
};

type Ranked = Extract<ImageScores, { kind: 'average-precision' }>['classes'][number];

/** Scores become whole numbers from the number of different ones down to 1: equal ones stay equal. */
const rankOnly = ({ score, image, tp, positives }: Ranked): Ranked => {
  const order = score.map((_, k) => k).sort((a, b) => score[b]! - score[a]! || a - b);
  const kept = order.slice(0, order.findLastIndex((k) => tp[k] === 1) + 1);
  const ranks = new Map([...new Set(kept.map((k) => score[k]!))].map((value, k, all) => [value, all.length - k]));
  return {
    score: kept.map((k) => ranks.get(score[k]!)!),
    image: kept.map((k) => image[k]!),
    tp: kept.map((k) => tp[k]!),
    positives,
  };
};

const numbers = z.array(z.number());
const grouped = { groups: z.array(z.int().nonnegative()).optional() };
const schema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mean'), values: numbers, most: z.number().optional(), ...grouped }),
  z.strictObject({
    kind: z.literal('quantile'),
    q: z.number().min(0).max(1),
    edges: numbers.min(2),
    counts: z.array(numbers),
    ...grouped,
  }),
  z.strictObject({
    kind: z.literal('ratio'),
    hits: numbers,
    totals: numbers,
    scale: z.number().optional(),
    ...grouped,
  }),
  z.strictObject({
    kind: z.literal('average-precision'),
    images: z.int().positive(),
    classes: z.array(z.strictObject({ score: numbers, image: numbers, tp: numbers, positives: numbers })),
    interpolation: z.enum(['11-point', '101-point', 'all-points']),
    scale: z.number().optional(),
    ...grouped,
  }),
]);

/** Reads what `encodeScores` wrote; fails on anything else, saying where. */
export const decodeScores = (text: string): ImageScores => {
  const parsed = schema.safeParse(parseForeignJson(text, 'scores of test images'));
  if (!parsed.success) throw new Error(`Expected the scores of test images: ${z.prettifyError(parsed.error)}`);
  const scores = parsed.data as ImageScores;
  if (scores.kind !== 'quantile') return scores;
  return { ...scores, counts: scores.counts.map((row) => unpackZeros(row, scores.edges.length - 1)) };
};
