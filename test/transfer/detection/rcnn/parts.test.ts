import assert from 'node:assert/strict';
import type { FeatureMatrix } from '../../../../src/neighbors/feature-matrix.js';
import { RandomStream } from '../../../../src/numeric/random.js';
import { openRuntime } from '../../../../src/runtime/open.js';
import { tf, type Tensor, type Tensor4D } from '../../../../src/runtime/tensors.js';
import { mineClassifiers, scoreRows } from '../../../../src/transfer/detection/rcnn/hard-negatives.js';
import { contextShare, warpProposals } from '../../../../src/transfer/detection/rcnn/warp-proposals.js';
import { TensorCache } from '../../../../src/transfer/detection/tensor-cache.js';
import { trainLinearSvm } from '../../../../src/transfer/svm/linear-svm.js';

before(async () => {
  await openRuntime({ threads: 1 });
});

describe('warped proposals', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
  /** A picture that holds each pixel's middle in its first two channels, and 1 in the third. */
  const picture = (height: number, width: number): Tensor4D => {
    const x = tf.tile(tf.reshape(tf.add(tf.range(0, width), 0.5), [1, 1, width, 1]), [1, height, 1, 1]);
    const y = tf.tile(tf.reshape(tf.add(tf.range(0, height), 0.5), [1, height, 1, 1]), [1, 1, width, 1]);
    return tf.concat([x, y, tf.onesLike(x)] as Tensor[], 3) as Tensor4D;
  };

  it('fill the square but for 16 of 227 px on each side, whatever their shape', () => {
    const size = 227;
    const warped = warpProposals(picture(100, 200), Float32Array.of(50, 40, 130, 60), size).dataSync();
    const at = (row: number, column: number): number[] => [
      ...warped.subarray((row * size + column) * 3, (row * size + column) * 3 + 2),
    ];
    // The middle of pixel 16 lies half a pixel inside the proposal, which 195 pixels cover.
    const [x, y] = at(16, 16);
    assert.ok(Math.abs(x! - (50 + (0.5 * 80) / 195)) < 1e-3 && Math.abs(y! - (40 + (0.5 * 20) / 195)) < 1e-3);
    const [right, bottom] = at(210, 210);
    assert.ok(Math.abs(right! - (130 - (0.5 * 80) / 195)) < 1e-3 && Math.abs(bottom! - (60 - (0.5 * 20) / 195)) < 1e-3);
    assert.equal(contextShare, 16 / 227);
  });

  it('show the mean colour beyond the picture, and the mirror image where asked', () => {
    const boxes = Float32Array.of(-40, 0, 40, 80, 10, 10, 50, 50);
    const warped = warpProposals(picture(100, 200), boxes, 32);
    const ones = tf.slice4d(warped, [0, 0, 0, 2], [1, 32, 32, 1]).dataSync();
    assert.equal(ones[16 * 32 + 4], 0);
    assert.ok(ones[16 * 32 + 28]! > 0.999);
    const mirrored = warpProposals(picture(100, 200), boxes, 32, (i) => i === 1);
    const [plain, turned] = [warped, mirrored].map((t) => tf.slice4d(t, [1, 0, 0, 0], [1, 32, 32, 3]));
    const off = tf.max(tf.abs(tf.sub(tf.reverse(plain!, 2), turned!))).dataSync()[0]!;
    assert.ok(off < 1e-3, `${off}`);
  });
});

