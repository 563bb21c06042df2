import assert from 'node:assert/strict';
import { buildContextNetwork } from '../../src/contrast/cpc/context-network.js';
import { createCpcV2, type CpcV2Options } from '../../src/contrast/cpc/cpc-v2.js';
import { dropChannels } from '../../src/contrast/cpc/drop-channels.js';
import { encodePatches } from '../../src/contrast/cpc/encode-patches.js';
import { layerNorm } from '../../src/contrast/cpc/layer-norm.js';
import { inverseOrder, permuteRows } from '../../src/contrast/cpc/permute-rows.js';
import { predictionLoss, targetOf } from '../../src/contrast/cpc/prediction-loss.js';
import { rotate } from '../../src/contrast/rotate.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch } from '../../src/training/method.js';
import { assertNumericGradient, assertSameGradients, numbers } from '../runtime/gradient-check.js';
import { assertLearns } from './assert-learns.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';
import { tinyTrunk } from './tiny-trunk.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

const differs = (a: Tensor, b: Tensor): boolean => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]! > 0;

describe('layer norm', () => {
  before(() => openRuntime({ threads: 1 }));

  it('brings each row to mean 0 and variance 1, and a row of equals to 0', () => {
    tf.tidy(() => {
      const rows = layerNorm(tf.concat([tf.mul(numbers([4, 32]), 3), tf.fill([1, 32], 5)]));
      const { mean, variance } = tf.moments(rows, 1);
      for (const value of mean.dataSync()) close(value, 0);
      [...variance.dataSync()].forEach((value, i) => close(value, i < 4 ? 1 : 0, 1e-4));
    });
  });

  it('has the gradient of central differences, and minds no other row', () => {
    assertNumericGradient((x) => layerNorm(x), [numbers([3, 6])]);
    tf.tidy(() => {
      const x = numbers([3, 6]);
      const other = tf.concat([tf.slice(x, 0, 1), tf.mul(tf.slice(x, 1, 2), 7)]);
      assert.ok(!differs(tf.slice(layerNorm(x), 0, 1), tf.slice(layerNorm(other), 0, 1)));
    });
  });
});

describe('rows in another order', () => {
  before(() => openRuntime({ threads: 1 }));
  const order = Int32Array.of(2, 0, 3, 1);

  it('come back by the inverse order', () => {
    tf.tidy(() => {
      const x = numbers([4, 3]);
      const permuted = permuteRows(x, order);
      assert.ok(!differs(tf.slice(permuted, 0, 1), tf.slice(x, 2, 1)));
      assert.ok(!differs(permuteRows(permuted, inverseOrder(order)), x));
    });
  });

  it('have the gradient of a gather', () => {
    assertSameGradients(
      (x) => permuteRows(x, order),
      (x) => tf.gather(x, tf.tensor1d(order, 'int32')),
      [numbers([4, 3])],
    );
  });
});

