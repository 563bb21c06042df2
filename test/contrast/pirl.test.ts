import assert from 'node:assert/strict';
import { openEncoder } from '../../src/contrast/encoder.js';
import { MemoryBank } from '../../src/contrast/memory-bank.js';
import { InstanceDiscrimination } from '../../src/contrast/npid/instance-discrimination.js';
import { JigsawBranch } from '../../src/contrast/pirl/jigsaw-branch.js';
import { createPirl, type PirlOptions } from '../../src/contrast/pirl/pirl.js';
import { projectUnit } from '../../src/contrast/unit-projection.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { mlp } from '../../src/network/head.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch, Method } from '../../src/training/method.js';
import { assertLearns } from './assert-learns.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
const read = (tensor: Tensor | number): number => (tensor as Tensor).dataSync()[0]!;

const samples = 10;
const patch = 16;
const puzzleSide = 60;
/** One for all tests: passes in training mode do not read the running statistics that they leave. */
let trunk: Trunk;
const indices = Int32Array.of(0, 3, 5, 8);
const batch = (step = 0): Batch => ({
  indices,
  videos: indices,
  step,
  epoch: 0,
  random: RandomStream.of(3, 'step', step),
});
const imagesOf = (seed: number, size?: number): Tensor4D =>
  testSource().render(
    indices,
    [...indices].map((i) => [{ end: 'a', seed: seed + i, ...(size ? { size } : {}) }]),
  )[0]!;

before(async () => {
  await openRuntime({ threads: 1 });
  trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
});
after(() => trunk.dispose());

describe('jigsaw branch', () => {
  it('gives a unit row a picture, whatever the size of its cells', () => {
    const branch = new JigsawBranch(trunk, { patch, dim: 8 }, RandomStream.of(1));
    for (const side of [48, 60]) {
      tf.tidy(() => {
        const rows = branch.project(imagesOf(1, side), 'eval', RandomStream.of(2));
        assert.deepEqual(rows.shape, [4, 8]);
        for (const length of tf.norm(rows, 2, 1).dataSync()) close(length, 1);
      });
    }
    branch.dispose();
  });

  it('sees patches in a drawn order, at drawn places: other draws, other rows; equal draws, equal rows', () => {
    const branch = new JigsawBranch(trunk, { patch, dim: 8 }, RandomStream.of(1));
    const rows = (side: number, seed: number): Float32Array =>
      tf.tidy(() => branch.project(imagesOf(1, side), 'eval', RandomStream.of(seed)).dataSync<'float32'>().slice());
    for (const side of [48, 60]) {
      assert.deepEqual(rows(side, 2), rows(side, 2));
      assert.notDeepEqual(rows(side, 2), rows(side, 3));
    }
    branch.dispose();
  });

  it('loses nothing of a picture by the order: nine equal patches give the same row in any', () => {
    const branch = new JigsawBranch(trunk, { patch, dim: 8 }, RandomStream.of(1));
    const [one, other] = [2, 3].map((seed) =>
      tf.tidy(() => {
        const cell = tf.randomNormal([1, patch, patch, 3], 0, 1, 'float32', 7);
        const picture = tf.tile(cell, [1, 3, 3, 1]) as Tensor4D;
        return [...branch.project(picture, 'eval', RandomStream.of(seed)).dataSync()];
      }),
    );
    one!.forEach((value, i) => close(value, other![i]!, 1e-4));
    branch.dispose();
  });

  it('refuses patches larger than a cell, saying what would do', () => {
    const branch = new JigsawBranch(trunk, { patch: 32, dim: 8 }, RandomStream.of(1));
    tf.tidy(() => {
      assert.throws(
        () => branch.project(imagesOf(1, 48), 'eval', RandomStream.of(1)),
        /Expected `view` 1 of PIRL to be at least 96 px for patches of 32 px in a grid of 3 x 3, got 48 px/,
      );
    });
    branch.dispose();
  });
});

