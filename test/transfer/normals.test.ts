import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { pixelCacheOf } from '../../src/images/pixel-cache.js';
import type { LoadedNormals } from '../../src/images/rgbd-dataset.js';
import { angularErrors, scoreErrors } from '../../src/transfer/normals/angular-error.js';
import { decodeCells, poolNormals } from '../../src/transfer/normals/cells.js';
import { evaluateMeanNormals, evaluateNormals } from '../../src/transfer/normals/evaluate-normals.js';
import type { Trunk } from '../../src/network/trunk.js';
import { addMoments, applyMap, fitRidge, momentsOf } from '../../src/transfer/normals/ridge.js';
import { normalPictures } from '../../src/transfer/figures/normal-pictures.js';

describe('angular errors', () => {
  it('equal the published evaluation codes on their synthetic normals', function () {
    const file = path.resolve('..', 'shared/data/images/evalrefs/normals-metrics/expected_synthetic.json');
    if (!existsSync(file)) {
      console.log('      (skipped: no shared data beside the project)');
      return this.skip();
    }
    const { pred, gt, valid, expected_fair: expected } = JSON.parse(readFileSync(file, 'utf8'));
    const scores = scoreErrors(angularErrors(pred, gt, valid));
    const close = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-6, `${a} for ${b}`);
    close(scores.mean, expected.mean);
    close(scores.median, expected.median_e);
    [scores.within11, scores.within22, scores.within30].forEach((value, i) => close(value, expected.mean_per_angle[i]));
  });

  it('count pixels and not images: a picture of one valid pixel weighs one pixel', () => {
    const up = [0, 0, -1];
    const side = [1, 0, 0];
    const truth = [...up, ...up, ...up, ...up];
    const predicted = [...up, ...up, ...up, ...side];
    // Two pictures of two pixels; of the second only the wrong one is valid. By images it would be 45 degrees.
    assert.equal(scoreErrors(angularErrors(predicted, truth, [1, 1, 0, 1])).mean, 30);
  });

  it('leave masked pixels out, and do not care for lengths', () => {
    assert.deepEqual([...angularErrors([0, 0, -3, 9, 9, 9], [0, 0, -0.5, 0, 0, 0], [1, 0])], [0]);
    assert.ok(Math.abs(angularErrors([1, 0, 0], [1, 1, 0], [1])[0]! - 45) < 1e-6);
    assert.throws(() => scoreErrors(angularErrors([1, 0, 0], [1, 0, 0], [0])), /at least one valid pixel/);
  });

  it('count an error of exactly a threshold as outside it', () => {
    const scores = scoreErrors(Float64Array.of(11.25, 22.5, 30, 0));
    assert.deepEqual([scores.within11, scores.within22, scores.within30], [25, 50, 75]);
  });
});

describe('cells', () => {
  it('are the mean direction of their valid pixels, weighed by how many there are', () => {
    const normals = Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, -1, 0, 0, 1]);
    const { normals: cells, weight } = poolNormals(
      { width: 4, height: 1, normals, valid: Uint8Array.of(1, 1, 1, 0) },
      [0],
      1,
      2,
    );
    const half = Math.SQRT1_2;
    [half, half, 0, 0, 0, -1].forEach((value, i) => assert.ok(Math.abs(cells[i]! - value) < 1e-7));
    assert.deepEqual([...weight], [1, 0.5]);
  });

  it('decode to themselves at their centres, to unit vectors between, and to the outermost cell beyond', () => {
    const decoded = decodeCells([1, 0, 0, 0, 0, -1], 1, 1, 2, 6, 1);
    const at = (x: number): number[] => [...decoded.subarray(x * 3, x * 3 + 3)];
    assert.deepEqual(at(0), [1, 0, 0]);
    assert.deepEqual(at(1), [1, 0, 0]);
    assert.deepEqual(at(4).map(Math.abs), [0, 0, 1]);
    for (let x = 0; x < 6; x++) assert.ok(Math.abs(Math.hypot(...at(x)) - 1) < 1e-6);
    assert.ok(at(2)[0]! > -at(2)[2]! && at(3)[0]! < -at(3)[2]!);
  });

  it('give back a plane of one normal exactly, whatever the grid', () => {
    const normals = Float32Array.from({ length: 7 * 5 * 3 }, (_, i) => [0.6, 0, -0.8][i % 3]!);
    const { normals: cells } = poolNormals(
      { width: 7, height: 5, normals, valid: new Uint8Array(35).fill(1) },
      [0],
      2,
      3,
    );
    decodeCells(cells, 1, 2, 3, 7, 5).forEach((value, i) => assert.ok(Math.abs(value - [0.6, 0, -0.8][i % 3]!) < 1e-6));
  });
});

