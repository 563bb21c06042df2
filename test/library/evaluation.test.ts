import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  evaluateFeatures,
  loadNetwork,
  nearest,
  setUp,
  UsageError,
  type FeatureMatrix,
  type LabelledSplit,
} from '../../src/library/index.js';
import { RandomStream } from '../../src/numeric/random.js';
import { demoRun, type DemoRun } from '../pipelines/fixtures/demo-run.js';

const rowsOf = (...rows: number[][]): FeatureMatrix => ({
  ...{ rows: rows.length, dim: rows[0]!.length },
  data: Float32Array.from(rows.flat()),
});

/** Two clusters around (1, 0) and (0, 1), so far apart that nobody errs. */
const clusters = (perClass: number, wrong = 0): LabelledSplit => {
  const random = RandomStream.of(1, 'clusters');
  const part = (): number[][] =>
    Array.from({ length: 2 * perClass }, (_, i) => [i % 2 === 0 ? 1 : 0, i % 2].map((x) => x + 0.05 * random.normal()));
  const labels = Array.from({ length: 2 * perClass }, (_, i) => i % 2);
  const testLabels = labels.map((label, i) => (i < wrong ? 1 - label : label));
  return { train: rowsOf(...part()), trainLabels: labels, test: rowsOf(...part()), testLabels };
};

describe('evaluateFeatures', () => {
  before(() => setUp());

  it('finds what two clusters tell apart, and counts what is labelled otherwise', async () => {
    const right = await evaluateFeatures(clusters(20), { k: 5 });
    assert.deepEqual(
      right.map(({ protocol, metric, value, pictures }) => [protocol, metric, value, pictures]),
      [
        ['knn', 'top1', 100, 40],
        ['linear', 'top1', 100, 40],
      ],
    );
    for (const { value, interval } of await evaluateFeatures(clusters(20, 10), { k: 5 })) {
      assert.equal(value, 75);
      assert.ok(interval![0] > 55 && interval![0] < 70 && interval![1] > 80 && interval![1] < 95, String(interval));
    }
  });

  it('runs the protocols that are asked for, and gives no interval of a handful of pictures', async () => {
    const found = await evaluateFeatures(clusters(2), { protocols: ['knn'], k: 1 });
    assert.deepEqual(found, [{ protocol: 'knn', metric: 'top1', value: 100, pictures: 4 }]);
  });

  it('runs SVMs and low-shot SVMs too, and names a protocol that there is not', async () => {
    const found = await evaluateFeatures(clusters(8, 4), { protocols: ['svm', 'low-shot'] });
    assert.deepEqual(
      found.map(({ protocol, metric, value }) => [protocol, metric, metric === 'top1' ? value : 0]),
      [['svm', 'top1', 75], ['svm', 'mAP', 0], ...[1, 2, 4, 8].map((k) => [`low-shot, k = ${k}`, 'top1', 75])],
    );
    assert.ok(found[1]!.value > 50 && found[1]!.value < 100, String(found[1]!.value));
    const refused = (protocols: unknown, message: RegExp, split: LabelledSplit = clusters(4)): Promise<void> =>
      assert.rejects(evaluateFeatures(split, { protocols: protocols as ['knn'] }), message);
    await refused(['multi-layer'], /RangeError: .* list of knn, linear, svm, low-shot, got `multi-layer`/);
    await refused(['knn', 'toString'], /RangeError: .* got `toString`/);
    await refused('knn', /RangeError: .* got `knn`/);
    await refused([], /RangeError: .* got none/);
    await refused(['knn', 'knn'], /RangeError: .* each once/);
    const unseen = { ...clusters(4), testLabels: [0, 1, 2, 1, 0, 1, 0, 1] };
    await refused(['svm'], /RangeError: .* every class for `svm`, got none of class 2/, unseen);
    await refused(['low-shot'], /RangeError: .* at least 2 classes .*, got 1/, {
      ...clusters(4),
      trainLabels: new Array<number>(8).fill(0),
    });
  });

  it('asks as many neighbours as there are, unless it is told how many', async () => {
    const few = clusters(5);
    assert.deepEqual(
      await evaluateFeatures(few, { protocols: ['knn'] }),
      await evaluateFeatures(few, { protocols: ['knn'], k: 10 }),
    );
    await assert.rejects(evaluateFeatures(few, { k: 11 }), /RangeError: Expected `k` to be an integer from 1 to 10/);
  });

  it('refuses features that are not finite, or none', async () => {
    for (const value of [NaN, Infinity]) {
      for (const part of ['train', 'test'] as const) {
        const split = clusters(4);
        split[part].data[7] = value;
        const message = new RegExp(`RangeError: Expected \`${part}\` to be finite, got ${value} in row 3`);
        await assert.rejects(evaluateFeatures(split), message);
      }
    }
    const { test, ...rest } = clusters(4);
    await assert.rejects(
      evaluateFeatures(rest as LabelledSplit),
      /RangeError: Expected `test` to be features, .*nothing/,
    );
    const listed = { ...rest, test: { ...test, data: Array.from(test.data) } };
    await assert.rejects(evaluateFeatures(listed as unknown as LabelledSplit), /RangeError: .* `data` that is a list/);
    const wide = { ...test, rows: test.rows / 2, dim: 2 * test.dim };
    await assert.rejects(
      evaluateFeatures({ ...rest, test: wide, testLabels: [0, 1, 0, 1] }),
      /same dimension, got 2 and 4/,
    );
  });

  it('refuses labels that do not fit', async () => {
    const good = clusters(4);
    await assert.rejects(
      evaluateFeatures({ ...good, trainLabels: [0] }),
      /RangeError: Expected `trainLabels` .*\(8\), got 1/,
    );
    await assert.rejects(
      evaluateFeatures({ ...good, testLabels: [0, 1, 0, 1, 0, 1, 0, -1] }),
      /RangeError: Expected `testLabels` to be integers from 0, got `-1` at 7/,
    );
    await assert.rejects(evaluateFeatures(good, { k: 9 }), RangeError);
    const { trainLabels: _, ...unlabelled } = good;
    await assert.rejects(evaluateFeatures(unlabelled as LabelledSplit), /RangeError: .*`trainLabels`.*, got nothing/);
  });
});

