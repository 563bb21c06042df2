import assert from 'node:assert/strict';
import { RandomStream } from '../../../src/numeric/random.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { drawShots } from '../../../src/transfer/low-shot/draw-shots.js';
import { evaluateLowShot, evaluateMultiLabelLowShot } from '../../../src/transfer/low-shot/low-shot-svm.js';
import { measure } from '../../../src/transfer/statistics/image-scores.js';
import { singleLabelTargets } from '../../../src/transfer/svm/class-targets.js';
import { drawClouds } from '../svm/svm-data.js';

describe('low-shot rows', () => {
  const labels = Array.from({ length: 90 }, (_, i) => i % 3);
  const targets = singleLabelTargets(labels, 3);

  it('are k of each class, shared by all where a row has one class', () => {
    const sets = drawShots(targets, true, RandomStream.of(1))(4);
    sets.forEach(({ positives, negatives }, label) => {
      assert.equal(new Set(positives).size, 4);
      assert.ok(positives.every((row) => labels[row] === label));
      assert.deepEqual(
        negatives,
        sets.filter((_, other) => other !== label).flatMap((other) => other.positives),
      );
    });
  });

  it('are k with and 19 k without the class where a row may have several, and never one that is neither', () => {
    const marked = { classes: 3, values: targets.values.map((value, i) => (i < 30 ? -1 : value)) };
    for (const { positives, negatives } of drawShots(marked, false, RandomStream.of(1))(2)) {
      assert.equal(new Set(positives).size, 2);
      assert.equal(new Set(negatives).size, 38);
      assert.ok([...positives, ...negatives].every((row) => row >= 10));
    }
    assert.equal(drawShots(marked, false, RandomStream.of(1))(5)[0]!.negatives.length, 54);
  });

  it('are nested within a draw and others in another draw', () => {
    const take = drawShots(targets, true, RandomStream.of(1));
    const [few, many] = [take(2)[0]!.positives, take(8)[0]!.positives];
    assert.deepEqual(few, many.slice(0, 2));
    assert.deepEqual(drawShots(targets, true, RandomStream.of(1))(8)[0]!.positives, many);
    assert.notDeepEqual(drawShots(targets, true, RandomStream.of(2))(8)[0]!.positives, many);
  });

  it('cannot be more than the smallest class has', () => {
    assert.throws(() => drawShots(targets, true, RandomStream.of(1))(31), /from 1 to 30, .* got `31`/);
  });
});

describe('low-shot SVM', () => {
  const data = drawClouds(4, 12, 9, 15, 2);
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('is measured at every number of rows that the smallest class has, over five draws', () => {
    const results = evaluateLowShot(data);
    assert.deepEqual(
      results.map(({ k }) => k),
      [1, 2, 4, 8],
    );
    for (const { top1, map, images, converged } of results) {
      assert.ok(converged);
      assert.equal(top1.values.length, 5);
      assert.equal(new Set(map.values).size, 5);
      const centre = top1.values.reduce((a, b) => a + b) / 5;
      assert.ok(Math.abs(top1.mean - centre) < 1e-9);
      assert.ok(Math.abs(top1.std - Math.sqrt(top1.values.reduce((s, v) => s + (v - centre) ** 2, 0) / 4)) < 1e-9);
      assert.ok(Math.abs(measure(images) - top1.mean) < 1e-9);
    }
    assert.ok(results.at(-1)!.top1.mean > results[0]!.top1.mean + 5);
  });

  it('is the same for the same seed and features, and another for other features: nothing is kept between calls', () => {
    const options = { shots: [2], draws: 2 };
    const run = (seed: number) => evaluateLowShot(data, { ...options, seed })[0]!.map.values;
    const first = run(1);
    const others = evaluateLowShot({ ...data, train: data.test, trainLabels: data.testLabels }, options)[0]!.map.values;
    assert.notDeepEqual(others, first);
    assert.deepEqual(run(1), first);
    assert.notDeepEqual(run(2), first);
  });

  it('takes negative rows of its own for each class where rows have several', () => {
    const targets = singleLabelTargets(data.trainLabels, 4);
    const split = { ...data, trainTargets: targets, testTargets: singleLabelTargets(data.testLabels, 4) };
    const [result] = evaluateMultiLabelLowShot(split, { shots: [8], draws: 3 });
    assert.equal(result!.map.values.length, 3);
    assert.ok(result!.map.mean > 40 && result!.map.mean <= 100, `${result!.map.mean}`);
  });

  it('says what it expected', () => {
    assert.throws(() => evaluateLowShot(data, { shots: [16] }), /up to 9, the smallest class, got 16/);
    assert.throws(() => evaluateLowShot(data, { draws: 0 }), /`draws`.*got `0`/);
  });
});
