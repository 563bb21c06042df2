import assert from 'node:assert/strict';
import { pixelCacheOf } from '../../../src/images/pixel-cache.js';
import { buildTrunk } from '../../../src/network/build-trunk.js';
import type { Trunk } from '../../../src/network/trunk.js';
import { RandomStream } from '../../../src/numeric/random.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { tf, type Tensor4D } from '../../../src/runtime/tensors.js';
import { averageCells } from '../../../src/network/average-cells.js';
import {
  pooledReading,
  probeReading,
  readFeatures,
  readingName,
  type Reading,
} from '../../../src/transfer/features/read-features.js';

/** A network of no layers: `maps` is the picture itself (6 x 6 x 3), `fc` its mean colour. */
const fakeTrunk = (passes: string[] = []): Trunk => ({
  architecture: 'fake',
  inputSize: 6,
  mean: [0, 0, 0],
  std: [1 / 255, 1 / 255, 1 / 255],
  layers: [
    { name: 'maps', height: 6, width: 6, channels: 3 },
    { name: 'wide', height: 12, width: 12, channels: 64 },
    { name: 'fc', channels: 3 },
  ],
  variables: new Map(),
  buffers: new Map(),
  features: (images: Tensor4D, layers, mode) => {
    assert.equal(mode, 'eval', 'frozen features');
    passes.push(`${images.shape[0]} of ${layers.join()}`);
    return { maps: images.clone(), fc: images.mean([1, 2]) };
  },
  embed: () => tf.zeros([1, 1]),
  dispose: () => {},
});

const cache = (count: number) => {
  const random = RandomStream.of(21);
  return pixelCacheOf(
    Array.from({ length: count }, () => ({
      width: 6,
      height: 6,
      channels: 3 as const,
      data: Uint8Array.from({ length: 108 }, () => random.integer(256)),
    })),
  );
};

describe('readFeatures', () => {
  before(() => openRuntime({ threads: 1 }));

  it('gives every reading from one forward pass a picture, whatever is asked for and however often', () => {
    const passes: string[] = [];
    const readings: Reading[] = [
      { layer: 'maps', pool: 2 },
      { layer: 'fc' },
      { layer: 'maps' },
      { layer: 'maps', pool: 3 },
      { layer: 'maps', pool: 2 },
    ];
    const found = readFeatures(fakeTrunk(passes), cache(5), readings, { batch: 2 });
    assert.deepEqual(passes, ['2 of maps,fc', '2 of maps,fc', '1 of maps,fc']);
    assert.deepEqual(
      [...found].map(([name, { rows, dim }]) => [name, rows, dim]),
      [
        ['maps@2', 5, 12],
        ['fc', 5, 3],
        ['maps', 5, 108],
        ['maps@3', 5, 27],
      ],
    );
  });

  it('averages maps as `averageCells` does, and leaves them as they are where no pooling is asked for', () => {
    const pictures = cache(5);
    const found = readFeatures(fakeTrunk(), pictures, [{ layer: 'maps', pool: 3 }, { layer: 'maps' }], { batch: 3 });
    assert.deepEqual([...found.get('maps')!.data].map(Math.round), [...pictures.pixels]);
    const pooled = tf.tidy(() => averageCells(tf.tensor4d(found.get('maps')!.data, [5, 6, 6, 3]), 3, 3).dataSync());
    assert.deepEqual(found.get('maps@3')!.data, pooled);
  });

  it('gives the same bytes for any company of readings', () => {
    const trunk = buildTrunk('small', { random: RandomStream.of(3) });
    const pictures = cache(3);
    const alone = readFeatures(trunk, pictures, [{ layer: 'conv3', pool: 2 }]);
    const together = readFeatures(trunk, pictures, [
      { layer: 'fc' },
      { layer: 'conv1', pool: 4 },
      { layer: 'conv3', pool: 2 },
    ]);
    assert.deepEqual(together.get('conv3@2'), alone.get('conv3@2'));
    trunk.dispose();
  });

  it('leaves no tensor behind, nor when it is ended between two passes', () => {
    const before = tf.memory().numTensors;
    readFeatures(fakeTrunk(), cache(3), [{ layer: 'maps', pool: 2 }, { layer: 'maps' }, { layer: 'fc' }], { batch: 2 });
    const controller = new AbortController();
    const onProgress = (done: number): void => {
      if (done === 2) controller.abort(new Error('enough'));
    };
    const { signal } = controller;
    assert.throws(
      () => readFeatures(fakeTrunk(), cache(6), [{ layer: 'fc' }], { batch: 2, signal, onProgress }),
      /enough/,
    );
    assert.equal(tf.memory().numTensors, before);
  });

  it('refuses layers and poolings that the network has not, by name', () => {
    const read = (reading: Reading) => () => readFeatures(fakeTrunk(), cache(1), [reading]);
    assert.throws(read({ layer: 'conv9' }), /a layer of maps, wide, fc, got `conv9`/);
    assert.throws(read({ layer: 'fc', pool: 2 }), /no `pool` for `fc`/);
    assert.throws(read({ layer: 'maps', pool: 7 }), /an integer from 1 to 6, got `7`/);
  });

  it('pools for the probes to the sides of the released ResNet-50 configuration, about nine thousand values', () => {
    const sides = [64, 256, 512, 1024, 2048].map((channels) => {
      const trunk = { ...fakeTrunk(), layers: [{ name: 'x', height: 56, width: 56, channels }] };
      return probeReading(trunk, 'x').pool;
    });
    assert.deepEqual(sides, [12, 6, 4, 3, 2]);
    assert.deepEqual(probeReading(fakeTrunk(), 'maps'), { layer: 'maps', pool: 6 });
    assert.equal(readingName(probeReading(fakeTrunk(), 'fc')), 'fc');
    assert.deepEqual(pooledReading(fakeTrunk(), 'maps', 2), { layer: 'maps', pool: 2 });
  });
});