describe('encoding of patches', () => {
  before(() => openRuntime({ threads: 2 }));

  const encode = (patches: Tensor4D, statistics: 'apart' | 'shared') => {
    const trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
    const rows = encodePatches(trunk, patches, 4, statistics);
    trunk.dispose();
    return rows;
  };

  it('tells no patch anything of the others of its picture, unless statistics are shared', () => {
    for (const statistics of ['apart', 'shared'] as const) {
      tf.tidy(() => {
        const patches = numbers([12, 16, 16, 3]) as Tensor4D;
        // Patch 2 of picture 1 is another.
        const changed = tf.concat([tf.slice(patches, 0, 6), tf.neg(tf.slice(patches, 6, 1)), tf.slice(patches, 7, 5)]);
        const [before, after] = [encode(patches, statistics), encode(changed as Tensor4D, statistics)];
        const moved = Array.from({ length: 12 }, (_, row) =>
          differs(tf.slice(before, row, 1), tf.slice(after, row, 1)),
        );
        const ofPicture1 = moved.slice(4, 8);
        assert.deepEqual(ofPicture1, statistics === 'apart' ? [false, false, true, false] : [true, true, true, true]);
        // In `apart` one patch of each other picture shares its pass.
        if (statistics === 'apart')
          assert.deepEqual(
            [0, 8].map((from) => moved.slice(from, from + 4).filter(Boolean).length),
            [1, 1],
          );
      });
    }
  });

  it('is that of passes with one patch of every picture, one after another: rows, gradients and running statistics', () => {
    /** The definition: a pass of its own for each part. */
    const onePassAPart = (trunk: Trunk, patches: Tensor4D, count: number): Tensor => {
      const batch = patches.shape[0] / count;
      const found: Tensor[] = [];
      for (let part = 0; part < count; part++) {
        const rows = Array.from({ length: batch }, (_, i) => i * count + ((part + i) % count));
        const { conv5 } = trunk.features(tf.gather(patches, rows), ['conv5'], 'train');
        const means = tf.mean(conv5!, [1, 2]);
        rows.forEach((row, i) => (found[row] = tf.slice(means, i, 1)));
      }
      return tf.concat(found);
    };
    const measure = (encodeAll: (trunk: Trunk, patches: Tensor4D) => Tensor) => {
      const trunk = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
      const values = tf.tidy(() => {
        const patches = numbers([12, 32, 32, 3]) as Tensor4D;
        const names = [...trunk.variables.keys()].filter((name) => name.startsWith('features.'));
        const variables = names.map((name) => trunk.variables.get(name)!);
        let rows: Tensor | undefined;
        const { grads } = tf.variableGrads(() => {
          rows = tf.keep(encodeAll(trunk, patches));
          return tf.sum(tf.mul(rows, numbers(rows.shape)));
        }, variables);
        const all = [rows!, ...variables.map(({ name }) => grads[name]!), ...trunk.buffers.values()];
        const read = all.map((tensor) => [...tensor.dataSync()]);
        rows!.dispose();
        return read;
      });
      trunk.dispose();
      return values;
    };
    const ours = measure((trunk, patches) => encodePatches(trunk, patches, 4, 'apart'));
    const slow = measure((trunk, patches) => onePassAPart(trunk, patches, 4));
    assert.equal(ours.length, slow.length);
    ours.forEach((values, k) => {
      const most = slow[k]!.reduce((far, value) => Math.max(far, Math.abs(value)), 0);
      // Batch norm over few values makes much of their last digits.
      const apart = values.reduce((far, value, i) => Math.max(far, Math.abs(value - slow[k]![i]!)), 0);
      close(apart / most, 0, 1e-3);
    });
  });

  it('keeps the order of the patches', () => {
    tf.tidy(() => {
      // Pictures of four equal patches: all passes are alike, and so are the rows of a picture.
      const picture = numbers([3, 16, 16, 3]) as Tensor4D;
      const patches = tf.reshape(tf.tile(tf.expandDims(picture, 1), [1, 4, 1, 1, 1]), [12, 16, 16, 3]) as Tensor4D;
      const rows = encode(patches, 'apart');
      for (let row = 0; row < 12; row++) {
        const first = tf.slice(rows, 4 * Math.floor(row / 4), 1);
        assert.ok(!differs(tf.slice(rows, row, 1), first), `row ${row}`);
      }
      assert.ok(differs(tf.slice(rows, 0, 1), tf.slice(rows, 4, 1)));
    });
  });
});

describe('channels of patches', () => {
  before(() => openRuntime({ threads: 1 }));

  it('are dropped two at a time, with the probability asked for, and leave 0', () => {
    tf.tidy(() => {
      const kept = tf
        .max(dropChannels(tf.ones([2000, 2, 2, 3]), 0.4, RandomStream.of(1)), [1, 2])
        .arraySync() as number[][];
      const dropped = kept.filter((row) => row.includes(0));
      close(dropped.length / 2000, 0.4, 0.04);
      for (const row of dropped) assert.equal(row.filter((value) => value === 1).length, 1);
      for (const channel of [0, 1, 2])
        close(dropped.filter((row) => row[channel] === 1).length / dropped.length, 1 / 3, 0.06);
      const patches = numbers([3, 2, 2, 3]) as Tensor4D;
      assert.deepEqual(dropChannels(patches, 0, RandomStream.of(1)).dataSync(), patches.dataSync());
    });
  });
});

