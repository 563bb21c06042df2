import assert from 'node:assert/strict';
import { buildTrunk } from '../../../../src/network/build-trunk.js';
import { hashTrunk } from '../../../../src/network/weights.js';
import type { Trunk } from '../../../../src/network/trunk.js';
import { RandomStream } from '../../../../src/numeric/random.js';
import { openRuntime } from '../../../../src/runtime/open.js';
import { tf } from '../../../../src/runtime/tensors.js';
import { ensembleDetections } from '../../../../src/transfer/detection/ensemble.js';
import { evaluateVoc } from '../../../../src/transfer/detection/metrics/voc-ap.js';
import { rcnn, type RcnnOptions, type RcnnResult } from '../../../../src/transfer/detection/rcnn/rcnn.js';
import { shapePictures } from '../shapes.js';

const { data, proposals } = shapePictures(12, 8);
/** Enough for what does not depend on how well it is done. */
const few = shapePictures(4, 2);
const options: RcnnOptions = { seed: 1, layer: 'fc', fineTune: { steps: 6, positives: 4, negatives: 8 } };

describe('R-CNN', () => {
  let trunk: Trunk;
  before(async () => {
    await openRuntime({ threads: 1 });
    trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
  });
  after(() => trunk.dispose());

  const map = ({ detections }: Pick<RcnnResult, 'detections'>): number => evaluateVoc(data.test, detections, 2).map;

  it('finds simple objects on frozen features', async () => {
    const tensors = tf.memory().numTensors;
    const result = await rcnn(trunk, data, proposals, { ...options, fineTune: false });
    assert.equal(tf.memory().numTensors, tensors);
    assert.equal(result.trunk, undefined);
    assert.deepEqual(result.losses, []);
    const chance = result.detections.map((d, i) => ({ ...d, score: RandomStream.of(i).uniform() }));
    assert.ok(map(result) > 60, `mAP ${map(result)}`);
    assert.ok(map({ detections: chance }) < 30, `chance ${map({ detections: chance })}`);
  });

  it('fine-tunes a copy, hands it on for more training, and does the same again from the same seed', async () => {
    const weights = hashTrunk(trunk);
    const tensors = tf.memory().numTensors;
    const first = await rcnn(trunk, few.data, few.proposals, options);
    assert.equal(hashTrunk(trunk), weights);
    assert.notEqual(hashTrunk(first.trunk!), weights);
    assert.equal(first.losses.length, 6);
    assert.ok(first.losses.at(-1)! < first.losses[0]!, first.losses.join());
    const again = await rcnn(trunk, few.data, few.proposals, { ...options, cacheBytes: 0 });
    assert.deepEqual(again.losses, first.losses);
    assert.deepEqual(again.detections, first.detections);
    // The iterative scheme: what was tuned is where the next begins.
    const next = await rcnn(first.trunk!, few.data, few.proposals, { ...options, fineTune: { steps: 1 } });
    assert.ok(ensembleDetections([first.scores, next.scores]).length > 0);
    for (const { trunk: tuned } of [first, again, next]) tuned!.dispose();
    assert.equal(tf.memory().numTensors, tensors);
  });

  it('stops when told to, leaves no tensor behind, and says what does not fit', async () => {
    const tensors = tf.memory().numTensors;
    const stop = new AbortController();
    const onProgress = (done: number): void => void (done === 7 && stop.abort(new Error('enough')));
    await assert.rejects(
      rcnn(trunk, few.data, few.proposals, { ...options, signal: stop.signal, onProgress }),
      /enough/,
    );
    await assert.rejects(
      rcnn(trunk, few.data, few.proposals, { ...options, layer: 'conv9' }),
      /Expected `layer`.*got `conv9`/,
    );
    await assert.rejects(
      rcnn(trunk, few.data, { ...few.proposals, test: [] }, options),
      /2 test pictures, got those of 0/,
    );
    assert.equal(tf.memory().numTensors, tensors);
  });
});
