import type { FeatureMatrix } from '../neighbors/feature-matrix.js';
import { topK } from '../neighbors/top-k.js';
import { checkFeatures } from './check-features.js';
import { ensureSetUp } from './set-up.js';

/** A row of a bank, and its cosine with a query. */
export type Neighbour = { readonly row: number; readonly similarity: number };

/**
 * The `k` nearest rows of `bank` for each row of `queries` by cosine, exact, nearest first.
 *
 * @param options.k from 1 to the bank's rows. @default 5, or all rows where the bank has fewer
 * @param options.exclude for each query one row of the bank that may not be its neighbour: itself, where it is in the bank
 * @throws RangeError for features of different dimension, a value that is not finite, or more neighbours than there are
 */
export const nearest = async (
  queries: FeatureMatrix,
  bank: FeatureMatrix,
  { k: given, exclude }: { readonly k?: number; readonly exclude?: ArrayLike<number> } = {},
): Promise<readonly (readonly Neighbour[])[]> => {
  checkFeatures('queries', queries);
  checkFeatures('bank', bank);
  const others = bank.rows - (exclude === undefined ? 0 : 1);
  if (others < 1) throw new RangeError('Expected `bank` to have rows beside the excluded one, got one row');
  const k = given ?? Math.min(5, others);
  await ensureSetUp();
  const { indices, similarities } = topK(queries, bank, k, exclude === undefined ? {} : { exclude });
  return Array.from({ length: queries.rows }, (_, query) =>
    Array.from({ length: k }, (__, rank) => ({
      row: indices[query * k + rank]!,
      similarity: similarities[query * k + rank]!,
    })),
  );
};
