import assert from 'node:assert/strict';
import { createColorization, type ColorizationOptions } from '../../src/contrast/colorization/colorization.js';
import {
  encodeColours,
  occupiedBins,
  rebalancingWeights,
  weightsOfCodes,
} from '../../src/contrast/colorization/colour-bins.js';
import { colourLoss } from '../../src/contrast/colorization/colour-loss.js';
import { abOf, lightnessOf, xyzOf } from '../../src/contrast/colorization/lab.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Batch } from '../../src/training/method.js';
import { assertNumericGradient, numbers } from '../runtime/gradient-check.js';
import { assertLearns } from './assert-learns.js';
import { assertExactResume, drawTestView, testSource, type TestView } from './resume.js';
import { tinyTrunk } from './tiny-trunk.js';

const close = (actual: number, expected: number, tolerance = 1e-5): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

describe('L*a*b* colours', () => {
  before(() => openRuntime({ threads: 1 }));

  const lab = (colours: number[][]): number[][] =>
    tf.tidy(() => {
      const xyz = xyzOf(tf.tensor4d(colours.flat(), [1, 1, colours.length, 3]));
      return tf.squeeze<Tensor2D>(tf.concat([lightnessOf(xyz), abOf(xyz)], 3), [0, 1]).arraySync();
    });

  it('are the known ones of D65', () => {
    const known: [number[], number[]][] = [
      [
        [1, 1, 1],
        [100, 0, 0],
      ],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
      [
        [1, 0, 0],
        [53.24, 80.09, 67.2],
      ],
      [
        [0, 1, 0],
        [87.73, -86.18, 83.18],
      ],
      [
        [0, 0, 1],
        [32.3, 79.19, -107.86],
      ],
      [
        [1, 1, 0],
        [97.14, -21.55, 94.48],
      ],
      [
        [0, 1, 1],
        [91.11, -48.09, -14.13],
      ],
      [
        [0.5, 0.5, 0.5],
        [53.39, 0, 0],
      ],
      // On the straight parts of both curves.
      [
        [0.02, 0.02, 0.02],
        [1.4, 0, 0],
      ],
    ];
    lab(known.map(([rgb]) => rgb)).forEach((values, i) =>
      values.forEach((value, k) => close(value, known[i]![1][k]!, 0.02)),
    );
  });

  it('of greys have no colour, and rise in lightness', () => {
    const greys = lab(Array.from({ length: 50 }, (_, i) => [i / 49, i / 49, i / 49]));
    greys.forEach(([lightness, a, b], i) => {
      close(a!, 0, 1e-3);
      close(b!, 0, 1e-3);
      if (i > 0) assert.ok(lightness! > greys[i - 1]![0]!);
    });
  });
});

