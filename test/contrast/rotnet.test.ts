import assert from 'node:assert/strict';
import { createRotnet, type RotnetOptions } from '../../src/contrast/rotnet/rotnet.js';
import { rotate } from '../../src/contrast/rotate.js';
import { allRotations, rotationLabels } from '../../src/contrast/rotnet/all-rotations.js';
import { rotationLoss } from '../../src/contrast/rotnet/rotation-loss.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch } from '../../src/training/method.js';
import { assertNumericGradient, numbers } from '../runtime/gradient-check.js';
import { assertLearns } from './assert-learns.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';
import { tinyTrunk } from './tiny-trunk.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

/** The definition, term by term, in float64: row `q N + i` is picture i turned q times. */
const slowLoss = (logits: number[][]): number => {
  const pictures = logits.length / 4;
  let total = 0;
  for (let i = 0; i < pictures; i++) {
    for (let q = 0; q < 4; q++) {
      const z = logits[q * pictures + i]!;
      total -= z[q]! - Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
    }
  }
  return total / (4 * pictures);
};

describe('rotations of pictures', () => {
  before(() => openRuntime({ threads: 1 }));

  const picture = (rows: number[][]): Tensor4D => tf.tensor4d(rows.flat(), [1, rows.length, rows[0]!.length, 1]);
  const rowsOf = (image: Tensor4D): number[][] =>
    (tf.squeeze(image, [0, 3]).arraySync() as number[][]).map((row) => [...row]);

  it('go counterclockwise, a quarter turn at a time', () => {
    tf.tidy(() => {
      const upright = picture([
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ]);
      const turned = [0, 1, 2, 3].map((quarters) => rowsOf(rotate(upright, quarters)));
      assert.deepEqual(turned, [
        [
          [1, 2, 3],
          [4, 5, 6],
          [7, 8, 9],
        ],
        [
          [3, 6, 9],
          [2, 5, 8],
          [1, 4, 7],
        ],
        [
          [9, 8, 7],
          [6, 5, 4],
          [3, 2, 1],
        ],
        [
          [7, 4, 1],
          [8, 5, 2],
          [9, 6, 3],
        ],
      ]);
    });
  });

  it('four times by 90 degrees are the picture itself, to the bit, and compose', () => {
    tf.tidy(() => {
      const images = numbers([3, 7, 7, 3]) as Tensor4D;
      let turned = images;
      for (const quarters of [1, 2, 3]) {
        turned = rotate(turned, 1);
        assert.deepEqual(turned.dataSync(), rotate(images, quarters).dataSync());
      }
      assert.deepEqual(rotate(turned, 1).dataSync(), images.dataSync());
      assert.deepEqual(rotate(images, 0).dataSync(), images.dataSync());
    });
  });

  it('turned before or after a mirror image are different classes: 90 becomes 270, and pictures are mirrored first', () => {
    tf.tidy(() => {
      const images = numbers([2, 5, 5, 3]) as Tensor4D;
      const mirrored = tf.reverse(images, 2);
      assert.deepEqual(tf.reverse(rotate(images, 1), 2).dataSync(), rotate(mirrored, 3).dataSync());
    });
  });

  it('lie in one batch, rotation by rotation, as the labels say', () => {
    tf.tidy(() => {
      const images = numbers([2, 4, 4, 3]) as Tensor4D;
      const all = allRotations(images);
      const labels = rotationLabels(2);
      assert.deepEqual(labels, Int32Array.of(0, 0, 1, 1, 2, 2, 3, 3));
      labels.forEach((quarters, row) => {
        const expected = rotate(tf.slice(images, row % 2, 1), quarters);
        assert.deepEqual(tf.slice(all, row, 1).dataSync(), expected.dataSync());
      });
    });
  });

  it('are of square pictures, by whole quarters', () => {
    assert.throws(() => rotate(tf.zeros([1, 4, 5, 3]), 1), /square pictures, got 4 x 5 px/);
    assert.throws(() => rotate(tf.zeros([1, 4, 4, 3]), 4), /Expected `quarters`.*got `4` \(number\)/);
  });
});

describe('rotation loss', () => {
  before(() => openRuntime({ threads: 1 }));

  it('agrees with the definition term by term, and is ln 4 for equal logits', () => {
    tf.tidy(() => {
      const logits = numbers([12, 4], 3) as Tensor2D;
      close(rotationLoss(logits).dataSync()[0]!, slowLoss(logits.arraySync()));
      close(rotationLoss(tf.zeros([8, 4])).dataSync()[0]!, Math.log(4));
    });
  });

  it('has the gradient of central differences', () => {
    assertNumericGradient((logits: Tensor) => rotationLoss(logits as Tensor2D), [numbers([8, 4], 5)]);
  });

  it('does not mind the order of the pictures, but that of the rotations', () => {
    tf.tidy(() => {
      const logits = numbers([12, 4], 3) as Tensor2D;
      const reordered = (order: number[]) =>
        rotationLoss(tf.gather(logits, tf.tensor1d(order, 'int32'))).dataSync()[0]!;
      const value = rotationLoss(logits).dataSync()[0]!;
      close(reordered([2, 0, 1, 5, 3, 4, 8, 6, 7, 11, 9, 10]), value);
      assert.ok(Math.abs(reordered([3, 4, 5, 0, 1, 2, 6, 7, 8, 9, 10, 11]) - value) > 1e-3);
    });
  });
});

describe('rotation prediction', () => {
  before(() => openRuntime({ threads: 2 }));

  const rotnet = (options: Partial<RotnetOptions<TestView>> = {}) =>
    createRotnet<TestView>({ drawView: drawTestView(), cells: 3, hidden: 8, ...options });
  const open = (options: Partial<RotnetOptions<TestView>> = {}, trunk: Trunk = tinyTrunk()) => {
    const method = rotnet(options);
    method.init(trunk, testSource(), RandomStream.of(1));
    return { trunk, method };
  };
  const batch = { step: 0, epoch: 0, random: RandomStream.of(1) } as Batch;

  it('learns through trunk and classifier, and leaves no tensor behind', () => {
    const { trunk, method } = open({}, buildTrunk('small', { random: RandomStream.of(1, 'trunk') }));
    const images = numbers([2, 48, 48, 3]) as Tensor4D;
    assertLearns(method, trunk, [images], batch);
    images.dispose();
    method.dispose();
    trunk.dispose();
  });

  it('reads the map in as many parts as it is told, with the hidden layer it is told', () => {
    for (const [cells, hidden, shapes] of [
      [3, 8, [[54, 8], [8], [8], [8], [8, 4], [4]]],
      [1, 0, [[6, 4], [4]]],
    ] as const) {
      const { trunk, method } = open({ cells, hidden });
      assert.deepEqual(
        [...method.variables().values()].map(({ shape }) => shape),
        shapes,
      );
      method.dispose();
      trunk.dispose();
    }
  });

  it('takes one view, and names the loss of chance', () => {
    const method = rotnet();
    assert.equal(method.views({ index: 0, video: 0, paired: false }, RandomStream.of(1)).length, 1);
    close(method.uniformLoss(0), Math.log(4));
  });

  it('refuses parameters out of range, and to run before it was set up', () => {
    assert.throws(() => rotnet({ cells: 0 }), /Expected `cells` to be a whole number above 0, got `0` \(number\)/);
    assert.throws(() => rotnet({ hidden: -1 }), /Expected `hidden`/);
    assert.throws(() => rotnet().save(), /Expected `init`/);
  });

  it('goes on exactly after a kill at any step', () =>
    assertExactResume(rotnet, { size: 48, steps: 4, batchSize: 2, samples: 5 }));
});
