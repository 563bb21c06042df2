import type { RandomStream } from '../../numeric/random.js';
import type { ClassTargets } from '../svm/class-targets.js';

/** `k` positive rows of one class and its negative rows, for one SVM. */
export type Shots = { readonly positives: readonly number[]; readonly negatives: readonly number[] };

/** Rows that show a class, or that do not, in the order in which a draw takes them. */
type Order = { readonly positives: Int32Array; readonly negatives: Int32Array };

/**
 * One draw of low-shot training rows, from which any `k` can be taken. Rows of each class are shuffled once and the first `k` stand:
 * the sets of one draw are nested (those for 8 hold those for 4), so that a curve over `k` shows more rows and not other rows; draws
 * are independent of each other.
 *
 * With rows of one class each (`single`), `k` rows of every class are drawn and all SVMs share them, the others' positive rows being
 * one's negatives. With several classes a row, each class has `k` positive and `19 k` negative rows of its own, and what is left is
 * ignored (Goyal et al. 2019 on VOC07); where fewer negative rows exist, all of them.
 */
export const drawShots = (
  { classes, values }: ClassTargets,
  single: boolean,
  random: RandomStream,
): ((k: number) => Shots[]) => {
  const rows = Int32Array.from({ length: values.length / classes }, (_, i) => i);
  const orders = Array.from({ length: classes }, (_, label): Order => {
    const having = (target: number): Int32Array =>
      random.shuffle(rows.filter((row) => values[row * classes + label] === target));
    return { positives: having(1), negatives: having(0) };
  });
  return (k) => {
    const fewest = orders.reduce((least, { positives }) => Math.min(least, positives.length), Infinity);
    if (!Number.isInteger(k) || k < 1 || k > fewest) {
      throw new RangeError(
        `Expected \`k\` to be an integer from 1 to ${fewest}, the rows of the smallest class, got \`${k}\``,
      );
    }
    const positives = orders.map((order) => [...order.positives.subarray(0, k)]);
    return orders.map(({ negatives }, label) => ({
      positives: positives[label]!,
      negatives: single
        ? positives.flatMap((others, other) => (other === label ? [] : others))
        : [...negatives.subarray(0, negativesAPositive * k)],
    }));
  };
};

const negativesAPositive = 19;
