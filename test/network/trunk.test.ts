import assert from 'node:assert/strict';
import { reestimateBatchNorm } from '../../src/network/batch-norm-statistics.js';
import { buildTrunk, parametersOf } from '../../src/network/build-trunk.js';
import { drawInitial } from '../../src/network/parameters.js';
import { basicBlock } from '../../src/network/residual.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor4D } from '../../src/runtime/tensors.js';

const noise = (seed: number, batch: number, size = 96): Tensor4D => {
  const random = RandomStream.of(seed, 'images');
  return tf.tensor4d(
    Float32Array.from({ length: batch * size * size * 3 }, () => random.normal()),
    [batch, size, size, 3],
  );
};

const trainable = (architecture: string): number =>
  parametersOf(architecture)
    .filter((spec) => spec.trainable)
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);

describe('trunks', () => {
  let trunk: Trunk;
  before(async () => {
    await openRuntime({ threads: 1 });
    trunk = buildTrunk('small', { random: RandomStream.of(1) });
  });
  after(() => trunk.dispose());

  it('have as many parameters as they say', () => {
    assert.equal(trainable('small'), 1_564_144);
    assert.equal(trainable('caffenet'), 44_282_240);
    // torchvision's counts less its classifier of 1000, and with the dense layers here.
    assert.equal(trainable('resnet18'), 11_689_512 - 513_000 + 513 * 128);
    assert.equal(trainable('resnet50'), 25_557_032 - 2_049_000 + 2049 * 128);
    assert.equal(trainable('vgg16'), 138_357_544 - 16_781_312 - 4_097_000 + 4097 * 1024);
    assert.equal(trainable('alexnet'), 61_100_840 - 16_781_312 - 4_097_000 + 4097 * 1024);
    assert.equal(trainable('alexnet-bn'), 45_696_736);
  });

  it('ResNets have the names of torchvision, and a shortcut only where the shape changes', () => {
    const names = parametersOf('resnet50').map(({ name }) => name);
    for (const name of [
      'conv1.weight',
      'bn1.running_var',
      'layer1.0.downsample.1.bias',
      'layer4.2.conv3.weight',
      'fc.bias',
    ]) {
      assert.ok(names.includes(name), name);
    }
    assert.ok(!names.includes('layer1.1.downsample.0.weight'));
    assert.ok(!parametersOf('resnet18').some(({ name }) => name === 'layer1.0.downsample.0.weight'));
  });

  it('a residual block whose last batch norm gives 0 is max(x, 0), and its gradient that of the shortcut', () => {
    const module = basicBlock(4, 1).build([5, 5, 4]);
    const random = RandomStream.of(5, 'block');
    tf.tidy(() => {
      const values = new Map(
        module.parameters.map((spec) => {
          const first = spec.name === 'bn2.weight' ? new Float32Array(4) : drawInitial(spec, random);
          return [spec.name, tf.variable(tf.tensor(first, [...spec.shape]))] as const;
        }),
      );
      const x = noise(7, 2, 5).pad(
        [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 1],
        ],
        0.5,
      ) as Tensor4D;
      const apply = (input: Tensor4D) => module.apply(input, { mode: 'train', value: (name) => values.get(name)! });
      assert.deepEqual(apply(x).dataSync(), x.relu().dataSync());
      const gradient = tf.grad((input) => apply(input as Tensor4D).sum())(x);
      assert.deepEqual(gradient.dataSync(), x.greater(0).toFloat().dataSync());
      for (const variable of values.values()) variable.dispose();
    });
  });

  it('ResNets for small pictures keep their size up to the second stage', () => {
    const cifar = buildTrunk('resnet18-cifar', { random: RandomStream.of(1) });
    assert.deepEqual(
      cifar.layers.map(({ name, height, channels }) => [name, height, channels]),
      [
        ['conv1', 32, 64],
        ['conv2', 32, 64],
        ['conv3', 16, 128],
        ['conv4', 8, 256],
        ['conv5', 4, 512],
        ['pool5', 1, 512],
        ['fc', undefined, 512],
        ['embedding', undefined, 128],
      ],
    );
    tf.tidy(() => {
      const { conv5, embedding } = cifar.features(noise(6, 2, 48), ['conv5', 'embedding'], 'train');
      assert.deepEqual(
        [conv5!.shape, embedding!.shape],
        [
          [2, 6, 6, 512],
          [2, 128],
        ],
      );
    });
    cifar.dispose();
  });

  it('CaffeNet has its groups, its maps and its rules', () => {
    const specs = new Map(parametersOf('caffenet').map((spec) => [spec.name, spec]));
    assert.deepEqual(specs.get('features.4.weight')!.shape, [5, 5, 48, 256]);
    assert.deepEqual(specs.get('features.10.weight')!.shape, [3, 3, 192, 384]);
    assert.deepEqual(specs.get('fc.0.weight')!.layout, { kind: 'flattened', map: [6, 6, 256] });
    assert.deepEqual(specs.get('fc.2.weight')!.init, { std: 0.005 });
    const bias = specs.get('features.4.bias')!;
    assert.deepEqual([bias.init, bias.rate, bias.decay], [{ constant: 1 }, 2, 0]);
    assert.deepEqual(specs.get('features.8.bias')!.init, { constant: 0 });
  });

  it('give features of the shapes they announce, in one pass', () => {
    tf.tidy(() => {
      const found = trunk.features(
        noise(1, 2),
        trunk.layers.map(({ name }) => name),
        'eval',
      );
      for (const { name, height, width, channels } of trunk.layers) {
        assert.deepEqual(found[name]!.shape, height === undefined ? [2, channels] : [2, height, width, channels], name);
      }
    });
  });

  it('give embeddings of length 1', () => {
    tf.tidy(() => {
      for (const length of tf.norm(trunk.embed(noise(2, 3), 'eval'), 2, 1).dataSync())
        assert.ok(Math.abs(length - 1) < 1e-4);
    });
  });

  it('take larger images up to their last map', () => {
    tf.tidy(() =>
      assert.deepEqual(trunk.features(noise(3, 1, 128), ['conv5'], 'eval')['conv5']!.shape, [1, 8, 8, 128]),
    );
  });

  it('leave nothing behind but what was asked for', () => {
    const images = noise(4, 2);
    const before = tf.memory().numTensors;
    const { conv3 } = trunk.features(images, ['conv3'], 'train');
    assert.equal(tf.memory().numTensors, before + 1);
    conv3!.dispose();
    images.dispose();
  });

  it('name the layers there are when asked for another', () => {
    assert.throws(() => trunk.features(noise(1, 1), ['conv9'], 'eval'), /\(conv1, .*embedding\), got `conv9`/);
    assert.throws(
      () => buildTrunk('resnet', { random: RandomStream.of(1) }),
      /one of small, small-half, small-double, caffenet, .*resnet50-cifar, got `resnet`/,
    );
  });

  it('are the same for the same stream and another for another', () => {
    const values = (seed: number): Float32Array => {
      const other = buildTrunk('small', { random: RandomStream.of(seed) });
      const copy = other.variables.get('fc.2.weight')!.dataSync<'float32'>().slice();
      other.dispose();
      return copy;
    };
    assert.deepEqual(values(1), trunk.variables.get('fc.2.weight')!.dataSync());
    assert.notDeepEqual(values(2), values(1));
  });

  it('move running statistics in training only, by a tenth of the batch', () => {
    const fresh = buildTrunk('small', { random: RandomStream.of(1) });
    const mean = fresh.buffers.get('features.1.running_mean')!;
    tf.tidy(() => {
      const images = noise(5, 4);
      fresh.embed(images, 'eval');
      assert.ok(mean.dataSync().every((value) => value === 0));
      fresh.embed(images, 'train');
      const once = mean.dataSync<'float32'>().slice();
      fresh.embed(images, 'train');
      mean.dataSync().forEach((value, i) => assert.ok(Math.abs(value - 1.9 * once[i]!) < 1e-6));
    });
    fresh.dispose();
  });

  it('have batch-norm statistics re-estimated as plain averages over batches', () => {
    const fresh = buildTrunk('small', { random: RandomStream.of(1) });
    const name = 'features.5.running_var';
    const statistic = (batches: Tensor4D[]): Float32Array => {
      assert.equal(reestimateBatchNorm(fresh, batches), batches.length);
      return fresh.buffers.get(name)!.dataSync<'float32'>().slice();
    };
    const [a, b] = [statistic([noise(1, 3)]), statistic([noise(2, 3)])];
    const both = statistic([noise(1, 3), noise(2, 3)]);
    both.forEach((value, i) => assert.ok(Math.abs(value - (a[i]! + b[i]!) / 2) <= 1e-5 * Math.abs(value) + 1e-8));
    // With the statistics of the very batch, evaluation is training (up to the biased variance: 3 * 144 values a channel).
    statistic([noise(1, 3)]);
    tf.tidy(() => {
      const images = noise(1, 3);
      const gap = tf.max(tf.abs(tf.sub(fresh.embed(images, 'eval'), fresh.embed(images, 'train')))).dataSync()[0]!;
      assert.ok(gap < 0.01, `${gap}`);
    });
    fresh.dispose();
  });
});
