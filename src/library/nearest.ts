import type { FeatureMatrix } from '../neighbors/feature-matrix.js';
import { topK } from '../neighbors/top-k.js';
import { ensureSetUp } from './set-up.js';

/** A row of a bank, and its cosine with a query. */
export type Neighbour = { readonly row: number; readonly similarity: number };

/**
 * The `k` nearest rows of `bank` for each row of `queries` by cosine, exact, nearest first.
 *
 * @param options.k from 1 to the bank's rows. @default 5
 * @param options.exclude for each query one row of the bank that may not be its neighbour: itself, where it is in the bank
 * @throws RangeError for features of different dimension, or more neighbours than there are
 */
export const nearest = async (
  queries: FeatureMatrix,
  bank: FeatureMatrix,
  { k = 5, exclude }: { readonly k?: number; readonly exclude?: ArrayLike<number> } = {},
): Promise<readonly (readonly Neighbour[])[]> => {
  await ensureSetUp();
  const { indices, similarities } = topK(queries, bank, k, exclude === undefined ? {} : { exclude });
  return Array.from({ length: queries.rows }, (_, query) =>
    Array.from({ length: k }, (__, rank) => ({
      row: indices[query * k + rank]!,
      similarity: similarities[query * k + rank]!,
    })),
  );
};
