import assert from 'node:assert/strict';
import { pixelCacheOf } from '../../../src/images/pixel-cache.js';
import { openImageSource } from '../../../src/images/pair-source.js';
import { averageCells } from '../../../src/network/average-cells.js';
import { reestimateBatchNorm } from '../../../src/network/batch-norm-statistics.js';
import { buildTrunk } from '../../../src/network/build-trunk.js';
import { hashTrunk } from '../../../src/network/weights.js';
import { withFreshStatistics } from '../../../src/network/with-fresh-statistics.js';
import { RandomStream } from '../../../src/numeric/random.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { tf, type Tensor2D, type Tensor4D } from '../../../src/runtime/tensors.js';
import { knnWatch } from '../../../src/transfer/knn/knn-watch.js';
import { leaveOneOutKnn } from '../../../src/transfer/knn/leave-one-out.js';

/** Leave-one-out as one would say it: every other row, sorted by cosine, the nearest `k` voting by `exp(cos / sigma)`. */
const slowly = (rows: readonly (readonly number[])[], labels: readonly number[], k: number, sigma: number): number => {
  const cosine = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, v, i) => sum + v * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
  const right = rows.filter((row, i) => {
    const others = rows.flatMap((other, j) => (j === i ? [] : [{ similarity: cosine(row, other), label: labels[j]! }]));
    const votes: Record<number, number> = {};
    for (const { similarity, label } of others.sort((a, b) => b.similarity - a.similarity).slice(0, k)) {
      votes[label] = (votes[label] ?? 0) + Math.exp(similarity / sigma);
    }
    const [winner] = Object.entries(votes).sort((a, b) => b[1] - a[1])[0]!;
    return Number(winner) === labels[i];
  });
  return (100 * right.length) / rows.length;
};

const rowsOf = (data: ArrayLike<number>, dim: number): number[][] =>
  Array.from({ length: data.length / dim }, (_, i) => Array.from({ length: dim }, (__, j) => data[i * dim + j]!));

describe('k-NN of a set by itself', () => {
  before(() => openRuntime({ threads: 1 }));

  const random = RandomStream.of(3, 'leave one out');
  const labels = Array.from({ length: 60 }, (_, i) => i % 3);
  // Three loose clouds, so that some are named rightly and some are not.
  const data = Float32Array.from({ length: 60 * 5 }, (_, at) => {
    const [row, axis] = [Math.floor(at / 5), at % 5];
    return random.normal() + (axis === labels[row] ? 1 : 0);
  });

  it('gives what a loop over all rows gives', () => {
    for (const [k, sigma] of [
      [1, 0.07],
      [5, 0.07],
      [20, 0.5],
      [59, 0.1],
    ] as const) {
      const value = leaveOneOutKnn({ rows: 60, dim: 5, data }, labels, 3, { k, sigma });
      assert.ok(value > 40 && value < 90, `${value}`);
      assert.ok(Math.abs(value - slowly(rowsOf(data, 5), labels, k, sigma)) < 1e-9, `k = ${k}`);
    }
  });

  it('lets no row vote for itself: where every class has one, all are named wrongly', () => {
    const axes = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0.1));
    assert.equal(leaveOneOutKnn({ rows: 4, dim: 4, data: axes }, [0, 1, 2, 3], 4, { k: 1 }), 0);
    // Each beside its like, all are named rightly.
    const twins = Float32Array.from([...axes, ...axes]);
    assert.equal(leaveOneOutKnn({ rows: 8, dim: 4, data: twins }, [0, 1, 2, 3, 0, 1, 2, 3], 4, { k: 1 }), 100);
  });

  it('wants fewer voters than rows', () => {
    assert.throws(
      () => leaveOneOutKnn({ rows: 4, dim: 4, data: new Float32Array(16).fill(1) }, [0, 1, 0, 1], 2, { k: 4 }),
      /from 1 to 3/,
    );
  });
});

describe('k-NN watch', () => {
  before(() => openRuntime({ threads: 1 }));

  const side = 48;
  const random = RandomStream.of(4, 'watched pictures');
  const labels = Int32Array.from({ length: 24 }, (_, i) => i % 3);
  /** Stripes of three widths under noise. */
  const pictures = pixelCacheOf(
    Array.from(labels, (label) => ({
      ...{ width: side, height: side, channels: 3 as const },
      data: Uint8Array.from({ length: side * side * 3 }, (_, at) => {
        const x = Math.floor(at / 3) % side;
        const bright = Math.floor(x / (2 + 3 * label)) % 2 === 0;
        return Math.min(255, Math.max(0, (bright ? 170 : 90) + 200 * random.normal()));
      }),
    })),
  );
  const newTrunk = () => {
    const trunk = buildTrunk('small-half', { random: RandomStream.of(1, 'trunk') });
    const source = openImageSource(pictures, { target: trunk });
    const half = (from: number) => source.plain(Int32Array.from({ length: 12 }, (_, i) => from + i));
    return { trunk, source, statistics: (): Tensor4D[] => [half(0), half(12)] };
  };
  const options = { layer: 'conv5', pooled: 2, k: 4, sigma: 0.07 };

  it('reads what a copy with statistics taken anew would give', () => {
    const { trunk, source, statistics } = newTrunk();
    const value = knnWatch({ pictures, labels, classes: 3 }, { ...options, statistics })(trunk);
    reestimateBatchNorm(trunk, statistics());
    const features = tf.tidy(() => {
      const all = source.plain(Int32Array.from(labels.keys()));
      const { conv5 } = trunk.features(all, ['conv5'], 'eval');
      return averageCells(conv5 as Tensor4D, 2, 2).reshape<Tensor2D>([labels.length, -1]);
    });
    const expected = slowly(rowsOf(features.dataSync(), features.shape[1]), [...labels], 4, 0.07);
    assert.ok(value > 34 && value < 100, `${value}`);
    assert.ok(Math.abs(value - expected) < 1e-9, `${value}, expected ${expected}`);
    features.dispose();
    trunk.dispose();
  });

  it('leaves weights and running statistics as they were, bit by bit, and no tensors; again it gives the same', () => {
    const { trunk, source, statistics } = newTrunk();
    // Statistics that something has been seen with.
    tf.tidy(() => trunk.embed(source.plain(Int32Array.of(0, 1, 2, 3)), 'train'));
    const watch = knnWatch({ pictures, labels, classes: 3 }, { ...options, statistics });
    const before = hashTrunk(trunk);
    const tensors = tf.memory().numTensors;
    const first = watch(trunk);
    assert.equal(watch(trunk), first);
    assert.equal(hashTrunk(trunk), before);
    assert.equal(tf.memory().numTensors, tensors);
    const interrupted = () =>
      withFreshStatistics(trunk, statistics(), () => {
        assert.notEqual(hashTrunk(trunk), before);
        throw new Error('in the middle');
      });
    assert.throws(interrupted, /in the middle/);
    assert.equal(hashTrunk(trunk), before);
    trunk.dispose();
  });

  it('of few pictures all others vote', () => {
    const { trunk, statistics } = newTrunk();
    const value = knnWatch({ pictures, labels, classes: 3 }, { ...options, statistics, k: 200 })(trunk);
    assert.equal(value, knnWatch({ pictures, labels, classes: 3 }, { ...options, statistics, k: 23 })(trunk));
    trunk.dispose();
  });
});
