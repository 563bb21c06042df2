import type { RandomStream } from '../numeric/random.js';

/** How many negatives an anchor gets, and how they are chosen. */
export type NegativeRule = {
  /** Negatives an anchor, K. */
  readonly count: number;
  /** Share of K taken among the K most similar candidates. */
  readonly hardRatio: number;
  /** Share of K taken among all other candidates. */
  readonly randomRatio: number;
  readonly margin: number;
  /**
   * Only rows less similar than the positive (FaceNet's semi-hard, Schroff et al. 2015, 3.2): those more similar may be the same thing.
   * Where there is none, the least similar candidate. @default false
   */
  readonly semiHard?: boolean;
};

/** What a selection looks at: similarities of each anchor to every row of the batch, row-major `[anchors, rows]`. */
export type NegativeQuery = {
  readonly similarities: Float32Array;
  /** Similarity of each anchor to its positive, `[anchors]`. */
  readonly positives: Float32Array;
  /** What must differ: the video of each anchor `[anchors]` and of each row `[rows]`; below 0 for a row that is none. */
  readonly anchorLabels: Int32Array;
  readonly rowLabels: Int32Array;
  /** Whether a row of the anchor's own video is a candidate all the same. @default never */
  readonly apart?: (anchor: number, row: number) => boolean;
};

/**
 * `floor(count ratio)`, where a product that only rounding keeps below a whole number (10 x (1 - 0.9) = 0.9999999999999998) is
 * that number.
 */
export const shareOf = (count: number, ratio: number): number => Math.floor(Math.round(count * ratio * 1e9) / 1e9);

/** @throws RangeError naming the first field that is out of range */
export function checkNegativeRule({ count, hardRatio, randomRatio, margin }: NegativeRule): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`Expected \`count\` to be a whole number above 0, got \`${count}\` (${typeof count})`);
  }
  if (!(margin > 0))
    throw new RangeError(`Expected \`margin\` to be a number above 0, got \`${margin}\` (${typeof margin})`);
  for (const [name, value] of Object.entries({ hardRatio, randomRatio })) {
    if (!(value >= 0 && value <= 1)) {
      throw new RangeError(`Expected \`${name}\` to be a number from 0 to 1, got \`${value}\` (${typeof value})`);
    }
  }
  if (shareOf(count, hardRatio) + shareOf(count, randomRatio) < 1) {
    throw new RangeError('Expected `hardRatio` and `randomRatio` to leave at least one negative, got none');
  }
}

/**
 * Chooses the negatives of every anchor, exactly as the released code does (Wang & Gupta 2015, `rank_hard_loss_layer.cpp`), unless
 * `apart` or `semiHard` say otherwise:
 *
 * 1. candidates: rows with another label (or `apart`) whose hinge `s(a, n) - s(a, p) + margin` is above 0;
 * 2. if there are at most K, all of them; else, with H the K most similar,
 * 3. `floor(K hardRatio)` at random from H, the rest of H going back to the other candidates, and `floor(K randomRatio)` at
 *    random from those.
 *
 * Equal similarities keep the order of rows. Returns the rows chosen for each anchor, ascending.
 */
export function selectNegatives(query: NegativeQuery, rule: NegativeRule, random: RandomStream): Int32Array[] {
  const { similarities, positives, anchorLabels, rowLabels, apart } = query;
  const rows = rowLabels.length;
  return Array.from(anchorLabels, (label, anchor) => {
    const similarity = (row: number): number => similarities[anchor * rows + row]!;
    const positive = positives[anchor]!;
    const candidates: number[] = [];
    for (let row = 0; row < rows; row++) {
      if (rowLabels[row]! < 0 || !(similarity(row) - positive + rule.margin > 0)) continue;
      if (rowLabels[row] !== label || apart?.(anchor, row)) candidates.push(row);
    }
    const chosenFrom = rule.semiHard ? semiHard(candidates, similarity, positive) : candidates;
    return Int32Array.from(choose(chosenFrom, similarity, rule, random)).sort();
  });
}

function semiHard(candidates: number[], similarity: (row: number) => number, positive: number): number[] {
  const below = candidates.filter((row) => similarity(row) < positive);
  if (below.length > 0 || candidates.length === 0) return below;
  return [candidates.reduce((least, row) => (similarity(row) < similarity(least) ? row : least))];
}

function choose(
  candidates: number[],
  similarity: (row: number) => number,
  { count, hardRatio, randomRatio }: NegativeRule,
  random: RandomStream,
): number[] {
  if (candidates.length <= count) return candidates;
  candidates.sort((a, b) => similarity(b) - similarity(a) || a - b);
  const hardest = candidates.splice(0, count);
  const hard = takeAtRandom(hardest, shareOf(count, hardRatio), random);
  return [...hard, ...takeAtRandom([...candidates, ...hardest], shareOf(count, randomRatio), random)];
}

/** Removes `count` values (or all there are) from `pool` in random order and returns them. */
function takeAtRandom(pool: number[], count: number, random: RandomStream): number[] {
  const taken: number[] = [];
  while (taken.length < count && pool.length > 0) taken.push(...pool.splice(random.integer(pool.length), 1));
  return taken;
}
