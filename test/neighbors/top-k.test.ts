import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf } from '../../src/runtime/tensors.js';
import type { FeatureMatrix } from '../../src/neighbors/feature-matrix.js';
import { topK } from '../../src/neighbors/top-k.js';

const random = (rows: number, dim: number, seed: number): FeatureMatrix => {
  const stream = RandomStream.of(seed);
  return { rows, dim, data: Float32Array.from({ length: rows * dim }, () => stream.normal() * (1 + stream.uniform())) };
};

const slow = (queries: FeatureMatrix, bank: FeatureMatrix, k: number, exclude?: number[]): number[][] =>
  Array.from({ length: queries.rows }, (_, i) => {
    const row = (m: FeatureMatrix, r: number): Float32Array => m.data.subarray(r * m.dim, (r + 1) * m.dim);
    const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, j) => sum + v * b[j]!, 0);
    const q = row(queries, i);
    return Array.from({ length: bank.rows }, (_, j) => j)
      .filter((j) => j !== exclude?.[i])
      .map((j) => [j, dot(q, row(bank, j)) / Math.sqrt(dot(q, q) * dot(row(bank, j), row(bank, j)))] as const)
      .sort((a, b) => b[1] - a[1])
      .slice(0, k)
      .map(([j]) => j);
  });

for (const backend of ['tensorflow', 'wasm'] as const)
  describe(`topK on ${backend}`, () => {
    before(async function () {
      const info = await openRuntime({ threads: 1 });
      if (backend === 'tensorflow' && info.backend !== 'tensorflow') this.skip();
      if (backend === 'wasm' && info.backend === 'tensorflow') await openRuntime({ device: 'wasm' });
    });
    after(async () => {
      await openRuntime({ threads: 1 });
    });

    it('finds what a full sort of all cosines finds, in its order', () => {
      const [queries, bank] = [random(23, 7, 1), random(41, 7, 2)];
      const { indices, similarities } = topK(queries, bank, 5);
      slow(queries, bank, 5).forEach((row, i) => assert.deepEqual([...indices.subarray(i * 5, i * 5 + 5)], row));
      assert.ok(similarities.every((value) => value <= 1 + 1e-5 && value >= -1 - 1e-5));
    });

    it('gives the same over several chunks of queries as over one', () => {
      // 2^24 cosines at a time: with a bank of 70 000 rows, chunks of 239 queries.
      const bank = random(70_000, 2, 3);
      const queries = random(500, 2, 4);
      const whole = topK(queries, bank, 1);
      for (const i of [0, 238, 239, 499]) {
        const one = topK({ rows: 1, dim: 2, data: queries.data.subarray(i * 2, i * 2 + 2) }, bank, 1);
        assert.equal(one.similarities[0], whole.similarities[i]);
      }
    });

    it('finds, in the blocks of a large bank and in the rows after the last one, what a full sort finds', () => {
      // 32 rows a block: 31 blocks and 9 rows; blocks are used up to k = 7.
      const [queries, bank] = [random(40, 5, 7), random(1001, 5, 8)];
      const own = Array.from({ length: 40 }, (_, i) => (i * 25 + 1) % 1001);
      // The nearest rows of the first queries are put at the ends of blocks, and into the rest.
      [0, 31, 32, 991, 992, 1000].forEach((row, i) => bank.data.set(queries.data.subarray(i * 5, i * 5 + 5), row * 5));
      for (const k of [1, 2, 6, 7, 8]) {
        const plain = topK(queries, bank, k);
        slow(queries, bank, k).forEach((row, i) =>
          assert.deepEqual([...plain.indices.subarray(i * k, i * k + k)], row, `k ${k}, query ${i}`),
        );
        const { indices } = topK(queries, bank, k, { exclude: own });
        slow(queries, bank, k, own).forEach((row, i) =>
          assert.deepEqual([...indices.subarray(i * k, i * k + k)], row, `k ${k}, query ${i}, one left out`),
        );
      }
    });

    it('puts the lower row first of equal cosines, with few neighbours and with many', () => {
      // Signs only, all rows of one length: cosines are multiples of 1/2, equal in many rows and exact.
      const stream = RandomStream.of(9);
      const signs = (rows: number): FeatureMatrix => {
        return { rows, dim: 4, data: Float32Array.from({ length: rows * 4 }, () => (stream.chance(0.5) ? 1 : -1)) };
      };
      const [queries, bank] = [signs(30), signs(1500)];
      for (const k of [1, 5, 11, 12, 300, 1500]) {
        const { indices } = topK(queries, bank, k);
        slow(queries, bank, k).forEach((row, i) =>
          assert.deepEqual([...indices.subarray(i * k, i * k + k)], row, `k ${k}, query ${i}`),
        );
      }
    });

    it('leaves no tensor behind', () => {
      const bank = random(700, 3, 1);
      const before = tf.memory().numTensors;
      topK(bank, bank, 2);
      topK(bank, bank, 100);
      assert.equal(tf.memory().numTensors, before);
    });

    it('leaves out the excluded row, and still gives k others', () => {
      const bank = random(12, 4, 5);
      const own = Array.from({ length: 12 }, (_, i) => i);
      const { indices } = topK(bank, bank, 11, { exclude: own });
      slow(bank, bank, 11, own).forEach((row, i) => assert.deepEqual([...indices.subarray(i * 11, i * 11 + 11)], row));
      assert.throws(() => topK(bank, bank, 12, { exclude: own }), /from 1 to 11/);
    });

    it('fails where k is larger than the bank, or no whole number', () => {
      const bank = random(6, 3, 6);
      assert.throws(() => topK(bank, bank, 7), /from 1 to 6, the size of the bank, got `7`/);
      assert.throws(() => topK(bank, bank, 0), /got `0`/);
      assert.throws(() => topK(bank, bank, 1.5), /got `1.5`/);
      assert.equal(topK(bank, bank, 6).indices.length, 36);
    });

    it('fails where dimensions or sizes do not fit', () => {
      assert.throws(() => topK(random(2, 3, 1), random(2, 4, 1), 1), /same dimension, got 3 and 4/);
      assert.throws(() => topK({ rows: 2, dim: 3, data: new Float32Array(5) }, random(2, 3, 1), 1), /rows x dim/);
    });
  });