describe('ridge regression', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });
  const random = RandomStream.of(12);
  const rows = 50;
  const features = { rows, dim: 3, data: Float32Array.from({ length: rows * 3 }, () => random.normal()) };
  const truth = [
    [1, -2],
    [0.5, 0],
    [3, 1],
  ];
  const targets = Float64Array.from({ length: rows * 2 }, (_, i) => {
    const row = Math.floor(i / 2);
    return 4 + truth.reduce((sum, w, j) => sum + features.data[row * 3 + j]! * w[i % 2]!, 0);
  });

  it('finds a linear law with its offset, and ignores rows of no weight', () => {
    const spoilt = targets.slice();
    const weights = new Float64Array(rows).fill(1);
    for (const row of [3, 20]) [spoilt[row * 2], weights[row]] = [1e3, 0];
    const map = fitRidge(momentsOf(features, spoilt, weights), 1e-7);
    truth.flat().forEach((value, i) => assert.ok(Math.abs(map.weights[i]! - value) < 1e-4));
    assert.ok(Math.abs(map.bias[0]! - 4) < 1e-4 && Math.abs(map.bias[1]! - 4) < 1e-4);
    assert.ok(Math.abs(applyMap(map, features, 7, 8)[1]! - targets[15]!) < 1e-3);
  });

  it('agrees with the closed form of one feature, `cov / (var + l2)`', () => {
    const one = { rows: 4, dim: 1, data: Float32Array.of(0, 1, 2, 3) };
    const map = fitRidge(momentsOf(one, Float64Array.of(1, 2, 2, 5), new Float64Array(4).fill(2)), 0.5);
    assert.ok(Math.abs(map.weights[0]! - 1.5 / (1.25 + 0.5)) < 1e-9);
    assert.ok(Math.abs(map.bias[0]! - (2.5 - map.weights[0]! * 1.5)) < 1e-9);
  });

  it('is the same from blocks added together as from all rows at once', () => {
    const weights = Float64Array.from({ length: rows }, (_, i) => 0.5 + (i % 3));
    const parts = [momentsOf(features, targets, weights, 0, 17), momentsOf(features, targets, weights, 17, rows)];
    const [whole, added] = [momentsOf(features, targets, weights), addMoments(parts)];
    fitRidge(whole, 0.1).weights.forEach((value, i) =>
      assert.ok(Math.abs(value - fitRidge(added, 0.1).weights[i]!) < 1e-5),
    );
  });

  it('refuses a strength of nothing', () => {
    assert.throws(() => fitRidge(momentsOf(features, targets, new Float64Array(rows).fill(1)), 0), /`l2`.*got `0`/);
  });
});

