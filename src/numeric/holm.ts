/**
 * Holm's step-down correction (1979) of a family of p-values, in the order given: the k-th smallest of m is multiplied by
 * `m - k + 1`, made not smaller than the one before it, and cut at 1. Calling those below `alpha` differences is wrong
 * anywhere in the family with probability at most `alpha`, however the tests depend on each other.
 */
export const holm = (pValues: readonly number[]): number[] => {
  const order = pValues.map((_, k) => k).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, k] of order.entries()) {
    largest = Math.min(1, Math.max(largest, (pValues.length - rank) * pValues[k]!));
    adjusted[k] = largest;
  }
  return adjusted;
};