describe('context network', () => {
  before(() => openRuntime({ threads: 1 }));

  const contexts = (blocks: number, latents: Tensor4D): Tensor4D => {
    const network = buildContextNetwork({ channels: 6, hidden: 8, blocks }, RandomStream.of(1));
    const result = network.apply(latents);
    network.dispose();
    return result;
  };
  /** Where contexts change when the latent at one cell does. */
  const reach = (blocks: number, row: number, column: number): string[] => {
    const latents = numbers([1, 5, 5, 6]);
    const mask = tf.buffer([1, 5, 5, 1]);
    mask.set(1, 0, row, column, 0);
    const before = contexts(blocks, latents as Tensor4D);
    const after = contexts(blocks, tf.add(latents, mask.toTensor()) as Tensor4D);
    const moved = tf.max(tf.abs(tf.sub(before, after)), 3).arraySync() as number[][][];
    return moved[0]!.map((cells) => cells.map((value) => (value > 0 ? 'x' : '.')).join(''));
  };

  it('never looks down: a patch changes contexts of its row and below only, one row and column further a block', () => {
    tf.tidy(() => {
      assert.deepEqual(reach(1, 2, 2), ['.....', '.....', '.xxx.', '.xxx.', '.....']);
      assert.deepEqual(reach(2, 1, 0), ['.....', 'xxx..', 'xxx..', 'xxx..', '.....']);
      assert.deepEqual(reach(1, 4, 4), ['.....', '.....', '.....', '.....', '...xx']);
    });
  });

  it('has the gradient of central differences', () => {
    assertNumericGradient((x) => contexts(1, x as Tensor4D), [tf.mul(numbers([1, 3, 3, 6]), 2)], {
      step: 2e-3,
      tolerance: 2e-2,
    });
  });
});

describe('prediction loss', () => {
  before(() => openRuntime({ threads: 1 }));

  /** The definition, candidate by candidate, in float64. */
  const slow = (predictions: number[][][][], targets: number[][][][], ahead: number, scale: number): number => {
    const dot = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    const all = targets.flat(2);
    const terms: number[] = [];
    predictions.forEach((picture, n) =>
      picture.forEach((row, y) => {
        if (y + ahead >= picture.length) return;
        row.forEach((made, x) => {
          const sum = all.reduce((total, target) => total + Math.exp(scale * dot(made, target)), 0);
          terms.push(Math.log(sum) - scale * dot(made, targets[n]![y + ahead]![x]!));
        });
      }),
    );
    return terms.reduce((a, b) => a + b) / terms.length;
  };
  const grids = (seed: number): Tensor4D => numbers([2, 3, 3, 4], seed) as Tensor4D;

  it('agrees with the definition candidate by candidate', () => {
    tf.tidy(() => {
      for (const ahead of [1, 2]) {
        for (const scale of [0.1, 2]) {
          const { loss } = predictionLoss(grids(1), grids(2), ahead, scale);
          close(loss.dataSync()[0]!, slow(grids(1).arraySync(), grids(2).arraySync(), ahead, scale));
        }
      }
    });
  });

  it('is the logarithm of the number of candidates when all are alike, and 0 when each prediction fits its patch alone', () => {
    tf.tidy(() => {
      close(predictionLoss(grids(1), tf.ones([2, 3, 3, 4]), 1, 1).loss.dataSync()[0]!, Math.log(18));
      // One direction a patch; a prediction is that of the patch one row down.
      const targets = tf.reshape(tf.eye(18), [2, 3, 3, 18]) as Tensor4D;
      const predictions = tf.concat([tf.slice(targets, [0, 1], [2, 2]), tf.zeros([2, 1, 3, 18])], 1) as Tensor4D;
      const { loss, accuracy } = predictionLoss(predictions, targets, 1, 40);
      close(loss.dataSync()[0]!, 0);
      assert.equal(accuracy.dataSync()[0], 1);
    });
  });

  it('looks so many rows ahead, in the same column of the same picture', () => {
    assert.deepEqual([...targetOf(2, 3, 1)], [3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16, 17]);
    assert.deepEqual([...targetOf(2, 3, 2)], [6, 7, 8, 15, 16, 17]);
    assert.throws(() => predictionLoss(grids(1), grids(2), 3, 1), /Expected `ahead` to be from 1 to 2, got `3`/);
  });

  it('has the gradient of central differences in predictions and targets; none in contexts with nothing below', () => {
    const loss = (p: Tensor, t: Tensor): Tensor => predictionLoss(p as Tensor4D, t as Tensor4D, 1, 1).loss;
    assertNumericGradient(loss, [grids(1), grids(2)]);
    tf.tidy(() => {
      const [gradient] = tf.grads(loss)([grids(1), grids(2)]);
      assert.ok(differs(tf.slice(gradient!, [0, 0], [2, 2]), tf.zeros([2, 2, 3, 4])));
      assert.ok(!differs(tf.slice(gradient!, [0, 2], [2, 1]), tf.zeros([2, 1, 3, 4])));
    });
  });

  it('does not mind the order of the pictures, nor columns that change places throughout', () => {
    tf.tidy(() => {
      const loss = (p: Tensor4D, t: Tensor4D): number => predictionLoss(p, t, 1, 1).loss.dataSync()[0]!;
      const [p, t] = [grids(1), grids(2)];
      close(loss(tf.reverse(p, 0), tf.reverse(t, 0)), loss(p, t));
      close(loss(tf.reverse(p, 2), tf.reverse(t, 2)), loss(p, t));
      assert.ok(Math.abs(loss(tf.reverse(p, 0), t) - loss(p, t)) > 1e-3);
    });
  });
});

