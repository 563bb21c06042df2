import assert from 'node:assert/strict';
import { pixelCacheOf } from '../../../src/images/pixel-cache.js';
import type { Raster } from '../../../src/numeric/raster.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { tf, type Tensor4D } from '../../../src/runtime/tensors.js';
import { classicalTrunk } from '../../../src/transfer/classical/classical-trunk.js';
import { colourCells, colourChannels, labOf } from '../../../src/transfer/classical/colour-cells.js';
import { hogCells, hogChannels } from '../../../src/transfer/classical/hog-cells.js';
import { readFeatures } from '../../../src/transfer/features/read-features.js';

/** Stripes of four pixels across an angle, degrees. */
const stripes = (angle: number, side = 32): Float32Array => {
  const [dx, dy] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  return Float32Array.from({ length: side * side }, (_, i) => {
    const along = (i % side) * dx + Math.floor(i / side) * dy;
    return 128 + 100 * Math.sin((along * Math.PI) / 4);
  });
};

const picture = (side: number, colourAt: (x: number, y: number) => readonly [number, number, number]): Raster => ({
  width: side,
  height: side,
  channels: 3,
  data: Uint8Array.from(Array.from({ length: side * side }, (_, i) => colourAt(i % side, Math.floor(i / side))).flat()),
});

const near = (actual: readonly number[], expected: readonly number[], tolerance: number): void =>
  expected.forEach((value, i) => assert.ok(Math.abs(actual[i]! - value) <= tolerance, `${actual} is not ${expected}`));

describe('cells of oriented gradients', () => {
  it('are strongest in the undirected orientation of the gradient', () => {
    for (const [angle, bin] of [
      [0, 0],
      [20, 1],
      [60, 3],
      [90, 4],
      [120, 6],
      [160, 8],
    ] as const) {
      const { rows, columns, channels, data } = hogCells(stripes(angle), 32, 32);
      assert.deepEqual([rows, columns, channels], [4, 4, hogChannels]);
      const cell = [...data.subarray(5 * hogChannels + 18, 5 * hogChannels + 27)];
      const best = cell.indexOf(Math.max(...cell));
      assert.ok(angle === 90 ? best === 4 || best === 5 : best === bin, `${angle} degrees in bin ${best}`);
    }
  });

  it('do not change with brightness, and hardly with contrast', () => {
    const first = hogCells(stripes(40), 32, 32).data;
    const brighter = hogCells(
      stripes(40).map((value) => value + 20),
      32,
      32,
    ).data;
    const flatter = hogCells(
      stripes(40).map((value) => value / 2),
      32,
      32,
    ).data;
    near([...brighter], [...first], 1e-5);
    near([...flatter], [...first], 1e-3);
  });

  it('leave out what is less than a cell, and refuse what is less than one', () => {
    const { rows, columns } = hogCells(new Float32Array(31 * 17), 31, 17);
    assert.deepEqual([rows, columns], [2, 3]);
    assert.throws(() => hogCells(new Float32Array(49), 7, 7), /at least 8 x 8/);
  });
});

describe('colour histograms', () => {
  it('are of CIELAB, as published for the primaries', () => {
    near(labOf(255, 255, 255), [100, 0, 0], 0.02);
    near(labOf(0, 0, 0), [0, 0, 0], 0.02);
    near(labOf(255, 0, 0), [53.24, 80.09, 67.2], 0.02);
    near(labOf(0, 255, 0), [87.73, -86.18, 83.18], 0.02);
    near(labOf(0, 0, 255), [32.3, 79.19, -107.86], 0.02);
  });

  it('count each pixel once, in the cell where it is', () => {
    const { data } = picture(16, (x) => (x < 8 ? [255, 0, 0] : [90, 90, 90]));
    const cells = colourCells(data, 16, 16);
    const cell = (i: number): number[] => [...cells.data.subarray(i * colourChannels, (i + 1) * colourChannels)];
    for (let i = 0; i < 4; i++) assert.ok(Math.abs(cell(i).reduce((a, b) => a + b) - 64) < 1e-3);
    assert.deepEqual(cell(0), cell(2));
    assert.deepEqual(cell(1), cell(3));
    const shared = cell(0).reduce((sum, count, c) => sum + Math.min(count, cell(1)[c]!), 0);
    assert.ok(shared < 1e-3, 'red and grey share no bin');
  });

  it('move little when the light changes little', () => {
    const of = (level: number) => colourCells(picture(8, () => [level, level, level]).data, 8, 8).data;
    const overlap = (a: Float32Array, b: Float32Array): number =>
      a.reduce((sum, count, c) => sum + Math.min(count, b[c]!), 0) / 64;
    for (let level = 0; level < 250; level += 5) assert.ok(overlap(of(level), of(level + 5)) > 0.8, `at ${level}`);
  });
});

describe('the classical trunk', () => {
  before(() => openRuntime({ threads: 1 }));

  it('is read by the protocols as a network is: pictures of its size, maps and a dense layer, no tensor left', () => {
    const before = tf.memory().numTensors;
    const pictures = pixelCacheOf([picture(96, (x, y) => [x, y, 50]), picture(96, () => [200, 30, 30])]);
    const found = readFeatures(classicalTrunk(), pictures, [
      { layer: 'hog' },
      { layer: 'hog', pool: 4 },
      { layer: 'colour-cells', pool: 2 },
      { layer: 'colour' },
    ]);
    assert.deepEqual(
      [...found.values()].map(({ dim }) => dim),
      [144 * hogChannels, 16 * hogChannels, 4 * colourChannels, colourChannels],
    );
    const colour = found.get('colour')!.data;
    for (const row of [0, 1]) {
      const length = Math.hypot(...colour.subarray(row * colourChannels, (row + 1) * colourChannels));
      assert.ok(Math.abs(length - 1) < 1e-4, 'roots of shares have length 1');
    }
    assert.equal(tf.memory().numTensors, before);
  });

  it('takes pictures of other sizes, and gives maps of theirs', () => {
    tf.tidy(() => {
      const { hog } = classicalTrunk().features(tf.zeros([1, 40, 64, 3]) as Tensor4D, ['hog'], 'eval');
      assert.deepEqual(hog!.shape, [1, 5, 8, hogChannels]);
    });
  });

  it('refuses layers that it has not, and to embed', () => {
    const trunk = classicalTrunk();
    const images = tf.zeros([1, 16, 16, 3]) as Tensor4D;
    assert.throws(() => trunk.features(images, ['conv5'], 'eval'), /a layer of hog, colour-cells, colour, got `conv5`/);
    assert.throws(() => trunk.embed(images, 'eval'), /have none/);
    images.dispose();
  });
});