describe('bins of colours', () => {
  it('are the points of the lattice that some colour is nearest to, with its share', () => {
    const { count, points, priors } = occupiedBins(Float32Array.of(1, -2, 4, 4, -12, 9, 6, 0), 10);
    assert.equal(count, 3);
    assert.deepEqual([...points], [-10, 10, 0, 0, 10, 0]);
    assert.deepEqual([...priors], [0.25, 0.5, 0.25]);
  });

  it('are fewer where they are larger', () => {
    const random = RandomStream.of(1);
    const ab = Float32Array.from({ length: 4000 }, () => random.uniform(-60, 60));
    const counts = [5, 10, 15, 20].map((size) => occupiedBins(ab, size).count);
    assert.deepEqual(counts.slice(1), [13 * 13, 9 * 9, 7 * 7]);
    assert.ok(counts[0]! > 500);
  });

  const bins = {
    count: 4,
    points: Float32Array.of(0, 0, 10, 0, 0, 10, 20, 20),
    priors: Float32Array.of(0.7, 0.1, 0.1, 0.1),
  };

  it('share a colour by a Gaussian of its distance, the nearest only', () => {
    const codes = encodeColours(Float32Array.of(2, 1), bins, { nearest: 3, sigma: 5 });
    const weight = (da: number, db: number): number => Math.exp(-(da * da + db * db) / 50);
    const raw = [weight(2, 1), weight(8, 1), weight(2, 9)];
    const sum = raw.reduce((a, b) => a + b);
    [...raw.map((value) => value / sum), 0].forEach((value, i) => close(codes[i]!, value, 1e-6));
  });

  it('have rows that sum to 1 for any number of neighbours and any colour, one-hot for one', () => {
    const random = RandomStream.of(2);
    const ab = Float32Array.from({ length: 60 }, () => random.uniform(-300, 300));
    for (const nearest of [1, 2, 4, 10]) {
      const codes = encodeColours(ab, bins, { nearest, sigma: 5 });
      for (let row = 0; row < 30; row++) {
        const values = codes.subarray(4 * row, 4 * row + 4);
        close(
          values.reduce((a, b) => a + b),
          1,
          1e-5,
        );
        assert.ok(values.filter((value) => value > 0).length <= nearest);
        if (nearest === 1) assert.equal(Math.max(...values), 1);
      }
    }
  });

  it('become sharper with a smaller sigma', () => {
    const at = (sigma: number): number => encodeColours(Float32Array.of(2, 1), bins, { nearest: 4, sigma })[0]!;
    assert.ok(at(2) > at(5) && at(5) > at(20));
  });

  it('count the more the rarer they are: as the formula says, with mean 1 over the data', () => {
    // So far apart that smoothing does nothing.
    const apart = { ...bins, points: bins.points.map((value) => value * 100) };
    const weights = rebalancingWeights(apart, { lambda: 0.5, sigma: 5 });
    const raw = [...apart.priors].map((p) => 1 / (0.5 * p + 0.5 / 4));
    const mean = raw.reduce((sum, weight, i) => sum + weight * apart.priors[i]!, 0);
    raw.forEach((weight, i) => close(weights[i]!, weight / mean, 1e-5));
    const alike = rebalancingWeights(apart, { lambda: 1, sigma: 5 });
    for (const weight of alike) close(weight, 1, 1e-6);
    const inverse = rebalancingWeights(apart, { lambda: 0, sigma: 5 });
    close(inverse[1]! / inverse[0]!, 7, 1e-4);
    const smoother = rebalancingWeights(bins, { lambda: 0, sigma: 20 });
    assert.ok(smoother[1]! / smoother[0]! < 7);
  });

  it('weigh a colour by its largest bin', () => {
    const weights = weightsOfCodes(Float32Array.of(0.2, 0.5, 0.3, 0.6, 0.1, 0.3), Float32Array.of(1, 2, 3));
    assert.deepEqual([...weights], [2, 1]);
  });
});

describe('colour loss', () => {
  before(() => openRuntime({ threads: 1 }));

  const codes = [
    [0.5, 0.3, 0.2, 0],
    [0, 0, 1, 0],
    [0.25, 0.25, 0.25, 0.25],
  ];
  const weights = [0.5, 2, 1];
  const loss = (logits: Tensor): Tensor => colourLoss(logits as Tensor2D, tf.tensor2d(codes), tf.tensor1d(weights));

  it('agrees with the definition term by term', () => {
    tf.tidy(() => {
      const logits = numbers([3, 4], 3) as Tensor2D;
      const expected = logits.arraySync().map((row, h) => {
        const sum = row.reduce((total, z) => total + Math.exp(z), 0);
        return -weights[h]! * row.reduce((total, z, q) => total + codes[h]![q]! * Math.log(Math.exp(z) / sum), 0);
      });
      close(loss(logits).dataSync()[0]!, expected.reduce((a, b) => a + b) / 3);
    });
  });

  it('is ln Q for equal logits and weights of mean 1, and the entropy of the codes at best', () => {
    tf.tidy(() => {
      const equal = colourLoss(tf.zeros([3, 4]), tf.tensor2d(codes), tf.tensor1d([0.5, 1.5, 1]));
      close(equal.dataSync()[0]!, Math.log(4));
      const best = colourLoss(tf.log(tf.tensor2d([codes[2]!])), tf.tensor2d([codes[2]!]), tf.tensor1d([1]));
      close(best.dataSync()[0]!, Math.log(4));
      const known = colourLoss(tf.tensor2d([[0, 0, 50, 0]]), tf.tensor2d([codes[1]!]), tf.tensor1d([1]));
      close(known.dataSync()[0]!, 0);
    });
  });

  it('has the gradient of central differences', () => {
    assertNumericGradient(loss, [numbers([3, 4], 5)]);
  });
});

