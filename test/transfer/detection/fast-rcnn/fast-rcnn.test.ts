import assert from 'node:assert/strict';
import { buildTrunk } from '../../../../src/network/build-trunk.js';
import { hashTrunk } from '../../../../src/network/weights.js';
import type { Trunk } from '../../../../src/network/trunk.js';
import { iou } from '../../../../src/numeric/box.js';
import { RandomStream } from '../../../../src/numeric/random.js';
import { openRuntime } from '../../../../src/runtime/open.js';
import { tf } from '../../../../src/runtime/tensors.js';
import { fastRcnn, type FastRcnnResult } from '../../../../src/transfer/detection/fast-rcnn/fast-rcnn.js';
import type { FastRcnnOptions } from '../../../../src/transfer/detection/fast-rcnn/train-fast-rcnn.js';
import { detectionsOf } from '../../../../src/transfer/detection/ensemble.js';
import { evaluateVoc } from '../../../../src/transfer/detection/metrics/voc-ap.js';
import { shapePictures } from '../shapes.js';

const { data, proposals } = shapePictures(24, 12);
const options: FastRcnnOptions = {
  seed: 1,
  layer: 'conv2',
  bins: 3,
  longSidePx: 128,
  hidden: 32,
  steps: 80,
  roisPerPicture: 24,
  rate: 0.02,
};

describe('Fast R-CNN', () => {
  let trunk: Trunk;
  before(async () => {
    await openRuntime({ threads: 1 });
    trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
  });
  after(() => trunk.dispose());

  const run = (more: Partial<FastRcnnOptions> = {}): Promise<FastRcnnResult> =>
    fastRcnn(trunk, data, proposals, { ...options, ...more });
  const map = ({ detections }: Pick<FastRcnnResult, 'detections'>, least = 0.5): number =>
    evaluateVoc(data.test, detections, 2, { iou: least }).map;

  it('finds simple objects on frozen features, and moves boxes onto them better than the proposals lay', async () => {
    const weights = hashTrunk(trunk);
    const tensors = tf.memory().numTensors;
    const result = await run();
    assert.equal(hashTrunk(trunk), weights);
    assert.equal(tf.memory().numTensors, tensors);
    assert.equal(result.trunk, undefined);
    // The same scores on untouched boxes, and with the classes exchanged.
    const still = { detections: detectionsOf(result.scores.map(({ boxes, scores }) => ({ boxes, scores }))) };
    const mistaken = { detections: result.detections.map((d) => ({ ...d, label: 1 - d.label })) };
    assert.ok(map(result) > 80, `mAP ${map(result)}`);
    assert.ok(map(mistaken) < 45, `mAP of the wrong class ${map(mistaken)}`);
    assert.ok(map(result, 0.75) > map(still, 0.75) + 5, `${map(result, 0.75)} against ${map(still, 0.75)}`);
    assert.ok(meanOverlap(result) > meanOverlap(still) + 0.02, `${meanOverlap(result)} ${meanOverlap(still)}`);
  });

  /** Mean IoU of each object with the best scored detection of its class on it. */
  const meanOverlap = ({ detections }: Pick<FastRcnnResult, 'detections'>): number => {
    const found = data.test.flatMap(({ objects }, image) =>
      objects.map(({ box, label }) => {
        const own = detections.filter((d) => d.image === image && d.label === label);
        return own.map((d) => iou(d.box, box)).find((overlap) => overlap > 0.3) ?? 0;
      }),
    );
    return found.reduce((sum, value) => sum + value, 0) / found.length;
  };

  it('gives the same from the same seed, with features kept or computed anew, and other from another', async () => {
    await assert.rejects(run({ bins: 0 }), /Expected `bins` to be an integer from 1, got `0` \(number\)/);
    const few = { steps: 6, boxRegression: false };
    const [first, again, other] = [
      await run(few),
      await run({ ...few, cacheBytes: 0 }),
      await run({ ...few, seed: 2 }),
    ];
    assert.deepEqual(first.losses, again.losses);
    assert.deepEqual(first.detections, again.detections);
    assert.notDeepEqual(first.losses, other.losses);
    assert.ok(first.scores.every(({ regressed }) => regressed === undefined));
  });

  it('fine-tunes a copy of the trunk, statistics of batch norm apart, and hands it on', async () => {
    const weights = hashTrunk(trunk);
    const tensors = tf.memory().numTensors;
    const result = await run({ mode: 'finetune', steps: 40, rate: 0.01 });
    assert.equal(hashTrunk(trunk), weights);
    const tuned = result.trunk!;
    assert.notEqual(hashTrunk(tuned), weights);
    for (const [name, buffer] of tuned.buffers)
      assert.deepEqual(buffer.dataSync(), trunk.buffers.get(name)!.dataSync(), name);
    const moved = (name: string): boolean =>
      tuned.variables
        .get(name)!
        .dataSync()
        .some((value, i) => value !== trunk.variables.get(name)!.dataSync()[i]);
    assert.ok(moved('features.0.weight') && moved('features.5.bias'));
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(mean(result.losses.slice(-5)) < 0.7 * mean(result.losses.slice(0, 5)), result.losses.join());
    assert.ok(map(result) > 50, `mAP ${map(result)}`);
    tuned.dispose();
    assert.equal(tf.memory().numTensors, tensors);
  });

  it('stops when told to, and leaves no tensor behind', async () => {
    const tensors = tf.memory().numTensors;
    for (const mode of ['frozen', 'finetune'] as const) {
      const stop = new AbortController();
      const onProgress = (done: number): void => void (done === 2 && stop.abort(new Error('enough')));
      await assert.rejects(run({ mode, signal: stop.signal, onProgress }), /enough/);
    }
    assert.equal(tf.memory().numTensors, tensors);
  });

  it('says what does not fit', async () => {
    await assert.rejects(run({ layer: 'fc' }), /Expected `layer` to be a layer with a map \(conv1, .*got `fc`/);
    const few = { train: proposals.train.slice(1), test: proposals.test };
    await assert.rejects(
      fastRcnn(trunk, data, few, options),
      /Expected proposals of 24 train pictures, got those of 23/,
    );
    const broken = { train: proposals.train, test: proposals.test.map((boxes) => boxes.slice(1)) };
    await assert.rejects(fastRcnn(trunk, data, broken, options), /to be \[n, 4\]/);
  });

  it('works with max pooling, and on a picture without proposals', async () => {
    const none = {
      train: proposals.train,
      test: proposals.test.map((boxes, i) => (i === 0 ? new Float32Array() : boxes)),
    };
    const { detections, scores } = await fastRcnn(trunk, data, none, { ...options, pooling: 'max', steps: 40 });
    assert.equal(scores[0]!.scores.length, 0);
    assert.ok(detections.every(({ image }) => image > 0));
    assert.ok(map({ detections }) > 40, `mAP ${map({ detections })}`);
  });
});
