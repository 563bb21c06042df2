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
 * Rows of a block of the bank. With 100 000 rows, maxima of blocks and a partial sort of the best blocks take a seventh of the time of a
 * partial sort over whole rows for k = 20, and half of it for k = 200; wider blocks win nothing, narrower ones lose.
 */
const blockRows = 32;
/** Blocks are used where those chosen hold at most one in this many rows of the bank. */
const leastGain = 4;

/**
 * Rows divided by their L2 norm; a row of zeros stays one, and is as far from everything as an unrelated row. `[rows, dim]`.
 */
export const normaliseRows = (rows: Tensor2D): Tensor2D =>
  tf.tidy(() => rows.div<Tensor2D>(rows.square().sum(1, true).sqrt().maximum(1e-12)));

/**
 * Exact k nearest neighbours by cosine, `q . b / (|q| |b|)`, as chunked matrix products: memory stays flat in the number of
 * queries (64 MB of cosines at a time). Of equal cosines the lower row comes first (of equal float32 products, that is: rows that
 * point the same way with other lengths may differ in the last bit).
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
  // One more than asked for where a row is excluded: it is dropped below, wherever it stands.
  const width = exclude ? k + 1 : k;
  const search = bankSearch(bank, width);
  try {
    for (let start = 0; start < queries.rows; start += chunk) {
      const count = Math.min(chunk, queries.rows - start);
      const { values, rows } = search.find({
        rows: count,
        dim: queries.dim,
        data: queries.data.subarray(start * queries.dim, (start + count) * queries.dim),
      });
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
    search.dispose();
  }
  return { queries: queries.rows, k, indices, similarities };
};

/** Cosines and row numbers of the nearest rows of one chunk of queries, `[queries, k]`. */
type Found = { readonly values: ArrayLike<number>; readonly rows: ArrayLike<number> };

/** A bank of unit rows in the runtime, and the search in it that fits its size. */
const bankSearch = (bank: FeatureMatrix, k: number): { find(queries: FeatureMatrix): Found; dispose(): void } => {
  const inBlocks = k * blockRows * leastGain <= bank.rows;
  const whole = inBlocks ? bank.rows - (bank.rows % blockRows) : bank.rows;
  const body = unitTensor(bank, 0, whole);
  const rest = whole < bank.rows ? unitTensor(bank, whole, bank.rows) : undefined;
  return {
    find: (queries) => {
      const unit = unitTensor(queries, 0, queries.rows);
      try {
        return inBlocks ? findInBlocks(unit, body, rest, k) : findInRows(unit, body, k);
      } finally {
        unit.dispose();
      }
    },
    dispose: () => tf.dispose(rest ? [body, rest] : [body]),
  };
};

const unitTensor = ({ dim, data }: FeatureMatrix, from: number, to: number): Tensor2D =>
  tf.tidy(() => normaliseRows(tf.tensor2d(data.subarray(from * dim, to * dim), [to - from, dim])));

/** The k largest values of each row, largest first, of equals the lower place first; both `[rows, k]`. */
const largestOf = (rows: () => Tensor2D, k: number): { values: Float32Array; places: Int32Array } => {
  const { values, indices } = tf.tidy(() => tf.topk(rows(), k));
  const found = { values: values.dataSync<'float32'>(), places: indices.dataSync<'int32'>() };
  tf.dispose([values, indices]);
  return found;
};

/** The k largest of all cosines by the runtime's own partial sort. */
const findInRows = (queries: Tensor2D, bank: Tensor2D, k: number): Found => {
  const { values, places } = largestOf(() => queries.matMul(bank, false, true) as Tensor2D, k);
  return { values, rows: places };
};

/**
 * The same for a k that is small beside the bank. The k largest cosines stand in the k blocks of rows with the largest maxima: those
 * blocks are found first, and only their cosines are sorted, with those of the rows after the last whole block. Blocks are
 * read in the order of their rows, so that of equal cosines the lower row still comes first.
 */
const findInBlocks = (queries: Tensor2D, body: Tensor2D, rest: Tensor2D | undefined, k: number): Found => {
  const count = queries.shape[0];
  const blocks = body.shape[0] / blockRows;
  const cosines = queries.matMul<Tensor2D>(body, false, true);
  const chosen = largestOf(() => cosines.reshape([count, blocks, blockRows]).max<Tensor2D>(2), k).places.slice();
  for (let i = 0; i < count; i++) {
    const row = chosen.subarray(i * k, (i + 1) * k).sort();
    for (let j = 0; j < k; j++) row[j]! += i * blocks;
  }
  const candidates = (): Tensor2D => {
    const rows: Tensor2D = tf.gather(cosines.reshape([count * blocks, blockRows]), tf.tensor1d(chosen, 'int32'));
    const listed: Tensor2D = rows.reshape([count, k * blockRows]);
    return rest ? tf.concat2d([listed, queries.matMul<Tensor2D>(rest, false, true)] as Tensor2D[], 1) : listed;
  };
  const { values, places } = largestOf(candidates, k);
  cosines.dispose();
  const rows = places.map((place, at) => {
    const i = Math.floor(at / k);
    const block = Math.floor(place / blockRows);
    if (block >= k) return body.shape[0] + place - k * blockRows;
    return (chosen[i * k + block]! - i * blocks) * blockRows + (place % blockRows);
  });
  return { values, rows };
};
