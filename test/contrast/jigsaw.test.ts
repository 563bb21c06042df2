import assert from 'node:assert/strict';
import { createJigsaw, jigsawLoss, type JigsawOptions } from '../../src/contrast/jigsaw/jigsaw.js';
import { permutationSet } from '../../src/contrast/jigsaw/permutations.js';
import { normalisePatches, shufflePatches } from '../../src/contrast/jigsaw/puzzle.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch } from '../../src/training/method.js';
import { assertNumericGradient, numbers } from '../runtime/gradient-check.js';
import { assertLearns } from './assert-learns.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';
import { tinyTrunk } from './tiny-trunk.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

const hamming = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).filter((digit, i) => digit !== b[i]).length;

/** All permutations in lexicographic order. */
const permutationsOf = (digits: number[]): number[][] =>
  digits.length === 0
    ? [[]]
    : digits.flatMap((first) =>
        permutationsOf(digits.filter((digit) => digit !== first)).map((rest) => [first, ...rest]),
      );

/** The algorithm as it is written: all distances anew in each round, of the remaining the first that is farthest. */
const slowSet = (size: number, pieces: number, criterion: 'mean' | 'min', first: number): number[][] => {
  const remaining = permutationsOf(Array.from({ length: pieces }, (_, i) => i));
  const chosen = remaining.splice(first, 1);
  while (chosen.length < size) {
    const scores = remaining.map((candidate) => {
      const distances = chosen.map((other) => hamming(candidate, other));
      return criterion === 'min' ? Math.min(...distances) : distances.reduce((a, b) => a + b, 0) / chosen.length;
    });
    chosen.push(...remaining.splice(scores.indexOf(Math.max(...scores)), 1));
  }
  return chosen;
};