describe('contrastive predictive coding', () => {
  before(() => openRuntime({ threads: 2 }));

  const cpc = (options: Partial<CpcV2Options<TestView>> = {}) =>
    createCpcV2<TestView>({
      drawView: drawTestView(),
      batchSize: 3,
      cells: 3,
      patch: 16,
      stride: 8,
      directions: 2,
      blocks: 1,
      hidden: 8,
      dim: 8,
      ...options,
    });
  const open = (options: Partial<CpcV2Options<TestView>> = {}, trunk: Trunk = tinyTrunk()) => {
    const method = cpc(options);
    method.init(trunk, testSource(), RandomStream.of(1));
    return { trunk, method };
  };
  const batch = (seed = 1): Batch => ({ step: 0, epoch: 0, random: RandomStream.of(seed) }) as Batch;
  const lossOf = (
    options: Partial<CpcV2Options<TestView>>,
    images: Tensor4D,
    { seed = 1, network }: { readonly seed?: number; readonly network?: Trunk } = {},
  ): number => {
    const { trunk, method } = open(options, network);
    const value = tf.tidy(() => method.step([images], batch(seed)).loss.dataSync()[0]!);
    method.dispose();
    trunk.dispose();
    return value;
  };

  it('learns through trunk, context networks and maps, and leaves no tensor behind', () => {
    const { trunk, method } = open(
      { directions: 4, firstStep: 1 },
      buildTrunk('small', { random: RandomStream.of(1, 'trunk') }),
    );
    const images = numbers([3, 32, 32, 3]) as Tensor4D;
    assertLearns(method, trunk, [images], batch());
    images.dispose();
    method.dispose();
    trunk.dispose();
  });

  it('has a predictor for each direction and each distance from the first to the last step', () => {
    for (const [options, expected] of [
      [{ directions: 1 }, ['down.ahead2']],
      [{ directions: 2, firstStep: 1 }, ['down.ahead1', 'down.ahead2', 'up.ahead1', 'up.ahead2']],
      [{ directions: 4, firstStep: 1, lastStep: 1 }, ['down.ahead1', 'left.ahead1', 'up.ahead1', 'right.ahead1']],
    ] as const) {
      const { trunk, method } = open(options);
      const heads = [...method.variables().keys()].filter((name) => /ahead\d\.0\.weight/.test(name));
      assert.deepEqual(
        heads.map((name) => name.replace('.0.weight', '')),
        expected,
      );
      method.dispose();
      trunk.dispose();
    }
  });

  it('turns the grid so that each direction points down', () => {
    tf.tidy(() => {
      const grid = tf.tensor4d([...Array(9).keys()], [1, 3, 3, 1]);
      const top = (quarters: number): number[] => [...tf.slice(rotate(grid, quarters), [0, 0], [1, 1]).dataSync()];
      assert.deepEqual(
        [top(0), top(1), top(2), top(3)],
        [
          [0, 1, 2],
          [2, 5, 8],
          [8, 7, 6],
          [6, 3, 0],
        ],
      );
      assertNumericGradient((x) => rotate(x as Tensor4D, 1), [numbers([1, 3, 3, 2])]);
      assertNumericGradient((x) => rotate(x as Tensor4D, 2), [numbers([1, 3, 3, 2])]);
    });
  });

  it('begins near the logarithm of the number of patches, the sooner the smaller the scale', () => {
    const images = numbers([3, 32, 32, 3]) as Tensor4D;
    close(lossOf({ scale: 1e-4 }, images), Math.log(27), 1e-3);
    close(lossOf({}, images), Math.log(27), 0.3);
    assert.ok(Math.abs(lossOf({ scale: 1 }, images) - Math.log(27)) > 0.3);
    close(cpc().uniformLoss(0), Math.log(27));
    images.dispose();
  });

  it('drops channels and takes statistics as it is told', () => {
    const images = numbers([3, 32, 32, 3]) as Tensor4D;
    const plain = lossOf({ dropChannels: 0 }, images);
    assert.equal(lossOf({ dropChannels: 0 }, images, { seed: 2 }), plain);
    assert.notEqual(lossOf({ dropChannels: 1 }, images), plain);
    // With batch norm the two ways to take statistics differ, without it they do not.
    close(lossOf({ dropChannels: 0, statistics: 'shared' }, images), plain);
    const [apart, shared] = (['apart', 'shared'] as const).map((statistics) => {
      const network = buildTrunk('small', { random: RandomStream.of(1, 'trunk') });
      return lossOf({ dropChannels: 0, statistics, directions: 1 }, images, { network });
    });
    assert.ok(Math.abs(apart! - shared!) > 1e-4);
    images.dispose();
  });

  it('refuses parameters out of range by name', () => {
    assert.throws(() => cpc({ cells: 1 }), /Expected `cells` to be a whole number of at least 2, got `1` \(number\)/);
    assert.throws(() => cpc({ lastStep: 3 }), /fewer rows ahead than the 3 there are, got `firstStep` 2, `lastStep` 3/);
    assert.throws(() => cpc({ firstStep: 2, lastStep: 1 }), /Expected `lastStep` to be a whole number of at least 2/);
    assert.throws(() => cpc({ directions: 3 as 4 }), /Expected `directions` to be 1, 2 or 4, got `3`/);
    assert.throws(() => cpc({ scale: 0 }), /Expected `scale`/);
    assert.throws(() => cpc({ dropChannels: 2 }), /Expected `dropChannels`/);
    assert.throws(() => cpc({ statistics: 'none' as 'apart' }), /Expected `statistics` to be apart or shared/);
    for (const name of ['batchSize', 'patch', 'stride', 'blocks', 'hidden', 'dim']) {
      assert.throws(
        () => cpc({ [name]: 0, ...(name === 'stride' ? { firstStep: 2 } : {}) }),
        new RegExp(`Expected \`${name}\``),
      );
    }
  });

  it('goes on exactly after a kill at any step', () =>
    assertExactResume(() => cpc({ cells: 2, firstStep: 1 }), { steps: 3, batchSize: 2, samples: 5 }));
});
