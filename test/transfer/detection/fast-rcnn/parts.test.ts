import assert from 'node:assert/strict';
import type { DetectionObject } from '../../../../src/images/detection-dataset.js';
import { RandomStream } from '../../../../src/numeric/random.js';
import { openRuntime } from '../../../../src/runtime/open.js';
import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../../../../src/runtime/tensors.js';
import { boxLoss, decodeBoxes, encodeBox } from '../../../../src/transfer/detection/fast-rcnn/box-regression.js';
import { createHead, measureScale } from '../../../../src/transfer/detection/fast-rcnn/head.js';
import { roiFeatures } from '../../../../src/transfer/detection/fast-rcnn/roi-features.js';
import { sampleRois } from '../../../../src/transfer/detection/fast-rcnn/sample-rois.js';
import { matchProposals, overlapsByClass } from '../../../../src/transfer/detection/match-proposals.js';
import { flipBoxes, pictureTensor } from '../../../../src/transfer/detection/picture-tensor.js';
import { assertNumericGradient, difference, numbers } from '../../../runtime/gradient-check.js';

const object = (x: number, y: number, side: number, more: Partial<DetectionObject> = {}): DetectionObject => ({
  label: 0,
  box: { x, y, width: side, height: side },
  difficult: false,
  crowd: false,
  ...more,
});

describe('proposals on objects', () => {
  const boxes = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 5, 20, 20, 30, 30, 40, 0, 60, 20, 50, 50, 55, 55);

  it('belong to the object that they overlap most', () => {
    const { overlap, object: which, ignored } = matchProposals(boxes, [object(0, 0, 10), object(22, 22, 10)]);
    assert.deepEqual([...which], [0, 0, 1, -1, -1]);
    assert.deepEqual(
      [...overlap].map((value) => +value.toFixed(4)),
      [1, 0.5, +(64 / 136).toFixed(4), 0, 0],
    );
    assert.ok(ignored.every((value) => value === 0));
  });

  it('are neither object nor background where they lie on a difficult one or inside a crowd', () => {
    const objects = [object(0, 0, 10, { difficult: true }), object(45, 45, 30, { crowd: true, label: 1 })];
    const { overlap, ignored } = matchProposals(boxes, objects);
    assert.deepEqual([...ignored], [1, 1, 0, 0, 1]);
    assert.ok(overlap.every((value) => value === 0));
    assert.deepEqual(
      [...overlapsByClass(boxes, objects, 2)].map((value) => +value.toFixed(2)),
      [1, 0, 0.5, 0, 0, 0, 0, 0, 0, 1],
    );
    // Well placed on an object that counts, one is an object all the same.
    assert.equal(matchProposals(boxes, [...objects, object(0, 0, 10)]).ignored[0], 0);
  });

  it('are drawn a quarter on objects, the rest from those that touch one', () => {
    const random = RandomStream.of(3);
    const truth = [object(100, 100, 50)];
    const near = Float32Array.from({ length: 400 * 4 }, (_, i) => (i % 4 < 2 ? 100 : 150) + random.uniform(-40, 40));
    const match = matchProposals(near, truth);
    const { boxes: drawn, labels, targets } = sampleRois(near, match, truth, random, { count: 32 });
    assert.equal(labels.filter((label) => label === 0).length, 8);
    const again = matchProposals(drawn, truth).overlap;
    again.forEach((iou, i) => assert.ok(labels[i] === 0 ? iou >= 0.5 : iou >= 0.1 && iou < 0.5, `${iou}`));
    const moved = decodeBoxes(drawn, targets, 1000, 1000);
    labels.forEach((label, i) => {
      if (label === 0) [100, 100, 150, 150].forEach((side, k) => assert.ok(Math.abs(moved[i * 4 + k]! - side) < 1e-3));
    });
  });

  it('are drawn from those that touch nothing where a picture has no others', () => {
    const { labels } = sampleRois(boxes, matchProposals(boxes, []), [], RandomStream.of(1), { count: 4 });
    assert.deepEqual([...labels], [-1, -1, -1, -1]);
  });
});

