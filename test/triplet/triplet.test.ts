import assert from 'node:assert/strict';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch, Source } from '../../src/training/method.js';
import { createTriplet, type TripletOptions } from '../../src/triplet/triplet.js';

/** A trunk whose embedding is the image itself, as unit rows. */
const passThrough = {
  embed: (images: Tensor4D) => {
    const rows = tf.reshape(images, [images.shape[0], -1]) as Tensor2D;
    return tf.div(rows, tf.norm(rows, 2, 1, true)) as Tensor2D;
  },
  layers: [{ name: 'embedding', channels: 3 }],
} as unknown as Trunk;

const images = (rows: number[][]): Tensor4D => tf.tensor4d(rows.flat(), [rows.length, 1, 1, rows[0]!.length]);

const batch = (videos: number[], step: number): Batch => ({
  indices: Int32Array.from(videos, (_, i) => i),
  videos: Int32Array.from(videos),
  step,
  epoch: 0,
  random: RandomStream.of(1, 'step', step),
});

const triplet = (options: Partial<TripletOptions<string>> = {}) => {
  const method = createTriplet<string>({
    drawView: (end, random) => `${end}${random.integer(1000)}`,
    steps: 100,
    ...options,
  });
  method.init(passThrough, {} as Source<string>, RandomStream.of(1));
  return method;
};

describe('triplet method', () => {
  before(() => openRuntime({ threads: 1 }));

  it('takes the two ends of a track as views, each with a draw of its own', () => {
    const [a, b, ...more] = triplet().views({ index: 0, video: 0, paired: true }, RandomStream.of(3));
    assert.equal(more.length, 0);
    assert.match(a!, /^a\d+$/);
    assert.match(b!, /^b\d+$/);
    assert.notEqual(a!.slice(1), b!.slice(1));
  });

  it('begins at the margin for equal features, which it names as the loss of having learned nothing', () => {
    tf.tidy(() => {
      const method = triplet({ margin: 0.5, negatives: 2 });
      const same = images([
        [1, 2],
        [1, 2],
        [1, 2],
      ]);
      const { loss, signals } = method.step([same, same], batch([0, 1, 2], 0));
      assert.ok(Math.abs(loss.dataSync()[0]! - 0.5) < 1e-6);
      assert.equal(method.uniformLoss(0), 0.5);
      assert.ok(Math.abs(Number(signals['negative']) - 1) < 1e-6);
    });
  });

  it('pairs of one video are no negatives of each other', () => {
    tf.tidy(() => {
      const same = images([
        [1, 2],
        [1, 2],
      ]);
      const { loss } = triplet().step([same, same], batch([4, 4], 0));
      assert.equal(loss.dataSync()[0], 0);
    });
  });

  it('mines hard negatives only after its share of random ones', () => {
    // One anchor's hardest negative is far more similar than all the rest; K = 1, so that only hard mining must take it.
    const random = RandomStream.of(8);
    const directions = Array.from({ length: 40 }, () => Array.from({ length: 30 }, () => random.normal()));
    directions[1] = directions[0]!.map((value, i) => value + (i < 3 ? 0.1 : 0));
    const first = images(directions);
    const videos = directions.map((_, i) => i);
    const lossAt = (step: number): number =>
      tf.tidy(
        () =>
          triplet({ negatives: 1, hardRatio: 1, randomRatio: 0, randomShare: 0.3, steps: 100, margin: 1 })
            .step([first, first], batch(videos, step))
            .loss.dataSync()[0]!,
      );
    // Hard mining takes the worst of each anchor: its loss is the largest that one negative an anchor can give.
    assert.equal(lossAt(30), lossAt(99));
    assert.ok(lossAt(29) < 0.5 * lossAt(30), `${lossAt(29)} and ${lossAt(30)}`);
  });

  /** Three pairs, the first two of one video. */
  const threePairs = [
    [1, 0, 0],
    [0.9, 0.1, 0],
    [0, 0, 1],
  ];

  it('takes tracks of the same video that are apart as negatives, if asked', () => {
    const lossWith = (sameVideoNegatives: boolean, apart: (index: number, other: number) => boolean): number => {
      const method = createTriplet<string>({ drawView: () => '', steps: 10, negatives: 8, sameVideoNegatives });
      method.init(passThrough, { apart } as Source<string>, RandomStream.of(1));
      return tf.tidy(() => {
        const ends = images(threePairs);
        return method.step([ends, ends], batch([3, 3, 5], 0)).loss.dataSync()[0]!;
      });
    };
    assert.equal(
      lossWith(false, () => true),
      0,
    );
    assert.equal(
      lossWith(true, () => false),
      0,
    );
    // Two anchors of three have two rows each, at cosine 0.9939, for both members; K is 8.
    const cosine = 0.9 / Math.hypot(0.9, 0.1);
    const expected = (2 * 2 * 2 * (cosine - 1 + 0.5)) / (2 * 8 * 3);
    const found = lossWith(true, (index, other) => index !== other);
    assert.ok(Math.abs(found - expected) < 1e-6, String(found));
  });

  it('keeps embeddings of earlier batches as negatives, but none before there was a batch, and goes on from a saved state', () => {
    const open = () => {
      const method = createTriplet<string>({ drawView: () => '', steps: 10, negatives: 8, queue: 4 });
      method.init(passThrough, {} as Source<string>, RandomStream.of(1));
      return method;
    };
    const stepOf = (method: ReturnType<typeof open>, rows: number[][], videos: number[]): number =>
      tf.tidy(() => {
        const { loss, commit } = method.step([images(rows), images(rows)], batch(videos, 0));
        commit!();
        return loss.dataSync()[0]!;
      });
    const method = open();
    assert.equal(stepOf(method, [[1, 0, 0]], [1]), 0);
    const other = open();
    other.load(method.save());
    // The same direction again, of another video: a hinge of the margin at each of the two rows that were kept; K is 8.
    const second = stepOf(method, [[1, 0, 0]], [2]);
    assert.ok(Math.abs(second - (2 * 2 * 0.5) / (2 * 8)) < 1e-6, String(second));
    assert.equal(stepOf(other, [[1, 0, 0]], [2]), second);
    // Of the same video they are none: now the two rows of video 1 alone.
    assert.ok(Math.abs(stepOf(method, [[1, 0, 0]], [2]) - second) < 1e-6);
    // The queue holds four rows: by now those of video 2.
    assert.equal(stepOf(method, [[1, 0, 0]], [2]), 0);
    for (const each of [method, other]) each.dispose();
  });

  it('refuses parameters out of range', () => {
    assert.throws(() => triplet({ queue: -1 }), /Expected `queue` to be a whole number of at least 0, got `-1`/);
    assert.throws(() => triplet({ perVideo: 0 }), /Expected `perVideo` to be a whole number of at least 1, got `0`/);
    assert.throws(() => triplet({ margin: -1 }), /Expected `margin` to be a number above 0, got `-1` \(number\)/);
    assert.throws(() => triplet({ randomShare: 1.5 }), /Expected `randomShare` to be a number from 0 to 1, got `1.5`/);
  });
});
