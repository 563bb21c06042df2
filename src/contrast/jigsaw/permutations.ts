import type { RandomStream } from '../../numeric/random.js';

/** How the next permutation is chosen: the one with the largest mean, or largest least, Hamming distance to those chosen before. */
export type PermutationCriterion = 'mean' | 'min';

/** What set of permutations is wanted. */
export type PermutationSetOptions = {
  /** How many, |P|: the hardness of the puzzle (Goyal et al. 2019: 100, 701, 2000, 5000, 10000). */
  readonly size: number;
  /** Of how many pieces; at most 9, of which there are 362 880. @default 9 */
  readonly pieces?: number;
  /** @default 'mean', as released */
  readonly criterion?: PermutationCriterion;
  /** Draws the first one. */
  readonly random: RandomStream;
};

/** Every permutation of `pieces` digits, in lexicographic order, four bits a digit: up to eight digits in a word, the ninth apart. */
type Codes = { readonly count: number; readonly words: Int32Array; readonly ninth: Uint8Array };

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

function enumerate(pieces: number): Codes {
  const count = factorial(pieces);
  const words = new Int32Array(count);
  const ninth = new Uint8Array(count);
  let at = 0;
  const place = (position: number, word: number, used: number): void => {
    if (position === Math.min(pieces, 8)) {
      words[at] = word;
      // Of nine digits, the one that is left.
      ninth[at++] = 31 - Math.clz32(~used & ((1 << pieces) - 1));
      return;
    }
    for (let digit = 0; digit < pieces; digit++) {
      if (used & (1 << digit)) continue;
      place(position + 1, word | (digit << (4 * position)), used | (1 << digit));
    }
  };
  place(0, 0, 0);
  return { count, words, ninth };
}

const decode = ({ words, ninth }: Codes, at: number, pieces: number): Uint8Array =>
  Uint8Array.from({ length: pieces }, (_, i) => (i === 8 ? ninth[at]! : (words[at]! >>> (4 * i)) & 15));

/** Digits by which two codes differ: the words' nibbles that are not zero after an exclusive or, counted in one product. */
const distance = (word: number, ninth: number, otherWord: number, otherNinth: number): number => {
  const x = word ^ otherWord;
  const differing = (x | (x >>> 1) | (x >>> 2) | (x >>> 3)) & 0x11111111;
  return (Math.imul(differing, 0x11111111) >>> 28) + (ninth === otherNinth ? 0 : 1);
};

/**
 * A set of permutations that are far from each other (Noroozi & Favaro 2016, algorithm 1): the first is drawn uniformly from all
 * `pieces!`, each further one is the farthest, by Hamming distance, from those chosen so far; of several the first in lexicographic
 * order, as in the released script. Each permutation stands once. Distances to the chosen are kept and only extended by the newest: 2000
 * of nine pieces take seconds.
 *
 * @returns `size` rows of `pieces` digits; row `r` puts piece `r[i]` at place `i`
 */
export function permutationSet({ size, pieces = 9, criterion = 'mean', random }: PermutationSetOptions): Uint8Array[] {
  if (!Number.isInteger(pieces) || pieces < 2 || pieces > 9) {
    throw new RangeError(`Expected \`pieces\` to be a whole number from 2 to 9, got \`${pieces}\` (${typeof pieces})`);
  }
  const most = factorial(pieces);
  if (!Number.isInteger(size) || size < 2 || size > most) {
    throw new RangeError(
      `Expected \`size\` to be a whole number from 2 to ${most}, the permutations of ${pieces} pieces, got \`${size}\` (${typeof size})`,
    );
  }
  if (criterion !== 'mean' && criterion !== 'min') {
    throw new RangeError(`Expected \`criterion\` to be mean or min, got \`${String(criterion)}\``);
  }
  const codes = enumerate(pieces);
  const { count, words, ninth } = codes;
  // To the chosen ones: the sum of the distances (their mean, but for a common factor), or the least; -1 for the chosen themselves.
  const scores = new Int32Array(count).fill(criterion === 'mean' ? 0 : pieces + 1);
  const chosen: Uint8Array[] = [];
  let newest = random.integer(count);
  for (;;) {
    chosen.push(decode(codes, newest, pieces));
    if (chosen.length === size) return chosen;
    scores[newest] = -1;
    const [word, last] = [words[newest]!, ninth[newest]!];
    let farthest = -1;
    let best = -1;
    for (let at = 0; at < count; at++) {
      const before = scores[at]!;
      if (before < 0) continue;
      const apart = distance(words[at]!, ninth[at]!, word, last);
      const score = criterion === 'mean' ? before + apart : apart < before ? apart : before;
      scores[at] = score;
      if (score > best) {
        best = score;
        farthest = at;
      }
    }
    newest = farthest;
  }
}
