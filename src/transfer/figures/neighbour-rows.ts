import { RandomStream } from '../../numeric/random.js';
import { selectRows, type FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { topK } from '../../neighbors/top-k.js';

/** A query and its nearest pictures, nearest first, as numbers into the caches they came from. */
export type NeighbourRow = {
  readonly query: number;
  readonly neighbours: readonly { readonly index: number; readonly similarity: number }[];
};

/**
 * The nearest `k` bank pictures (all, where there are fewer) of some queries, drawn by the seed and not by their looks: a figure of chosen rows would show
 * what its maker wished. `sameSet` says that queries and bank are one set, in which nothing is its own neighbour.
 */
export const neighbourRows = (
  queries: FeatureMatrix,
  bank: FeatureMatrix,
  {
    rows = 8,
    k: most = 5,
    seed = 1,
    sameSet = false,
  }: { readonly rows?: number; readonly k?: number; readonly seed?: number; readonly sameSet?: boolean } = {},
): NeighbourRow[] => {
  const chosen = RandomStream.of(seed, 'neighbour-rows').sample(queries.rows, Math.min(rows, queries.rows));
  const k = Math.min(most, sameSet ? bank.rows - 1 : bank.rows);
  const { indices, similarities } = topK(selectRows(queries, chosen), bank, k, sameSet ? { exclude: chosen } : {});
  return chosen.map((query, i) => ({
    query,
    neighbours: Array.from({ length: k }, (_, j) => ({
      index: indices[i * k + j] as number,
      similarity: similarities[i * k + j] as number,
    })),
  }));
};