describe('normals without an image', () => {
  const frames = 5;
  const [width, height] = [8, 6];
  const normals = Float32Array.from(
    { length: frames * width * height * 3 },
    (_, i) => (Math.floor(i / 3) % width < 4 ? [0, 0, -1] : [0.6, 0, -0.8])[i % 3]!,
  );
  const picture = { width: 4, height: 4, channels: 3 as const, data: new Uint8Array(48) };
  const data: LoadedNormals = {
    frames: ['0', '1', '2', '3', '4'],
    colour: pixelCacheOf(Array.from({ length: frames }, () => picture)),
    width,
    height,
    normals,
    valid: new Uint8Array(frames * width * height).fill(1),
    digest: 'x',
  };
  const split = { train: Int32Array.of(0, 1), test: Int32Array.of(3, 4) };

  it('are right where every frame looks alike, but for the seam between cells', () => {
    const { scores, grid } = evaluateMeanNormals(data, split, 1, 2);
    assert.deepEqual(grid, [1, 2]);
    assert.equal(scores.within30, 100);
    assert.ok(scores.mean < 12 && scores.median < 12);
    assert.ok(evaluateMeanNormals(data, split, 6, 8).scores.mean < 1e-3, 'exact with a cell a pixel');
  });

  it('learn nothing from test frames: a change there changes the score and not the prediction', () => {
    const changed = { ...data, normals: normals.map((v, i) => (i >= 3 * width * height * 3 ? -v : v)) };
    const [before, after] = [evaluateMeanNormals(data, split, 2, 2), evaluateMeanNormals(changed, split, 2, 2)];
    assert.deepEqual(after.predicted, before.predicted);
    assert.ok(after.scores.mean > 150);
  });

  it('are painted beside the truth, unknown pixels black', () => {
    const valid = data.valid.slice();
    valid[3 * width * height] = 0;
    const { predicted } = evaluateMeanNormals(data, split, 6, 8);
    const [first, second] = normalPictures({ ...data, valid }, split.test, predicted, 2);
    assert.deepEqual([first!.frame, second!.frame], ['3', '4']);
    assert.deepEqual([...first!.truth.data.subarray(0, 6)], [0, 0, 0, 128, 128, 0]);
    assert.deepEqual([...first!.predicted.data.subarray(0, 3)], [128, 128, 0]);
    assert.deepEqual([...second!.truth.data.subarray(21, 24)], [204, 128, 25]);
  });
});

describe('normals from features', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  /** A network whose only layer is the picture itself. */
  const seeing: Trunk = {
    architecture: 'fake',
    inputSize: 6,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    layers: [{ name: 'maps', height: 6, width: 6, channels: 3 }],
    variables: new Map(),
    buffers: new Map(),
    features: (images) => ({ maps: images.clone() }),
    embed: () => {
      throw new Error('not needed');
    },
    dispose: () => {},
  };

  it('are found where the colours tell them, far better than without an image', () => {
    const random = RandomStream.of(31);
    const frames = 20;
    const normals = new Float32Array(frames * 36 * 3);
    for (let i = 0; i < normals.length; i += 3) {
      const [x, y, z] = [random.uniform(-1, 1), random.uniform(-1, 1), -1];
      const length = Math.hypot(x, y, z);
      normals.set([x / length, y / length, z / length], i);
    }
    const colour = pixelCacheOf(
      Array.from({ length: frames }, (_, frame) => ({
        width: 6,
        height: 6,
        channels: 3 as const,
        data: Uint8Array.from({ length: 108 }, (_, i) => Math.round(((normals[frame * 108 + i]! + 1) / 2) * 255)),
      })),
    );
    const valid = new Uint8Array(frames * 36).fill(1);
    const data: LoadedNormals = { frames: [], colour, width: 6, height: 6, normals, valid, digest: 'x' };
    const split = { train: Int32Array.from({ length: 14 }, (_, i) => i), test: Int32Array.of(16, 17, 18, 19) };
    const { scores, l2, grid } = evaluateNormals(seeing, data, split, { layers: ['maps'], strengths: [1, 1e-4] });
    assert.deepEqual(grid, [6, 6]);
    assert.equal(l2, 1e-4, 'a weak ridge suits features without noise');
    assert.ok(scores.mean < 0.5, `${scores.mean}`);
    assert.ok(evaluateMeanNormals(data, split, 6, 6).scores.mean > 20);
    assert.throws(() => evaluateNormals(seeing, data, split), /a spatial layer of maps, got `conv3`/);
  });
});
