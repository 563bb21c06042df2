import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Trunk } from '../../src/network/trunk.js';
import { pixelCacheOf } from '../../src/images/pixel-cache.js';
import { averageCells } from '../../src/network/average-cells.js';
import { extractCellFeatures } from '../../src/transfer/features/extract.js';
import { readFeatures } from '../../src/transfer/features/read-features.js';
import { neighbourRows } from '../../src/transfer/figures/neighbour-rows.js';
import { foldResults, type Cell } from '../../src/transfer/results.js';

/** A network of no layers: `maps` is the picture itself (6 x 6 x 3), `coarse` its 2 x 2 means, `fc` the mean colour. */
const fakeTrunk = (passes: { count: number }): Trunk => ({
  architecture: 'fake',
  inputSize: 6,
  mean: [0, 0, 0],
  std: [1 / 255, 1 / 255, 1 / 255],
  layers: [
    { name: 'maps', height: 6, width: 6, channels: 3 },
    { name: 'coarse', height: 2, width: 2, channels: 3 },
    { name: 'fc', channels: 3 },
  ],
  variables: new Map(),
  buffers: new Map(),
  features: (images: Tensor4D, _layers: readonly string[], mode) => {
    assert.equal(mode, 'eval', 'frozen features');
    passes.count++;
    return { maps: images.clone(), coarse: averageCells(images, 2, 2), fc: images.mean([1, 2]) };
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

describe('features', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('of a spatial layer are the means of its quarters, row, column, channel; dense layers stay as they are', () => {
    const pictures = cache(5);
    const readings = [{ layer: 'maps', pool: 2 }, { layer: 'fc' }];
    const found = readFeatures(fakeTrunk({ count: 0 }), pictures, readings, { batch: 2 });
    const [maps, fc] = [found.get('maps@2'), found.get('fc')];
    assert.deepEqual([maps!.rows, maps!.dim, fc!.dim], [5, 12, 3]);
    for (let i = 0; i < 5; i++) {
      for (let cell = 0; cell < 4; cell++) {
        for (let c = 0; c < 3; c++) {
          let sum = 0;
          for (let y = 0; y < 3; y++) {
            for (let x = 0; x < 3; x++) {
              sum += pictures.pixels[((i * 6 + Math.floor(cell / 2) * 3 + y) * 6 + (cell % 2) * 3 + x) * 3 + c]!;
            }
          }
          assert.ok(Math.abs(maps!.data[i * 12 + cell * 3 + c]! - sum / 9) < 1e-2);
        }
      }
    }
  });

  it('pool a size that does not divide as adaptive pooling does: cells overlap', () => {
    const map = tf.tensor4d([1, 2, 4, 8, 16], [1, 1, 5, 1]);
    const pooled = averageCells(map, 1, 2).dataSync();
    assert.ok(Math.abs(pooled[0]! - 7 / 3) < 1e-6 && Math.abs(pooled[1]! - 28 / 3) < 1e-6);
    assert.throws(() => averageCells(map, 2, 2), /at most 1 x 5 cells/);
  });

  it('of several layers meet cell by cell on one grid', () => {
    const pictures = cache(3);
    const cells = extractCellFeatures(fakeTrunk({ count: 0 }), pictures, ['maps', 'coarse'], 2, 2);
    assert.deepEqual([cells.rows, cells.dim], [12, 6]);
    for (let row = 0; row < 12; row++) {
      for (let c = 0; c < 3; c++) assert.ok(Math.abs(cells.data[row * 6 + c]! - cells.data[row * 6 + 3 + c]!) < 1e-2);
    }
    assert.throws(
      () => extractCellFeatures(fakeTrunk({ count: 0 }), pictures, ['fc'], 2, 2),
      /a spatial layer, got `fc`/,
    );
  });

  it('are refused where a network gives what is no number, by the picture', () => {
    const passes = { count: 0 };
    const whole = fakeTrunk(passes);
    const broken: Trunk = {
      ...whole,
      features: (images: Tensor4D, layers, mode) => {
        const found = whole.features(images, layers, mode);
        return passes.count < 3 ? found : { ...found, maps: tf.fill([1, 6, 6, 3], NaN) };
      },
    };
    assert.throws(
      () => extractCellFeatures(broken, cache(4), ['coarse', 'maps'], 2, 2, { batch: 1 }),
      /RangeError: Expected `features of maps` to be finite, got NaN in row 2/,
    );
  });

  it('leave no tensor behind', () => {
    const before = tf.memory().numTensors;
    extractCellFeatures(fakeTrunk({ count: 0 }), cache(3), ['maps'], 2, 2);
    assert.equal(tf.memory().numTensors, before);
  });
});

describe('neighbour figures', () => {
  it('show all there are, where that is fewer than asked for', () => {
    const maps = readFeatures(fakeTrunk({ count: 0 }), cache(3), [{ layer: 'maps', pool: 2 }]).get('maps@2');
    const shown = (sameSet: boolean): number[] =>
      neighbourRows(maps!, maps!, { rows: 2, k: 5, sameSet }).map(({ neighbours }) => neighbours.length);
    assert.deepEqual(shown(false), [3, 3]);
    assert.deepEqual(shown(true), [2, 2]);
  });

  it('show a query and its nearest, never itself, and the same ones for the same seed', () => {
    const pictures = cache(9);
    const maps = readFeatures(fakeTrunk({ count: 0 }), pictures, [{ layer: 'maps', pool: 2 }]).get('maps@2');
    const rows = neighbourRows(maps!, maps!, { rows: 4, k: 5, seed: 2, sameSet: true });
    assert.equal(rows.length, 4);
    for (const { query, neighbours } of rows) {
      assert.equal(neighbours.length, 5);
      assert.ok(neighbours.every(({ index }) => index !== query));
      neighbours.slice(1).forEach(({ similarity }, i) => assert.ok(similarity <= neighbours[i]!.similarity));
    }
    assert.deepEqual(neighbourRows(maps!, maps!, { rows: 4, k: 5, seed: 2, sameSet: true }), rows);
  });
});

describe('foldResults', () => {
  const cell = (method: string, seed: number, value: number, more: Partial<Cell> = {}): Cell => ({
    task: 'classification',
    dataset: 'caltech101',
    protocol: 'knn/conv5',
    metric: 'top1',
    higherIsBetter: true,
    method,
    seed,
    value,
    weights: `w${method}${seed}`,
    data: 'd',
    params: { k: 20, sigma: 0.07 },
    command: 'run',
    seconds: 2,
    ...more,
  });

  it('puts seeds in order, and gives their mean and sample deviation', () => {
    const [random, triplet] = foldResults([
      cell('random', 2, 34),
      cell('triplet', 1, 40),
      cell('random', 1, 30),
      cell('random', 3, 32),
    ]);
    assert.deepEqual(random!.seeds, [1, 2, 3]);
    assert.deepEqual(random!.values, [30, 34, 32]);
    assert.deepEqual(random!.weights, ['wrandom1', 'wrandom2', 'wrandom3']);
    assert.deepEqual([random!.mean, random!.std, random!.seconds], [32, 2, 6]);
    assert.deepEqual([triplet!.method, triplet!.mean, triplet!.std], ['triplet', 40, 0]);
  });

  it('keeps metrics, protocols and data sets apart', () => {
    const cells = [
      cell('a', 1, 1),
      cell('a', 1, 2, { metric: 'top5' }),
      cell('a', 1, 3, { protocol: 'linear' }),
      cell('a', 1, 4, { dataset: 'cifar10' }),
    ];
    assert.deepEqual(
      foldResults(cells).map(({ values }) => values[0]),
      [1, 2, 3, 4],
    );
  });

  it('takes equal settings for equal, in whatever order they were written, and refuses others', () => {
    assert.equal(foldResults([cell('a', 1, 1), cell('a', 2, 1, { params: { sigma: 0.07, k: 20 } })]).length, 1);
    assert.throws(() => foldResults([cell('a', 1, 1), cell('a', 2, 1, { params: { k: 10 } })]), /other settings/);
    assert.throws(() => foldResults([cell('a', 1, 1), cell('a', 2, 1, { data: 'e' })]), /other data/);
    assert.throws(() => foldResults([cell('a', 1, 1), cell('a', 1, 1)]), /seed 1 was measured twice/);
    assert.throws(() => foldResults([cell('a', 1, NaN)]), /expected a number, got NaN/);
  });
});