describe('nearest', () => {
  it('gives rows by cosine, nearest first, without those that are left out', async () => {
    const bank = rowsOf([1, 0], [0, 2], [3, 3]);
    assert.deepEqual(
      (await nearest(rowsOf([2, 0.1], [0, 1]), bank, { k: 2 })).map((found) => found.map(({ row }) => row)),
      [
        [0, 2],
        [1, 2],
      ],
    );
    const [[first]] = (await nearest(bank, bank, { k: 1, exclude: [0, 1, 2] })) as [
      [{ row: number; similarity: number }],
    ];
    assert.equal(first.row, 2);
    assert.ok(Math.abs(first.similarity - Math.SQRT1_2) < 1e-6);
    await assert.rejects(nearest(bank, bank, { k: 4 }), RangeError);
  });

  it('gives all rows of a small bank, and nothing for features that are not finite', async () => {
    const bank = rowsOf([1, 0], [0, 2], [3, 3]);
    assert.equal((await nearest(bank, bank))[0]!.length, 3);
    assert.equal((await nearest(bank, bank, { exclude: [0, 1, 2] }))[0]!.length, 2);
    await assert.rejects(nearest(rowsOf([1, 0]), rowsOf([1, 0]), { exclude: [0] }), /RangeError: Expected `bank`/);
    await assert.rejects(nearest(rowsOf([1, 0], [NaN, 1]), bank), /RangeError: .*`queries`.* NaN in row 1/);
    await assert.rejects(nearest(bank, rowsOf([1, -Infinity])), /RangeError: .*`bank`.* -Infinity in row 0/);
    await assert.rejects(nearest(undefined as unknown as FeatureMatrix, bank), /RangeError: .*`queries`.* nothing/);
  });
});

type Result = {
  readonly protocol: string;
  readonly method: string;
  readonly task: string;
  readonly metric: string;
  readonly values: readonly number[];
  readonly interval?: readonly [number, number];
};

describe('evaluate of a network', function () {
  this.timeout(300_000);
  let demo: DemoRun;
  /** The pictures that the demo rendered, and a network that it trained. */
  let [objects, weights] = ['', ''];
  before(async () => {
    demo = await demoRun();
    await setUp({ threads: 2 });
    const files = readdirSync(demo.whole.work, { recursive: true, encoding: 'utf8' });
    const model = files
      .filter((file) => /^pretrain\/..\/.*model\.json$/.test(file))
      .find((file) => /"method": "triplet"/.test(readFileSync(path.join(demo.whole.work, file), 'utf8')));
    weights = path.join(demo.whole.work, path.dirname(model!));
    objects = path.join(
      demo.whole.work,
      files.find((file) => /^synthesize\/..\/[^/]+\/objects$/.test(file))!,
    );
  });

  it('gives the numbers and intervals that `transfer` of a run gave', async () => {
    const results = JSON.parse(
      readFileSync(path.join(demo.whole.work, 'transfer', 'results.json'), 'utf8'),
    ) as Result[];
    const expected = results
      .filter(
        ({ task, method, protocol }) => task === 'classification' && method === 'triplet' && !/low-shot/.test(protocol),
      )
      .map(({ protocol, metric, values, interval }) => [protocol, metric, values[0], interval]);
    assert.equal(expected.length, 4);
    const network = await loadNetwork(weights);
    try {
      const found = await network.evaluate(objects, { protocols: ['knn', 'linear', 'svm'], k: 3 });
      assert.deepEqual(
        found.map(({ protocol, metric, value, interval }) => [protocol, metric, value, interval]),
        expected,
      );
    } finally {
      network.dispose();
    }
  });

  it('names what is wrong with options and folders', async () => {
    const network = await loadNetwork(weights);
    try {
      await assert.rejects(network.evaluate(path.join(objects, 'none')), UsageError);
      await assert.rejects(network.evaluate(objects, { layers: ['conv9'] }), /RangeError: .*`layers\.0`/);
      await assert.rejects(network.evaluate(objects, { k: 0.5 }), /RangeError: .*`k`/);
      await assert.rejects(network.evaluate(objects, { testShare: 2 }), /RangeError: Expected `testShare`/);
      await assert.rejects(network.evaluate(objects, { signal: AbortSignal.abort(new Error('no')) }), /Error: no/);
    } finally {
      network.dispose();
    }
  });
});
