import assert from 'node:assert/strict';
import type { LoadedClasses } from '../../../src/images/class-dataset.js';
import { pixelCacheOf } from '../../../src/images/pixel-cache.js';
import { buildTrunk } from '../../../src/network/build-trunk.js';
import type { Trunk } from '../../../src/network/trunk.js';
import { RandomStream } from '../../../src/numeric/random.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { tf, type Tensor2D } from '../../../src/runtime/tensors.js';
import type { Batch, Source } from '../../../src/training/method.js';
import { createSoftmaxClassifier } from '../../../src/transfer/supervised/softmax-classifier.js';
import { trainSupervised } from '../../../src/transfer/supervised/train-supervised.js';

/** Two classes: bright above, bright below. */
const target = (count = 24): LoadedClasses => {
  const random = RandomStream.of(4);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const pictures = Array.from(labels, (label) => ({
    width: 24,
    height: 24,
    channels: 3 as const,
    data: Uint8Array.from({ length: 24 * 24 * 3 }, (_, i) =>
      i < 24 * 12 * 3 === (label === 0) ? 180 + random.integer(60) : random.integer(60),
    ),
  }));
  const cache = pixelCacheOf(pictures);
  return {
    classes: ['above', 'below'],
    train: cache,
    test: cache,
    trainLabels: labels,
    testLabels: labels,
    digest: 'd',
  };
};

/** A network whose only layer is the picture's first `dim` values. */
const flatTrunk = (dim: number): Trunk => ({
  ...buildFake(dim),
  features: (images) => ({ fc: images.reshape([images.shape[0], -1]).slice([0, 0], [-1, dim]) }),
});
const buildFake = (dim: number): Trunk => ({
  architecture: 'fake',
  inputSize: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  layers: [
    { name: 'map', height: 1, width: 1, channels: 3 },
    { name: 'fc', channels: dim },
  ],
  variables: new Map(),
  buffers: new Map(),
  features: () => ({}),
  embed: () => tf.zeros([1, 1]),
  dispose: () => {},
});

describe('the softmax classifier', () => {
  before(() => openRuntime({ threads: 1 }));

  const labels = Int32Array.of(2, 0, 1, 1);
  const source = { length: 4 } as unknown as Source<number>;
  const open = () => {
    const method = createSoftmaxClassifier<number>({ drawView: () => 0, labels, classes: 3 });
    method.init(flatTrunk(3), source, RandomStream.of(1));
    return method;
  };
  const batch = { indices: Int32Array.of(3, 0) } as unknown as Batch;

  it('has the cross-entropy of its linear layer as loss, by the labels of the samples drawn', () => {
    tf.tidy(() => {
      const method = open();
      const x = [
        [1, 2, 0.5],
        [-1, 0.3, 2],
      ];
      const { loss, signals } = method.step([tf.tensor4d(x.flat(), [2, 1, 1, 3])], batch);
      const w = (method.variables().get('weight') as unknown as Tensor2D).arraySync();
      const expected = x.map((row, i) => {
        const z = [0, 1, 2].map((c) => row.reduce((sum, value, d) => sum + value * w[d]![c]!, 0));
        return Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0)) - z[i === 0 ? 1 : 2]!;
      });
      assert.ok(Math.abs(loss.dataSync()[0]! - (expected[0]! + expected[1]!) / 2) < 1e-5);
      assert.ok(Math.abs(loss.dataSync()[0]! - method.uniformLoss(0)) < 0.05, 'it begins near ln classes');
      const { accuracy } = signals;
      assert.ok([0, 0.5, 1].includes((accuracy as Tensor2D).dataSync()[0]!));
      method.dispose();
    });
  });

  it('has the gradient of its loss, by finite differences', () => {
    const method = open();
    const images = tf.tensor4d([1, 2, 0.5, -1, 0.3, 2], [2, 1, 1, 3]);
    const value = (): number => tf.tidy(() => method.step([images], batch).loss.dataSync()[0]!);
    const weight = method.variables().get('weight')!;
    const gradient = tf.tidy(() => {
      const { grads } = tf.variableGrads(() => method.step([images], batch).loss, [...method.variables().values()]);
      return grads[weight.name]!.dataSync().slice();
    });
    const begin = weight.dataSync().slice() as Float32Array;
    for (let i = 0; i < 9; i++) {
      const sides = [1, -1].map((sign) => {
        const moved = begin.slice();
        moved[i]! += sign * 1e-2;
        tf.tidy(() => weight.assign(tf.tensor2d(moved, [3, 3])));
        return value();
      });
      assert.ok(Math.abs((sides[0]! - sides[1]!) / 2e-2 - gradient[i]!) < 1e-3);
    }
    images.dispose();
    method.dispose();
  });

  it('is saved and loaded exactly', () => {
    const [first, second] = [open(), open()];
    tf.tidy(() =>
      first
        .variables()
        .get('bias')!
        .assign(tf.tensor1d([1, 2, 3])),
    );
    second.load(first.save());
    assert.deepEqual(second.save(), first.save());
    for (const method of [first, second]) method.dispose();
  });

  it('refuses labels, layers and sources that do not fit', () => {
    const make = (more: object) => createSoftmaxClassifier({ drawView: () => 0, labels, classes: 3, ...more });
    assert.throws(() => make({ classes: 2 }), /labels from 0 to 1, got `2`/);
    assert.throws(
      () => make({ layer: 'map' }).init(flatTrunk(3), source, RandomStream.of(1)),
      /dense layer of fake, got `map`/,
    );
    assert.throws(
      () => make({ labels: labels.slice(1) }).init(flatTrunk(3), source, RandomStream.of(1)),
      /3 for 4 samples/,
    );
  });
});

describe('supervised training from scratch', () => {
  before(() => openRuntime({ threads: 1 }));

  const options = { seed: 1, steps: 4, batch: 8, augmentation: 'none' as const };
  const trained = async () => {
    const trunk = buildTrunk('small', { random: RandomStream.of(1) });
    const { history } = await trainSupervised(trunk, target(), options);
    const weights = trunk.variables.get('features.0.weight')!.dataSync().slice();
    trunk.dispose();
    return { history, weights };
  };

  it('learns the labels of the training part, to the same bytes for the same seed, and leaves no tensor', async () => {
    const before = tf.memory().numTensors;
    const first = await trained();
    const entry = first.history.at(-1)!;
    assert.ok(entry['accuracy']! > 0.9, `accuracy ${entry['accuracy']}`);
    assert.deepEqual((await trained()).weights, first.weights);
    assert.equal(tf.memory().numTensors, before);
  });

  it('ends when it is asked to, and gives up its tensors', async () => {
    const trunk = buildTrunk('small', { random: RandomStream.of(1) });
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const onProgress = (): void => controller.abort(new Error('enough'));
    await assert.rejects(
      trainSupervised(trunk, target(), { ...options, signal: controller.signal, onProgress }),
      /enough/,
    );
    assert.equal(tf.memory().numTensors, before);
    trunk.dispose();
  });
});