describe('permutation sets', () => {
  const distances = (set: readonly Uint8Array[]): number[] =>
    set.flatMap((a, i) => set.slice(i + 1).map((b) => hamming(a, b)));

  it('are those of the algorithm as it is written, by either criterion', () => {
    for (const criterion of ['mean', 'min'] as const) {
      for (const [size, pieces] of [
        [24, 4],
        [40, 5],
        [30, 6],
      ] as const) {
        const first = RandomStream.of(3).integer(permutationsOf([...Array(pieces).keys()]).length);
        const set = permutationSet({ size, pieces, criterion, random: RandomStream.of(3) });
        assert.deepEqual(
          set.map((row) => [...row]),
          slowSet(size, pieces, criterion, first),
        );
      }
    }
  });

  it('hold each permutation once, all digits in each', () => {
    const set = permutationSet({ size: 40, random: RandomStream.of(1) });
    assert.equal(new Set(set.map((row) => row.join())).size, 40);
    for (const row of set) assert.deepEqual([...row].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('begin with a Latin square: nine permutations that agree nowhere', () => {
    for (const criterion of ['mean', 'min'] as const) {
      assert.deepEqual(
        new Set(distances(permutationSet({ size: 3, criterion, random: RandomStream.of(1) }))),
        new Set([9]),
      );
    }
  });

  it('are farther apart than drawn ones: the mean by its criterion, the least by the other', () => {
    const size = 60;
    const sets = (['mean', 'min'] as const).map((criterion) =>
      distances(permutationSet({ size, criterion, random: RandomStream.of(1) })),
    );
    const random = RandomStream.of(5);
    const drawn = distances(Array.from({ length: size }, () => random.shuffle(Uint8Array.from([...Array(9).keys()]))));
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const least = (values: number[]): number => Math.min(...values);
    // Two permutations agree in one of nine places on average.
    close(mean(drawn), 8, 0.1);
    assert.ok(mean(sets[0]!) > 8.05, `mean ${mean(sets[0]!)}`);
    assert.ok(least(sets[1]!) >= 6, `least ${least(sets[1]!)}`);
    assert.ok(least(drawn) < least(sets[1]!));
  });

  it('are functions of size, criterion and seed, and larger ones begin with smaller ones', () => {
    const set = (size: number, seed: number) => permutationSet({ size, random: RandomStream.of(seed) });
    assert.deepEqual(set(20, 1), set(20, 1));
    assert.deepEqual(set(20, 1).slice(0, 10), set(10, 1));
    assert.notDeepEqual(set(20, 1), set(20, 2));
  });

  it('are not larger than there are permutations', () => {
    const random = RandomStream.of(1);
    assert.equal(permutationSet({ size: 24, pieces: 4, random }).length, 24);
    assert.throws(() => permutationSet({ size: 25, pieces: 4, random }), /from 2 to 24, the permutations of 4 pieces/);
    assert.throws(() => permutationSet({ size: 5, pieces: 16, random }), /Expected `pieces`.*from 2 to 9, got `16`/);
    assert.throws(() => permutationSet({ size: 5, criterion: 'max' as 'min', random }), /Expected `criterion`/);
  });
});

describe('puzzle', () => {
  before(() => openRuntime({ threads: 1 }));

  it('puts the patch named at a place into that place, in each picture by its own order', () => {
    tf.tidy(() => {
      const patches = tf.tensor4d([...Array(8).keys()], [8, 1, 1, 1]);
      const shuffled = shufflePatches(patches, [Uint8Array.of(2, 0, 3, 1), Uint8Array.of(0, 1, 3, 2)]);
      assert.deepEqual([...shuffled.dataSync()], [2, 0, 3, 1, 4, 5, 7, 6]);
    });
  });

  it('brings every patch to mean 0 and deviation 1 by itself, and one colour to 0', () => {
    tf.tidy(() => {
      const patches = tf.concat([numbers([2, 6, 6, 3]), tf.fill([1, 6, 6, 3], 4)]) as Tensor4D;
      const rows = normalisePatches(tf.mul(tf.add(patches, 3), 2));
      const { mean, variance } = tf.moments(rows, [1, 2]);
      for (const value of mean.dataSync()) close(value, 0, 1e-5);
      [...variance.dataSync()].forEach((value, i) => close(value, i < 6 ? 1 : 0, 1e-4));
    });
  });
});

describe('jigsaw loss', () => {
  before(() => openRuntime({ threads: 1 }));
  const labels = () => tf.tensor1d([2, 0, 4], 'int32') as Tensor1D;

  it('agrees with the definition term by term, and is ln |P| for equal logits', () => {
    tf.tidy(() => {
      const logits = numbers([3, 5], 3) as Tensor2D;
      const expected = logits.arraySync().map((row, i) => {
        const label = [2, 0, 4][i]!;
        return Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[label]!;
      });
      close(jigsawLoss(logits, labels()).dataSync()[0]!, expected.reduce((a, b) => a + b) / 3);
      const chance = jigsawLoss(tf.zeros([1, 2000]), tf.tensor1d([7], 'int32'));
      close(chance.dataSync()[0]!, 7.600902);
    });
  });

  it('has the gradient of central differences', () => {
    assertNumericGradient((logits: Tensor) => jigsawLoss(logits as Tensor2D, labels()), [numbers([3, 5], 5)]);
  });
});

describe('jigsaw puzzles', () => {
  before(() => openRuntime({ threads: 2 }));

  const jigsaw = (options: Partial<JigsawOptions<TestView>> = {}) =>
    createJigsaw<TestView>({
      drawView: drawTestView(),
      permutations: 6,
      cells: 2,
      patch: 16,
      jitter: 4,
      patchDim: 5,
      ...options,
    });
  const open = (options: Partial<JigsawOptions<TestView>> = {}, trunk: Trunk = tinyTrunk()) => {
    const method = jigsaw(options);
    method.init(trunk, testSource(), RandomStream.of(1));
    return { trunk, method };
  };
  const batch = (seed = 1): Batch => ({ step: 0, epoch: 0, random: RandomStream.of(seed) }) as Batch;

  it('learn through trunk, tower and classifier, and leave no tensor behind', () => {
    const { trunk, method } = open({}, buildTrunk('small', { random: RandomStream.of(1, 'trunk') }));
    const images = numbers([3, 48, 48, 3]) as Tensor4D;
    assertLearns(method, trunk, [images], batch());
    images.dispose();
    method.dispose();
    trunk.dispose();
  });

  it('have a classifier over as many permutations as asked for, of rows of all patches', () => {
    for (const [options, shape] of [
      [{ permutations: 24 }, [20, 24]],
      [{ permutations: 50, cells: 3, patch: 8, patchDim: 4 }, [36, 50]],
    ] as const) {
      const { trunk, method } = open(options);
      assert.deepEqual(method.variables().get('classifier.0.weight')!.shape, shape);
      close(method.uniformLoss(0), Math.log(options.permutations));
      method.dispose();
      trunk.dispose();
    }
  });

  it('begin at chance', () => {
    const { trunk, method } = open({ permutations: 20 });
    tf.tidy(() => {
      const { loss } = method.step([numbers([4, 48, 48, 3]) as Tensor4D], batch());
      close(loss.dataSync()[0]!, Math.log(20), 0.05);
    });
    method.dispose();
    trunk.dispose();
  });

  /** What the trunk is shown of pictures whose four cells are 0, 1, 2 and 3: a row of cells a picture, and the patches. */
  const shown = (options: Partial<JigsawOptions<TestView>>, seed = 1) => {
    const trunk = tinyTrunk();
    const method = jigsaw({ normalise: false, ...options });
    let patches: Tensor4D | undefined;
    const watched: Trunk = {
      ...trunk,
      features: (images, ...rest) => {
        patches = tf.keep(images.clone());
        return trunk.features(images, ...rest);
      },
    };
    method.init(watched, testSource(), RandomStream.of(1));
    const orders = tf.tidy(() => {
      const half = (a: number, b: number): Tensor =>
        tf.concat([tf.fill([8, 24, 24, 3], a), tf.fill([8, 24, 24, 3], b)], 2);
      method.step([tf.concat([half(0, 1), half(2, 3)], 1) as Tensor4D], batch(seed));
      return tf.reshape(tf.mean(patches!, [1, 2, 3]), [8, 4]).arraySync() as number[][];
    });
    const { shape } = patches!;
    patches!.dispose();
    method.dispose();
    trunk.dispose();
    return { orders, shape };
  };

  it('show the patches of each picture in one of the orders of the set, each drawn anew', () => {
    const set = permutationSet({ size: 6, pieces: 4, random: RandomStream.of(0, 'permutations') }).map((row) =>
      row.join(),
    );
    const { orders, shape } = shown({});
    assert.deepEqual(shape, [32, 16, 16, 3]);
    for (const order of orders) assert.ok(set.includes(order.join()), `${order.join()} is none of ${set.join(' ')}`);
    assert.ok(new Set(orders.map((order) => order.join())).size > 2);
    assert.notDeepEqual(shown({}, 2).orders, orders);
  });

  it('take the set that criterion and seed give', () => {
    const { orders } = shown({});
    assert.notDeepEqual(shown({ permutationSeed: 1 }).orders, orders);
    assert.notDeepEqual(shown({ permutations: 20, criterion: 'min' }).orders, shown({ permutations: 20 }).orders);
  });

  it('do not see how bright a patch is, unless told to', () => {
    for (const normalise of [true, false]) {
      const { trunk, method } = open({ normalise });
      const states = [0, 1].map((brighter) =>
        tf.tidy(() => {
          // The upper half of each picture brighter.
          const mask = tf.concat([tf.fill([1, 24, 48, 1], brighter), tf.zeros([1, 24, 48, 1])], 1);
          const images = tf.add(numbers([4, 48, 48, 3]), mask) as Tensor4D;
          return method.step([images], batch()).loss.dataSync()[0]!;
        }),
      );
      assert.equal(Math.abs(states[0]! - states[1]!) < 1e-4, normalise, states.join());
      method.dispose();
      trunk.dispose();
    }
  });

  it('refuse parameters out of range by name', () => {
    assert.throws(
      () => jigsaw({ permutations: 1 }),
      /Expected `permutations` to be a whole number of at least 2, got `1`/,
    );
    assert.throws(() => jigsaw({ cells: 4 }), /Expected `cells` to be 2 or 3/);
    assert.throws(() => jigsaw({ jitter: -1 }), /Expected `jitter`/);
    assert.throws(() => jigsaw({ patch: 0 }), /Expected `patch`/);
    assert.throws(() => jigsaw({ patchDim: 0.5 }), /Expected `patchDim`/);
    const { trunk, method } = open({ patch: 24 });
    assert.throws(() => method.step([numbers([1, 48, 48, 3]) as Tensor4D], batch()), /at least 52 px.*got 48 px/);
    method.dispose();
    trunk.dispose();
  });

  it('go on exactly after a kill at any step', () => assertExactResume(jigsaw, { steps: 4, batchSize: 2, samples: 5 }));
});
