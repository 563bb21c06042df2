import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { pixelCacheOf } from '../../src/images/pixel-cache.js';
import type { LoadedNormals } from '../../src/images/rgbd-dataset.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import type { Trunk } from '../../src/network/trunk.js';
import { hashTrunk } from '../../src/network/weights.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor2D, type Tensor4D } from '../../src/runtime/tensors.js';
import { cellMaps } from '../../src/transfer/normals/cell-maps.js';
import { decodeWords, fitCodebook, nearestWord, wordsOfCells } from '../../src/transfer/normals/codebook.js';
import { evaluateCodebook } from '../../src/transfer/normals/evaluate-codebook.js';
import { evaluateMeanNormals } from '../../src/transfer/normals/evaluate-normals.js';
import { fineTuneNormals, wordsLoss } from '../../src/transfer/normals/fine-tune-normals.js';
import { measureCells, scoresOfImages } from '../../src/transfer/normals/measure-normals.js';
import { mirrorFrames } from '../../src/transfer/normals/mirror.js';
import { fitSoftmaxReadout, readWords, type ReadoutData } from '../../src/transfer/normals/softmax-readout.js';
import { measure } from '../../src/transfer/statistics/image-scores.js';

const unit = (x: number, y: number, z: number): number[] => [x, y, z].map((v) => v / Math.hypot(x, y, z));
const near = (a: number, b: number, tolerance = 1e-6): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} for ${b}`);

/** Frames whose pictures show their normals as colours: red is x, green is y. `[frames, side, side]`, one normal a quarter. */
const colouredTarget = (frames: number, side: number, pictureSide: number, seed = 5): LoadedNormals => {
  const random = RandomStream.of(seed);
  const choices = [unit(0, -1, -0.3), unit(0.8, 0, -1), unit(-0.8, 0, -1), unit(0, 0, -1)];
  const normals = new Float32Array(frames * side * side * 3);
  const pictures = Array.from({ length: frames }, (_, frame) => {
    const quarters = Array.from({ length: 4 }, () => choices[random.integer(4)]!);
    const at = (x: number, y: number, size: number): number[] =>
      quarters[2 * Number(2 * y >= size) + Number(2 * x >= size)]!;
    for (let i = 0; i < side * side; i++)
      normals.set(at(i % side, Math.floor(i / side), side), (frame * side * side + i) * 3);
    const data = new Uint8Array(pictureSide * pictureSide * 3);
    for (let i = 0; i < pictureSide * pictureSide; i++) {
      data.set(
        at(i % pictureSide, Math.floor(i / pictureSide), pictureSide).map((v) => Math.round(((v + 1) / 2) * 255)),
        i * 3,
      );
    }
    return { width: pictureSide, height: pictureSide, channels: 3 as const, data };
  });
  return {
    frames: Array.from({ length: frames }, (_, i) => String(i)),
    colour: pixelCacheOf(pictures),
    width: side,
    height: side,
    normals,
    valid: new Uint8Array(frames * side * side).fill(1),
    digest: 'x',
  };
};

describe('codebook of normals', () => {
  const random = RandomStream.of(8);
  const centres = [unit(1, 0, -1), unit(-1, 0.2, -1), unit(0, -1, -0.4)];
  const pixels = 300;
  const normals = Float32Array.from(
    Array.from({ length: pixels }, (_, i) =>
      unit(...(centres[i % 3]!.map((v) => v + random.normal(0, 0.03)) as [number, number, number])),
    ).flat(),
  );
  const valid = new Uint8Array(pixels).fill(1);
  const map = { width: pixels, height: 1, normals, valid };

  it('finds the directions around which normals lie, as unit vectors', () => {
    const { words, directions } = fitCodebook(map, [0], { words: 3, seed: 1 });
    assert.equal(words, 3);
    for (const centre of centres) {
      const cosines = [0, 1, 2].map((k) => centre.reduce((sum, v, c) => sum + v * directions[k * 3 + c]!, 0));
      assert.ok(Math.max(...cosines) > 0.999, `${cosines.join()}`);
    }
    for (let k = 0; k < 3; k++) near(Math.hypot(...directions.subarray(k * 3, k * 3 + 3)), 1);
  });

  it('ends where every word is the direction of the sum of the normals nearest to it', () => {
    const codebook = fitCodebook(map, [0], { words: 5, seed: 2 });
    const sums = new Float64Array(15);
    for (let i = 0; i < pixels; i++) {
      const [x, y, z] = normals.subarray(i * 3, i * 3 + 3) as unknown as [number, number, number];
      const word = nearestWord(codebook, x, y, z);
      [x, y, z].forEach((v, c) => (sums[word * 3 + c]! += v));
    }
    for (let k = 0; k < 5; k++) {
      const sum = unit(...([...sums.subarray(k * 3, k * 3 + 3)] as [number, number, number]));
      sum.forEach((v, c) => near(v, codebook.directions[k * 3 + c]!, 1e-9));
    }
  });

  it('depends on its seed alone, sees training frames alone, and has no more words than there are normals', () => {
    assert.deepEqual(
      fitCodebook(map, [0], { words: 4, seed: 3 }).directions,
      fitCodebook(map, [0], { words: 4, seed: 3 }).directions,
    );
    const two = { width: 1, height: 1, normals: Float32Array.from([0, 0, -1, 1, 0, 0]), valid: Uint8Array.of(1, 1) };
    assert.deepEqual([...fitCodebook(two, [0], { words: 40, seed: 1 }).directions], [0, 0, -1]);
    assert.throws(() => fitCodebook({ ...two, valid: Uint8Array.of(0, 1) }, [0], { seed: 1 }), /one valid pixel/);
  });

  it('gives cells the shares of the words of their valid pixels, and decodes certainty to the word itself', () => {
    const codebook = { words: 2, directions: Float64Array.of(1, 0, 0, 0, 0, -1) };
    const strip = {
      width: 4,
      height: 1,
      normals: Float32Array.from([1, 0, 0, 0, 0, -1, 0.9, 0, -0.1, 0, 0, -1]),
      valid: Uint8Array.of(1, 1, 1, 0),
    };
    const { shares, weight } = wordsOfCells(strip, [0], 1, 2, codebook);
    assert.deepEqual([...shares], [0.5, 0.5, 1, 0]);
    assert.deepEqual([...weight], [1, 0.5]);
    assert.deepEqual([...decodeWords([0, 1, 0.5, 0.5], codebook)], [0, 0, -1, 0.5, 0, -0.5]);
  });
});

describe('softmax readout of cells', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });
  const random = RandomStream.of(21);
  const [images, cells, dim, words] = [12, 2, 3, 4];
  const rows = images * cells;
  const shares = new Float32Array(rows * words);
  for (let i = 0; i < rows; i++) {
    const drawn = Array.from({ length: words }, () => random.uniform());
    const sum = drawn.reduce((a, b) => a + b, 0);
    drawn.forEach((v, k) => (shares[i * words + k] = v / sum));
  }
  const data: ReadoutData = {
    features: { rows, dim, data: Float32Array.from({ length: rows * dim }, () => random.normal()) },
    shares,
    weight: Float64Array.from({ length: rows }, (_, i) => (i === 5 ? 0 : random.uniform())),
    words,
    cells,
  };

  /** The objective as it is documented, term by term. */
  const slowObjective = (weights: Float64Array, offsets: Float64Array, l2: number): number => {
    let loss = 0;
    let total = 0;
    for (let i = 0; i < rows; i++) {
      const scores = Array.from({ length: words }, (_, k) => {
        let sum = offsets[(i % cells) * words + k]!;
        for (let j = 0; j < dim; j++) sum += data.features.data[i * dim + j]! * weights[j * words + k]!;
        return sum;
      });
      const log = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
      scores.forEach((score, k) => (loss += data.weight[i]! * shares[i * words + k]! * (log - score)));
      total += data.weight[i]!;
    }
    let penalty = weights.reduce((sum, v) => sum + v * v, 0);
    for (let k = 0; k < words; k++) {
      const own = Array.from({ length: cells }, (_, c) => offsets[c * words + k]!);
      const mean = own.reduce((a, b) => a + b, 0) / cells;
      for (const value of own) penalty += (value - mean) ** 2 / cells;
    }
    return loss / total + (l2 / 2) * penalty;
  };

  it('ends where the slow objective has no slope, by numeric gradient', () => {
    const l2 = 0.05;
    const { weights, offsets } = fitSoftmaxReadout(data, l2, { tolerance: 1e-6, maxIterations: 500 });
    for (const values of [weights, offsets]) {
      for (let i = 0; i < values.length; i++) {
        const kept = values[i]!;
        values[i] = kept + 1e-4;
        const up = slowObjective(weights, offsets, l2);
        values[i] = kept - 1e-4;
        const down = slowObjective(weights, offsets, l2);
        values[i] = kept;
        near((up - down) / 2e-4, 0, 2e-5);
      }
    }
  });

  it('gives probabilities, and with a strong penalty the mean shares of all cells', () => {
    const probabilities = readWords(
      fitSoftmaxReadout(data, 1e4, { tolerance: 1e-6, maxIterations: 500 }),
      data.features,
    );
    let total = 0;
    const mean = new Float64Array(words);
    for (let i = 0; i < rows; i++) {
      total += data.weight[i]!;
      for (let k = 0; k < words; k++) mean[k]! += data.weight[i]! * shares[i * words + k]!;
    }
    for (let k = 0; k < words; k++) near(probabilities[k]!, mean[k]! / total, 1e-3);
  });

  it('leaves no tensor behind, and agrees with the loss that fine-tuning descends', () => {
    const before = tf.memory().numTensors;
    const readout = fitSoftmaxReadout(data, 0.1);
    readWords(readout, data.features);
    assert.equal(tf.memory().numTensors, before);
    const scores = new Float32Array(rows * words).fill(0.3);
    const loss = tf.tidy(
      () =>
        wordsLoss(
          tf.tensor2d(scores, [rows, words]),
          tf.tensor2d(shares, [rows, words]),
          tf.tensor1d(Float32Array.from(data.weight)),
        ).dataSync()[0]!,
    );
    near(loss, Math.log(words), 1e-5);
  });
});

describe('the loss of fine-tuning', () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('has the gradient that differences of it have', () => {
    const random = RandomStream.of(2);
    const draw = (length: number): Float32Array => Float32Array.from({ length }, () => random.uniform());
    const [scores, shares, weight] = [draw(6), draw(6), draw(2)];
    const at = (values: Float32Array): number =>
      tf.tidy(
        () => wordsLoss(tf.tensor2d(values, [2, 3]), tf.tensor2d(shares, [2, 3]), tf.tensor1d(weight)).dataSync()[0]!,
      );
    const slope = tf.tidy(() =>
      tf
        .grad((x) => wordsLoss(x as Tensor2D, tf.tensor2d(shares, [2, 3]), tf.tensor1d(weight)))(
          tf.tensor2d(scores, [2, 3]),
        )
        .dataSync(),
    );
    for (let i = 0; i < 6; i++) {
      const [up, down] = [scores.slice(), scores.slice()];
      up[i]! += 0.01;
      down[i]! -= 0.01;
      near((at(up) - at(down)) / 0.02, slope[i]!, 2e-3);
    }
  });

  it('reads maps on any grid: averages of finer ones, straight lines between centres of coarser ones', () => {
    tf.tidy(() => {
      const maps = tf.tensor4d([0, 1, 2, 3, 4, 5, 6, 7], [1, 2, 4, 1]) as Tensor4D;
      assert.deepEqual([...cellMaps(maps, 1, 2).dataSync()], [2.5, 4.5]);
      const wide = cellMaps(tf.tensor4d([0, 4], [1, 1, 2, 1]), 1, 4).dataSync();
      assert.deepEqual([...wide], [0, 1, 3, 4]);
    });
  });
});

describe('frames in the mirror', () => {
  it('turn pictures and maps over and the sign of x with them, and twice is nothing', () => {
    const target = colouredTarget(2, 4, 4);
    target.valid[1] = 0;
    const once = mirrorFrames(target);
    assert.equal(once.valid[2], 0);
    near(once.normals[0]!, -target.normals[9]!);
    near(once.normals[1]!, target.normals[10]!);
    const twice = mirrorFrames(once);
    assert.deepEqual(twice.colour.pixels, target.colour.pixels);
    twice.normals.forEach((v, i) => near(v, target.normals[i]!));
  });
});

describe('scores of images', () => {
  it('give the metric of all pixels back, which is not the mean over images', () => {
    const errors = [Float64Array.of(0, 2, 4, 50), Float64Array.of(90)];
    const scores = scoresOfImages(errors);
    near(measure(scores.mean), (0 + 2 + 4 + 50 + 90) / 5);
    assert.notEqual(measure(scores.mean), (14 + 90) / 2);
    near(measure(scores.within11), 60);
    near(measure(scores.median), 4, 0.25);
  });

  it('take consecutive frames of a sweep together, and frames of a room', () => {
    const target = colouredTarget(10, 2, 2);
    const split = { train: Int32Array.of(0), test: Int32Array.from([1, 2, 3, 4, 5, 6]) };
    const cells = new Float64Array(6 * 3).fill(-1);
    assert.deepEqual(measureCells(cells, target, split, 1, 1).imageScores.mean.groups, [0, 0, 0, 0, 1, 1]);
    const room = (name: string, frames: number) => ({ name, frames, camera: '' });
    const rooms = [room('a', 2), room('b', 3), room('c', 5)];
    const outcome = measureCells(cells, { ...target, rooms }, split, 1, 1);
    assert.deepEqual(outcome.imageScores.mean.groups, [0, 1, 1, 1, 2, 2]);
    for (const name of ['mean', 'within11', 'within22', 'within30'] as const) {
      near(measure(outcome.imageScores[name]), outcome.scores[name], 1e-6);
    }
  });
});

describe("the paper's protocol", () => {
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  /** A network whose only layer is the picture itself, without weights. */
  const seeing: Trunk = {
    architecture: 'fake',
    inputSize: 4,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    layers: [{ name: 'maps', height: 4, width: 4, channels: 3 }],
    variables: new Map(),
    buffers: new Map(),
    features: (images) => ({ maps: images.clone() }),
    embed: () => {
      throw new Error('not needed');
    },
    dispose: () => {},
  };
  const split = { train: Int32Array.from({ length: 14 }, (_, i) => i), test: Int32Array.of(16, 17, 18, 19) };

  it('reads normals off frozen features that tell them, far better than without an image', () => {
    const target = colouredTarget(20, 8, 4);
    const before = tf.memory().numTensors;
    const options = { layers: ['maps'], seed: 1, strengths: [0.1, 1e-4] };
    const { scores, l2, codebook, predicted } = evaluateCodebook(seeing, target, split, options);
    assert.equal(tf.memory().numTensors, before);
    assert.equal(codebook.words, 4, 'four different normals');
    assert.equal(l2, 1e-4, 'a weak penalty suits features without noise');
    assert.equal(predicted.length, 4 * 64 * 3);
    const floor = evaluateMeanNormals(target, split, 4, 4).scores;
    assert.ok(scores.mean < 0.5 * floor.mean, `${scores.mean} and ${floor.mean}`);
    assert.deepEqual(evaluateCodebook(seeing, target, split, options).predicted, predicted);
  });

  it('learns nothing from test frames: a change there changes the score and not the prediction', () => {
    const target = colouredTarget(20, 8, 4);
    const options = { layers: ['maps'], seed: 1, strengths: [0.01] };
    const changed = { ...target, normals: target.normals.map((v, i) => (i >= 16 * 64 * 3 ? -v : v)) };
    const [first, second] = [target, changed].map((data) => evaluateCodebook(seeing, data, split, options));
    assert.deepEqual(second!.predicted, first!.predicted);
    assert.ok(second!.scores.mean > 90);
  });

  it('fine-tunes a copy of the trunk below the loss of words drawn blindly, and gives the same bytes again', async () => {
    const target = colouredTarget(8, 12, 96);
    const parts = { train: Int32Array.of(0, 1, 2, 3, 4), test: Int32Array.of(6, 7) };
    const trunk = buildTrunk('small', { random: RandomStream.of(3) });
    const [weights, tensors] = [hashTrunk(trunk), tf.memory().numTensors];
    const options = { seed: 1, steps: 12, batch: 4, layers: ['conv3'], words: 4 };
    const outcome = await fineTuneNormals(trunk, target, parts, options);
    assert.equal(hashTrunk(trunk), weights);
    assert.equal(tf.memory().numTensors, tensors);
    near(outcome.losses[0]!, Math.log(4), 0.3);
    assert.ok(outcome.losses.at(-1)! < 0.7 * Math.log(4), `${outcome.losses.join(' ')}`);
    assert.equal(outcome.predicted.length, 2 * 144 * 3);
    assert.deepEqual((await fineTuneNormals(trunk, target, parts, options)).losses, outcome.losses);
    trunk.dispose();
  }).timeout(60_000);
});
