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

  it('refuses parameters out of range', () => {
    assert.throws(() => triplet({ margin: -1 }), /Expected `margin` to be a number above 0, got `-1` \(number\)/);
    assert.throws(() => triplet({ randomShare: 1.5 }), /Expected `randomShare` to be a number from 0 to 1, got `1.5`/);
  });
});
