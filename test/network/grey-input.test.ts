import assert from 'node:assert/strict';
import { drawAugmentation, augmentationPolicies } from '../../src/images/augmentation.js';
import { pixelCacheOf } from '../../src/images/pixel-cache.js';
import { renderPlain, renderViews } from '../../src/images/render-views.js';
import { buildTrunk, parametersOf } from '../../src/network/build-trunk.js';
import { foldLuminance, onGreyInput, type GreyTrunk } from '../../src/network/grey-input.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Variable } from '../../src/runtime/tensors.js';

const random = RandomStream.of(1, 'colours');
/** Patches of colour, so that the features of neighbours differ. */
const pictureOf = (side: number) => {
  const cells = Array.from({ length: 64 }, () => [0, 1, 2].map(() => random.integer(256)));
  return {
    ...{ width: side, height: side, channels: 3 as const },
    data: Uint8Array.from({ length: side * side * 3 }, (_, at) => {
      const [x, y] = [Math.floor(at / 3) % side, Math.floor(at / 3 / side)];
      return cells[Math.floor((8 * y) / side) * 8 + Math.floor((8 * x) / side)]![at % 3]!;
    }),
  };
};
const cache = pixelCacheOf([pictureOf(64), pictureOf(64)]);
const both = Int32Array.of(0, 1);

/** The trunk, and what it is of where a renderer is not told that it is to be grey. */
const asColour = ({ grey: _, ...trunk }: Trunk & { readonly grey?: boolean }): Trunk => trunk;

const featuresOf = (trunk: Trunk, layer: string): Float32Array =>
  tf.tidy(() =>
    trunk
      .features(renderPlain(cache, both, trunk), [layer], 'eval')
      [layer]!.dataSync<'float32'>()
      .slice(),
  );

const largestOf = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Largest difference, as a share of the largest value. */
const apart = (a: Float32Array, b: Float32Array): number =>
  largestOf(a.map((value, i) => value - b[i]!)) / largestOf(a);

describe('grey input', () => {
  before(() => openRuntime({ threads: 1 }));

  const newTrunk = (): Trunk => buildTrunk('small-half', { random: RandomStream.of(1, 'trunk') });

  it('is what a view drawn grey shows, in all channels alike, plain or varied', () => {
    const trunk = onGreyInput(newTrunk());
    const draws = [...both].map((i) => drawAugmentation(augmentationPolicies.full, RandomStream.of(i, 'draw')));
    const values = (grey: boolean): Float32Array =>
      tf.tidy(() =>
        (grey
          ? renderViews(cache, both, draws, trunk)
          : renderViews(
              cache,
              both,
              draws.map((draw) => ({ ...draw, grey: true })),
              asColour(trunk),
            )
        )
          .dataSync<'float32'>()
          .slice(),
      );
    assert.deepEqual(values(true), values(false));
    const plain = tf.tidy(() => renderPlain(cache, both, trunk).dataSync<'float32'>().slice());
    for (let at = 0; at < plain.length; at += 3) assert.ok(plain[at] === plain[at + 1] && plain[at] === plain[at + 2]);
    // 0.2989 r + 0.587 g + 0.114 b of the first corner, normalised.
    const [r, g, b] = [0, 1, 2].map((c) => cache.pixels[c]! / 255) as [number, number, number];
    const expected = (0.2989 * r + 0.587 * g + 0.114 * b - trunk.mean[0]) / trunk.std[0];
    assert.ok(Math.abs(plain[0]! - expected) < 1e-5, `${plain[0]}, expected ${expected}`);
    trunk.dispose();
  });

  it('with luminance folded in, colour pictures read as their grey did, to the border', () => {
    const trunk = onGreyInput(newTrunk());
    const grey = featuresOf(trunk, 'conv3');
    const before = featuresOf(asColour(trunk), 'conv3');
    assert.ok(apart(grey, before) > 0.05, `${apart(grey, before)}`);
    foldLuminance(trunk);
    const after = featuresOf(asColour(trunk), 'conv3');
    assert.ok(apart(grey, after) < 2e-3, `${apart(grey, after)}`);
    // A network that is grey already stays as it is.
    assert.ok(apart(featuresOf(onGreyInput(asColour(trunk)), 'conv3'), after) < 2e-3);
    trunk.dispose();
  });

  it('follows the channels of a network that reverses them', () => {
    for (const [architecture, weights] of [
      ['alexnet', [0.2989, 0.587, 0.114]],
      ['caffenet', [0.114, 0.587, 0.2989]],
    ] as const) {
      // The first filters alone: the rest of such a network is large.
      const { name, shape } = parametersOf(architecture)[0]!;
      const filters = tf.variable(tf.randomNormal([...shape])) as Variable;
      const before = filters.dataSync().slice();
      foldLuminance({ architecture, variables: new Map([[name, filters]]) } as unknown as GreyTrunk);
      const [height, width, channels, count] = shape as [number, number, number, number];
      assert.equal(channels, 3);
      const after = filters.dataSync();
      for (let at = 0; at < height * width; at++) {
        for (let filter = 0; filter < count; filter += 7) {
          const [first, second, third] = [0, 1, 2].map((c) => (at * 3 + c) * count + filter) as [
            number,
            number,
            number,
          ];
          const sum = before[first]! + before[second]! + before[third]!;
          [first, second, third].forEach((place, c) => assert.ok(Math.abs(after[place]! - weights[c]! * sum) < 1e-5));
        }
      }
      filters.dispose();
    }
  });

  it('keeps no tensors', () => {
    const trunk = onGreyInput(newTrunk());
    const before = tf.memory().numTensors;
    foldLuminance(trunk);
    assert.equal(tf.memory().numTensors, before);
    trunk.dispose();
  });
});