describe('hard negatives', () => {
  const stack = (rows: readonly (readonly number[])[]): FeatureMatrix => ({
    rows: rows.length,
    dim: rows[0]?.length ?? 2,
    data: Float32Array.from(rows.flat()),
  });

  /** Positives at (1, 1); most negatives far away, but the last picture holds some that only the second value tells from positives. */
  const world = () => {
    const random = RandomStream.of(1, 'world');
    const around = (x: number, y: number, count: number) =>
      Array.from({ length: count }, () => [x + random.normal(0, 0.05), y + random.normal(0, 0.05)]);
    const pictures = [around(-3, 0, 300), around(-3, 0, 300), [...around(-3, 0, 280), ...around(1, 0.2, 20)]].map(
      stack,
    );
    return { positives: stack(around(1, 1, 20)), pictures };
  };
  const free = (features: FeatureMatrix) => ({ features, negative: new Uint8Array(features.rows).fill(1) });
  const options = { c: 100, firstNegatives: 5 };

  it('are found and learned, and give the classifier of all negatives at once', () => {
    const { positives, pictures } = world();
    const read = (i: number) => free(pictures[i]!);
    // The seed's first draw holds none of the twenty hard ones, or little would be shown.
    const mined = mineClassifiers([positives], 3, read, RandomStream.of(4, 'draw'), { ...options, passes: 3 })[0]!;
    const unmined = mineClassifiers([positives], 3, read, RandomStream.of(4, 'draw'), { ...options, passes: 0 })[0]!;
    const hardOnes = stack(
      Array.from({ length: 20 }, (_, i) => [...pictures[2]!.data.subarray((280 + i) * 2, (281 + i) * 2)]),
    );
    const wrong = (svm: typeof mined): number => scoreRows(hardOnes, [svm]).filter((score) => score > 0).length;
    assert.equal(wrong(mined), 0);
    assert.ok(wrong(unmined) > 10, `${wrong(unmined)}`);
    const everything = stack(
      [positives, ...pictures].flatMap(({ rows, data }) =>
        Array.from({ length: rows }, (_, i) => [...data.subarray(i * 2, i * 2 + 2)]),
      ),
    );
    const labels = new Int8Array(everything.rows).fill(-1).fill(1, 0, positives.rows);
    const whole = trainLinearSvm(everything, labels, {
      c: 100,
      positiveWeight: 2,
      interceptScaling: 10,
      tolerance: 1e-6,
    });
    whole.weights.forEach((weight, j) =>
      assert.ok(Math.abs(weight - mined.weights[j]!) < 0.05 * Math.abs(weight) + 0.05, `${weight} ${mined.weights[j]}`),
    );
  });

  it('are never taken from rows that are no negatives of the class', () => {
    const { positives, pictures } = world();
    // The hard ones overlap the object by more than 0.3: neither positive nor negative.
    const read = (i: number) => {
      const rows = free(pictures[i]!);
      if (i === 2) rows.negative.fill(0, 280);
      return rows;
    };
    const [svm] = mineClassifiers([positives], 3, read, RandomStream.of(4, 'draw'), { ...options, passes: 3 });
    const between = scoreRows(stack([[1, 0.2]]), [svm!])[0]!;
    assert.ok(between > 0, `${between}`);
  });

  it('leave a class without positives saying no, and give the same from the same seed', () => {
    const { positives, pictures } = world();
    const read = (i: number) => {
      const { features } = free(pictures[i]!);
      return { features, negative: new Uint8Array(features.rows * 2).fill(1) };
    };
    const none = { rows: 0, dim: 2, data: new Float32Array() };
    const mine = () =>
      mineClassifiers([positives, none], 3, read, RandomStream.of(4, 'draw'), { c: 1, retrainAfter: 7 });
    const first = mine();
    assert.deepEqual(first[1], { weights: new Float64Array(2), bias: -1 });
    assert.deepEqual(mine(), first);
  });
});

describe('a cache of tensors', () => {
  it('keeps what fits, makes the rest anew, and leaves nothing behind', () => {
    const before = tf.memory().numTensors;
    const made: number[] = [];
    const cache = new TensorCache(24, (i) => {
      made.push(i);
      return tf.tidy(() => tf.fill([i === 0 ? 10 : 3], i));
    });
    for (const i of [0, 1, 2, 3, 0, 1, 2, 3])
      assert.equal(
        tf.tidy(() => cache.read(i).dataSync()[0]),
        i,
      );
    assert.deepEqual(made, [0, 1, 2, 3, 0, 3]);
    cache.dispose();
    assert.equal(tf.memory().numTensors, before);
  });
});
