import assert from 'node:assert/strict';
import { RandomStream } from '../../../src/numeric/random.js';
import { selectRows, type FeatureMatrix } from '../../../src/neighbors/feature-matrix.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { evaluateKnn, knnWeights } from '../../../src/transfer/knn/weighted-knn.js';

describe('weighted k-NN of few queries', () => {
  const random = RandomStream.of(1, 'few queries');
  const draw = (rows: number, dim: number): FeatureMatrix => ({
    rows,
    dim,
    data: Float32Array.from({ length: rows * dim }, () => random.normal()),
  });
  const bank = draw(40, 6);
  const queries = draw(7, 6);
  const labels = Int32Array.from({ length: 40 }, (_, i) => i % 4);
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  /** Sorted by hand: exactly `k` neighbours vote. */
  const slowly = (query: number, k: number, sigma: number): number[] => {
    const cosine = (i: number): number => {
      const [q, b] = [queries, bank].map(({ data }, n) =>
        data.subarray((n ? i : query) * 6, ((n ? i : query) + 1) * 6),
      );
      return q!.reduce((sum, v, j) => sum + v * b![j]!, 0) / (Math.hypot(...q!) * Math.hypot(...b!));
    };
    const nearest = Array.from({ length: 40 }, (_, i) => [cosine(i), i] as const).sort((a, b) => b[0] - a[0]);
    const votes = [0, 0, 0, 0];
    for (const [similarity, i] of nearest.slice(0, k)) votes[labels[i]!]! += Math.exp(similarity / sigma);
    const total = votes.reduce((a, b) => a + b);
    return votes.map((vote) => vote / total);
  };

  it('lets exactly k neighbours vote, however few queries there are (not so where a queue is trimmed by the number of rows)', () => {
    for (const count of [1, 2, 7]) {
      const some = selectRows(queries, [...Array(count).keys()]);
      const weights = knnWeights(some, bank, labels, 4, { k: 12, sigma: 0.5 });
      for (let i = 0; i < count; i++) {
        slowly(i, 12, 0.5).forEach((expected, c) => assert.ok(Math.abs(weights[i * 4 + c]! - expected) < 1e-5));
      }
    }
  });

  it('judges fewer than a hundred test images, down to one', () => {
    const split = { train: bank, trainLabels: labels, classes: 4 };
    for (const count of [1, 7]) {
      const test = selectRows(queries, [...Array(count).keys()]);
      const named = Array.from({ length: count }, (_, i) => {
        const votes = slowly(i, 5, 0.07);
        return votes.indexOf(Math.max(...votes));
      });
      assert.equal(evaluateKnn({ ...split, test, testLabels: named }, { k: 5 }).top1, 100);
    }
  });

  it('refuses more neighbours than the bank has', () => {
    assert.throws(
      () => knnWeights(queries, bank, labels, 4, { k: 41 }),
      /from 1 to 40, the size of the bank, got `41`/,
    );
    assert.doesNotThrow(() => knnWeights(queries, bank, labels, 4, { k: 40 }));
  });
});
