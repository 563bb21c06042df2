import { tf } from '../runtime/tensors.js';
import type { Tensor2D } from '../runtime/tensors.js';
import { checkMatrix, type FeatureMatrix } from './feature-matrix.js';

/** The k nearest rows of a bank for each query, nearest first: row numbers and cosines, both `[queries, k]`. */
export type Neighbors = {
  readonly queries: number;
  readonly k: number;
  readonly indices: Int32Array;
  readonly similarities: Float32Array;
};

/** Largest number of cosines held at once: 16 M float32 values, 64 MB. */
const tileValues = 1 << 24;

/**
 * Rows divided by their L2 norm; a row of zeros stays one, and is as far from everything as an unrelated row. `[rows, dim]`.
 */
export const normaliseRows = (rows: Tensor2D): Tensor2D =>
  tf.tidy(() => rows.div<Tensor2D>(rows.square().sum(1, true).sqrt().maximum(1e-12)));

/**
 * Exact k nearest neighbours by cosine, `q . b / (|q| |b|)`, as chunked matrix products: memory stays flat in the number of
 * queries (64 MB of cosines at a time). Of equal cosines the lower row comes first.
 *
 * @param k from 1 to the bank's rows; more fails (a vote over fewer neighbours than asked for is another protocol)
 * @param exclude one bank row a query that may not be its neighbour (the query itself, in leave-one-out)
 */
export const topK = (
  queries: FeatureMatrix,
  bank: FeatureMatrix,
  k: number,
  { exclude }: { readonly exclude?: ArrayLike<number> } = {},
): Neighbors => {
  checkMatrix('queries', queries);
  checkMatrix('bank', bank);
  if (queries.dim !== bank.dim) {
    throw new RangeError(`Expected queries and bank of the same dimension, got ${queries.dim} and ${bank.dim}`);
  }
  if (exclude && exclude.length !== queries.rows) {
    throw new RangeError(
      `Expected \`exclude\` to name one row a query, got ${exclude.length} for ${queries.rows} queries`,
    );
  }
  const available = bank.rows - (exclude ? 1 : 0);
  if (!Number.isInteger(k) || k < 1 || k > available) {
    throw new RangeError(
      `Expected \`k\` to be an integer from 1 to ${available}, the size of the bank, got \`${k}\` (${typeof k})`,
    );
  }
  const indices = new Int32Array(queries.rows * k);
  const similarities = new Float32Array(queries.rows * k);
  const chunk = Math.max(1, Math.floor(tileValues / bank.rows));
  const normalisedBank = tf.tidy(() => normaliseRows(tf.tensor2d(bank.data, [bank.rows, bank.dim])));
  try {
    for (let start = 0; start < queries.rows; start += chunk) {
      const count = Math.min(chunk, queries.rows - start);
      const found = tf.tidy(() => {
        const part = queries.data.subarray(start * queries.dim, (start + count) * queries.dim);
        const normalised = normaliseRows(tf.tensor2d(part, [count, queries.dim]));
        const cosines = normalised.matMul<Tensor2D>(normalisedBank, false, true);
        // One more than asked for where a row is excluded: it is dropped below, wherever it stands.
        return tf.topk(cosines, exclude ? k + 1 : k);
      });
      const values = found.values.dataSync();
      const rows = found.indices.dataSync();
      tf.dispose(found);
      const width = exclude ? k + 1 : k;
      for (let i = 0; i < count; i++) {
        const forbidden = exclude ? (exclude[start + i] as number) : -1;
        let kept = 0;
        for (let j = 0; j < width && kept < k; j++) {
          const row = rows[i * width + j] as number;
          if (row === forbidden) continue;
          indices[(start + i) * k + kept] = row;
          similarities[(start + i) * k + kept] = values[i * width + j] as number;
          kept++;
        }
      }
    }
  } finally {
    normalisedBank.dispose();
  }
  return { queries: queries.rows, k, indices, similarities };
};