describe('box regression', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('gives by hand what moves one box onto another, and takes it back', () => {
    const delta = encodeBox([10, 10, 20, 30], [15, 10, 35, 30]);
    // Middle 10 px to the right of a side of 10; twice as wide.
    assert.deepEqual(
      delta.map((value) => +value.toFixed(6)),
      [10, 0, +(Math.log(2) / 0.2).toFixed(6), 0],
    );
    const moved = decodeBoxes(Float32Array.of(10, 10, 20, 30), Float32Array.from([...delta, 0, 0, 0, 0]), 100, 100);
    assert.deepEqual(
      [...moved].map((value) => +value.toFixed(3)),
      [15, 10, 35, 30, 10, 10, 20, 30],
    );
  });

  it('clips to the picture, and does not follow a wild guess', () => {
    const moved = decodeBoxes(Float32Array.of(10, 10, 20, 30), Float32Array.of(0, 0, 1e6, -1e6), 100, 50);
    assert.deepEqual(
      [...moved].map((value) => +value.toFixed(3)),
      [0, 20, 100, 20],
    );
  });

  it("has a loss that is half a square up to 1 and a line beyond, of the object's own class, over all rows", () => {
    tf.tidy(() => {
      const deltas = tf.tensor2d([9, 9, 9, 9, 0.5, 0, 3, 0, 1, 1, 1, 1, 1, 1, 1, 1], [2, 8]);
      const loss = boxLoss(deltas, Int32Array.of(1, -1), new Float32Array(8));
      assert.ok(Math.abs(loss.dataSync()[0]! - (0.125 + 2.5) / 2) < 1e-6);
      const targets = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i) * 2);
      const wide = tf.mul(numbers([3, 8]), 2);
      assertNumericGradient((x) => boxLoss(x as Tensor2D, Int32Array.of(0, -1, 1), targets), [wide], { step: 1e-3 });
    });
  });
});

describe('what the head sees', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
  const trunk = { inputSize: 8, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as unknown as Parameters<
    typeof pictureTensor
  >[1];

  it('is a picture scaled to its long side, normalised, mirrored, and filled up with the mean colour', () => {
    const data = Uint8Array.from({ length: 12 * 6 * 3 }, (_, i) => (Math.floor(i / 3) % 12) * 20);
    const raster = { width: 12, height: 6, channels: 3 as const, data };
    const plain = pictureTensor(raster, trunk);
    assert.deepEqual(plain.shape, [1, 8, 12, 3]);
    const values = plain.dataSync();
    assert.ok(Math.abs(values[3 * 3]! - (60 / 255 - 0.5) / 0.25) < 1e-5);
    assert.equal(values[7 * 12 * 3], 0);
    const mirrored = pictureTensor(raster, trunk, { flip: true });
    assert.ok(difference(tf.reverse(plain, 2), mirrored) < 1e-6);
    assert.deepEqual(pictureTensor(raster, trunk, { longSidePx: 24 }).shape, [1, 12, 24, 3]);
    assert.deepEqual([...flipBoxes(Float32Array.of(1, 2, 5, 6), 12)], [7, 2, 11, 6]);
  });

  it('is a region read where the layer says that its cells lie', () => {
    // A map that holds each cell's own middle in px: a region must read its own middle back.
    const layer = { name: 'x', height: 1, width: 1, channels: 1, stride: 16, offset: 6.5 };
    const middles = tf.add(tf.mul(tf.range(0, 12), 16), 6.5);
    const map = tf.tile(tf.reshape(middles, [1, 1, 12, 1]), [1, 8, 1, 1]) as Tensor4D;
    const [read] = roiFeatures(map, Float32Array.of(20, 20, 50, 50), 2, layer, 'align', 1).dataSync();
    assert.ok(Math.abs(read! - 70) < 1e-3);
    // The corner pixels 40 and 99 lie nearest the cells with middles 38.5 and 102.5; the largest of those is kept.
    const [most] = roiFeatures(map, Float32Array.of(20, 20, 50, 50), 2, layer, 'max', 1).dataSync();
    assert.equal(most, 102.5);
  });

  it('is standardised a channel, and answered by as many logits and deltas as there are classes', () => {
    const features = tf.add(tf.mul(numbers([40, 8]), [1, 2, 3, 4, 1, 2, 3, 4]), [0, 1, 2, 3, 0, 1, 2, 3]) as Tensor2D;
    const scale = measureScale(features, 4);
    const rows = features.reshape([80, 4]);
    assert.ok(difference(tf.tensor1d(scale.mean), tf.mean(rows, 0) as Tensor) < 1e-5);
    const head = createHead({ dim: 8, classes: 3, hidden: 5, boxRegression: true, scale, random: RandomStream.of(1) });
    const { logits, deltas } = head.apply(features);
    assert.deepEqual(
      [logits.shape, deltas!.shape],
      [
        [40, 4],
        [40, 12],
      ],
    );
    // A shift and scale of a channel that the scale knows about changes nothing.
    const moved = { mean: scale.mean.map((value) => value * 2 + 1), std: scale.std.map((value) => value * 2) };
    const other = createHead({
      dim: 8,
      classes: 3,
      hidden: 5,
      boxRegression: true,
      scale: moved,
      random: RandomStream.of(1),
    });
    assert.ok(difference(other.apply(tf.add(tf.mul(features, 2), 1)).logits, logits) < 1e-5);
    head.dispose();
    other.dispose();
  });
});