describe('pretext-invariant representations', () => {
  const linear = mlp({ hidden: [], dim: 8, batchNorm: 'none' });
  const pirl = (options: Partial<PirlOptions<TestView>> = {}): Method<TestView> =>
    createPirl<TestView>({
      drawView: drawTestView({ from: 1, size: puzzleSide }),
      patch,
      noise: 5,
      tau: 0.5,
      projector: linear,
      ...options,
    });
  const opened = (options: Partial<PirlOptions<TestView>> = {}) => {
    const method = pirl(options);
    method.init(trunk, testSource({ samples }), RandomStream.of(2));
    return method;
  };

  it('is the weighed sum of two instance losses against one bank, with one Z', () => {
    for (const estimator of ['softmax', 'nce'] as const) {
      for (const patchWeight of [0.3, 0.5]) {
        const method = opened({ estimator, patchWeight });
        // The same parts, from the same draws.
        const draws = RandomStream.of(2);
        const encoder = openEncoder(trunk, linear, draws);
        const branch = new JigsawBranch(trunk, { patch, dim: 8 }, draws);
        const bank = new MemoryBank(samples, 8, draws);
        const instances = new InstanceDiscrimination({ estimator, noise: 5, tau: 0.5 });
        tf.tidy(() => {
          const views = [imagesOf(1), imagesOf(50, puzzleSide)];
          const { loss, signals, commit } = method.step(views, batch());
          const { random } = batch();
          const image = projectUnit(encoder, views[0]!, 'train');
          const puzzle = branch.project(views[1]!, 'train', random);
          const [a, b] = [image, puzzle].map((rows) => read(instances.compare(rows, bank, indices, random).loss));
          close(read(signals['image']!), a!);
          close(read(signals['puzzle']!), b!);
          close(read(loss), (1 - patchWeight) * a! + patchWeight * b!);
          commit!();
        });
        assert.deepEqual(method.save()['normaliser'], instances.save()['normaliser']);
        for (const part of [encoder, branch, bank]) part.dispose();
        method.dispose();
      }
    }
  });

  it('lets the image alone write the bank, and only after the loss', () => {
    const banks = [50, 90].map((puzzleSeed) => {
      const method = opened();
      const before = method.save()['bank']!.data;
      const after = tf.tidy(() => {
        const { commit, signals } = method.step([imagesOf(1), imagesOf(puzzleSeed, puzzleSide)], batch());
        assert.deepEqual(method.save()['bank']!.data, before);
        commit!();
        const rows = (signals['embedding'] as Tensor).dataSync();
        const { data } = method.save()['bank']!;
        indices.forEach((sample, i) => {
          const mixed = Array.from({ length: 8 }, (_, k) => (before[sample * 8 + k]! + rows[i * 8 + k]!) / 2);
          mixed.forEach((value, k) => close(data[sample * 8 + k]!, value / Math.hypot(...mixed)));
        });
        return data;
      });
      for (let sample = 0; sample < samples; sample++) {
        const changed = after.subarray(sample * 8, sample * 8 + 8).some((value, k) => value !== before[sample * 8 + k]);
        assert.equal(changed, indices.includes(sample), `row ${sample}`);
      }
      method.dispose();
      return after;
    });
    assert.deepEqual(banks[0], banks[1], 'the puzzle wrote the bank');
  });

  it('begins with the rows of the image branch where it is told to, and moves the bank by its momentum', () => {
    const method = opened({ bankStart: 'features', momentum: 0 });
    const rows = Float32Array.from({ length: samples * 8 }, (_, at) => at);
    tf.tidy(() => method.beforeEpoch!(0, () => tf.tensor2d(rows, [samples, 8])));
    assert.deepEqual(method.save()['bank']!.data, rows);
    tf.tidy(() => {
      const { commit, signals } = method.step([imagesOf(1), imagesOf(50, puzzleSide)], batch());
      commit!();
      const fresh = (signals['embedding'] as Tensor).dataSync();
      const { data } = method.save()['bank']!;
      for (let k = 0; k < 8; k++) close(data[3 * 8 + k]!, fresh[8 + k]!);
    });
    method.dispose();
  });

  it('resumes exactly, by NCE with a saved Z and with batch norm in its head', () =>
    assertExactResume(() =>
      pirl({ bankStart: 'features', projector: mlp({ hidden: [8], dim: 8, batchNorm: 'hidden' }) }),
    ));

  it('teaches convolutions and all three heads', () => {
    const method = opened({ estimator: 'softmax' });
    const views = [imagesOf(1), imagesOf(50, puzzleSide)];
    assertLearns(method, trunk, views, batch());
    assert.deepEqual(
      [...method.variables().keys()].sort(),
      ['jigsaw', 'patch', 'projector'].flatMap((part) => [`${part}.0.bias`, `${part}.0.weight`]),
    );
    assert.deepEqual([...method.rules!().keys()].sort(), [...method.variables().keys()].sort());
    for (const view of views) view.dispose();
    method.dispose();
  });

  it('with no weight on the puzzle teaches its heads nothing, and with all of it nothing to the image head', () => {
    for (const [patchWeight, idle] of [
      [0, ['patch', 'jigsaw']],
      [1, ['projector']],
    ] as const) {
      const method = opened({ estimator: 'softmax', patchWeight });
      tf.tidy(() => {
        const views = [imagesOf(1), imagesOf(50, puzzleSide)];
        const variables = [...method.variables()];
        const { grads } = tf.variableGrads(
          () => method.step(views, batch()).loss,
          variables.map(([, variable]) => variable),
        );
        for (const [name, variable] of variables) {
          const largest = tf.max(tf.abs(grads[variable.name]!)).dataSync()[0]!;
          const still = idle.some((part) => name.startsWith(`${part}.`));
          assert.equal(largest === 0, still, `${name} has a gradient of up to ${largest}`);
        }
      });
      method.dispose();
    }
  });

  it('takes an image and a picture to cut up, and names the loss of equal features', () => {
    const method = opened({ estimator: 'softmax' });
    const views = method.views({ index: 0, video: 0, paired: false }, RandomStream.of(1));
    assert.deepEqual(
      views.map(({ size }) => size),
      [undefined, puzzleSide],
    );
    close(method.uniformLoss(0), Math.log(samples), 1e-12);
    method.dispose();
  });

  it('refuses options out of range, by name', () => {
    assert.throws(() => pirl({ patch: 0 }), /Expected `patch` to be a whole number above 0, got `0`/);
    assert.throws(() => pirl({ patchWeight: 1.5 }), /Expected `patchWeight` to be a number from 0 to 1, got `1.5`/);
    assert.throws(() => pirl({ momentum: 1 }), /Expected `momentum`/);
    assert.throws(() => pirl({ tau: 0 }), /Expected `tau`/);
  });
});
