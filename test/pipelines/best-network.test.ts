import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bestFolder, saveBest } from '../../pipelines/benchmark/best-network.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { hashTrunk, loadTrunk, weightsOf } from '../../src/network/weights.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf } from '../../src/runtime/tensors.js';

describe('the network at its best look', () => {
  let outputs: string;
  before(async () => {
    await openRuntime({ threads: 1 });
    outputs = await mkdtemp(path.join(tmpdir(), 'best-network-'));
  });
  after(() => rm(outputs, { recursive: true, force: true }));

  it('is a model folder of its own, finished as every network is, and the last weights stay to the bit', async () => {
    const [trunk, earlier] = [1, 2].map((seed) => buildTrunk('small-half', { random: RandomStream.of(seed) }));
    const [last, best] = [hashTrunk(trunk!), hashTrunk(earlier!)];
    const point = { signal: 'knn', higher: true, step: 30, value: 41.5 };
    const tensors = tf.memory().numTensors;
    let finished = 0;
    const files = await saveBest(outputs, trunk!, { point, weights: weightsOf(earlier!) }, () => {
      finished++;
      assert.equal(hashTrunk(trunk!), best);
      const [, mean] = [...trunk!.buffers].find(([name]) => name.endsWith('running_mean'))!;
      tf.tidy(() => mean.assign(tf.onesLike(mean)));
    });
    assert.equal(finished, 1);
    assert.deepEqual(files, [`${bestFolder}/weights.safetensors`, `${bestFolder}/model.json`]);
    assert.equal(hashTrunk(trunk!), last);
    assert.equal(tf.memory().numTensors, tensors);
    const { trunk: read, description } = await loadTrunk(path.join(outputs, bestFolder));
    assert.deepEqual(description.how, point);
    assert.notEqual(hashTrunk(read), best);
    assert.deepEqual(
      read.variables.get('features.0.weight')!.dataSync(),
      earlier!.variables.get('features.0.weight')!.dataSync(),
    );
    for (const network of [trunk!, earlier!, read]) network.dispose();
  });

  it('leaves the last weights also where it cannot be written', async () => {
    const trunk = buildTrunk('small-half', { random: RandomStream.of(1) });
    const last = hashTrunk(trunk);
    const weights = new Map(
      [...weightsOf(trunk)].map(([name, { shape, data }]) => [name, { shape, data: data.map(() => 1) }]),
    );
    const point = { signal: 'knn', higher: true, step: 30, value: 41.5 };
    const full = () => {
      throw new Error('no space left');
    };
    await assert.rejects(saveBest(outputs, trunk, { point, weights }, full), /no space left/);
    assert.equal(hashTrunk(trunk), last);
    trunk.dispose();
  });
});