describe('colorization', () => {
  before(() => openRuntime({ threads: 2 }));

  const colorization = (options: Partial<ColorizationOptions<TestView>> = {}) =>
    createColorization<TestView>({ drawView: drawTestView(), pictures: 6, ...options });
  const open = (options: Partial<ColorizationOptions<TestView>> = {}, trunk: Trunk = tinyTrunk()) => {
    const method = colorization(options);
    method.init(trunk, testSource(), RandomStream.of(1));
    return { trunk, method };
  };
  const batch = { step: 0, epoch: 0, random: RandomStream.of(1) } as Batch;
  const images = (): Tensor4D => testSource().plain(Int32Array.of(0, 1, 2));

  it('learns through trunk and classifier, and leaves no tensor behind', () => {
    const { trunk, method } = open({}, buildTrunk('small', { random: RandomStream.of(1, 'trunk') }));
    const pictures = images();
    assertLearns(method, trunk, [pictures], batch);
    pictures.dispose();
    method.dispose();
    trunk.dispose();
  });

  it('has as many classes as bins are occupied, and begins near the logarithm of that', () => {
    const counts = [10, 20].map((binSize) => {
      const { trunk, method } = open({ binSize, lambda: 1 });
      const count = method.save()['bins/priors']!.shape[0]!;
      assert.deepEqual(method.variables().get('0.weight')!.shape, [6, count]);
      close(method.uniformLoss(0), Math.log(count));
      tf.tidy(() => close(method.step([images()], batch).loss.dataSync()[0]!, Math.log(count), 0.1));
      method.dispose();
      trunk.dispose();
      return count;
    });
    assert.ok(counts[0]! > counts[1]!);
  });

  it('shows the trunk lightness alone: pictures of one lightness and other colours look alike', () => {
    const { trunk, method } = open();
    const seen: Float32Array[] = [];
    const { features } = trunk;
    const watched = {
      ...trunk,
      features: ((x, ...rest) => (seen.push(x.dataSync<'float32'>()), features(x, ...rest))) as typeof features,
    };
    method.init(watched, testSource(), RandomStream.of(1));
    seen.length = 0;
    tf.tidy(() => void method.step([images()], batch));
    const grey = Array.from({ length: seen[0]!.length / 3 }, (_, pixel) =>
      trunk.mean.map((mean, c) => seen[0]![3 * pixel + c]! * trunk.std[c]! + mean),
    );
    for (const [r, g, b] of grey) {
      close(r!, g!, 1e-5);
      close(r!, b!, 1e-5);
    }
    assert.ok(grey.some(([r]) => r! > 0.6) && grey.some(([r]) => r! < 0.4));
    method.dispose();
    trunk.dispose();
  });

  it('counts its bins on pictures that the seed draws, and keeps them in its state', () => {
    const bins = (seed: number) => {
      const { trunk, method } = open();
      method.dispose();
      method.init(trunk, testSource(), RandomStream.of(seed));
      const saved = method.save();
      method.load(saved);
      assert.deepEqual(method.save(), saved);
      assert.throws(() => method.load({}), /Expected \d+ colour bins in the state, got \[undefined\]|got \[\]/);
      method.dispose();
      trunk.dispose();
      return saved;
    };
    assert.deepEqual(bins(1), bins(1));
    assert.notDeepEqual(bins(1), bins(2));
  });

  it('counts on as many pictures as it is told, and on all where there are fewer', () => {
    const cells = (pictures: number): number => {
      const { trunk, method } = open({ pictures, binSize: 1 });
      const { data } = method.save()['bins/priors']!;
      method.dispose();
      trunk.dispose();
      // With bins so small hardly two cells share one: the least share is that of one cell.
      return Math.round(1 / Math.min(...data));
    };
    // Ten pictures of 6 x 6 cells.
    assert.deepEqual([1, 4, 100].map(cells), [36, 144, 360]);
  });

  it('refuses parameters out of range by name', () => {
    assert.throws(() => colorization({ binSize: 0 }), /Expected `binSize` to be a number above 0, got `0` \(number\)/);
    assert.throws(() => colorization({ sigma: NaN }), /Expected `sigma`/);
    assert.throws(() => colorization({ nearest: 0.5 }), /Expected `nearest`/);
    assert.throws(() => colorization({ pictures: 0 }), /Expected `pictures`/);
    assert.throws(() => colorization({ lambda: 1.1 }), /Expected `lambda` to be a number from 0 to 1, got `1.1`/);
  });

  it('goes on exactly after a kill at any step', () =>
    assertExactResume(colorization, { steps: 4, batchSize: 2, samples: 5 }));
});
