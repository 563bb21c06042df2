import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { averagePrecision } from '../../../src/numeric/average-precision.js';
import { RandomStream } from '../../../src/numeric/random.js';
import { openRuntime } from '../../../src/runtime/open.js';
import { tf } from '../../../src/runtime/tensors.js';
import { measure } from '../../../src/transfer/statistics/image-scores.js';
import { chooseCost, defaultCosts, drawFolds, heldOutPrecisions } from '../../../src/transfer/svm/choose-cost.js';
import { sidesOf, singleLabelTargets, type ClassTargets } from '../../../src/transfer/svm/class-targets.js';
import {
  evaluateMultiLabelSvm,
  evaluateSvm,
  judgeByPrecision,
  oneVsRestScores,
  lengthOffset,
} from '../../../src/transfer/svm/evaluate-svm.js';
import { trainLinearSvm } from '../../../src/transfer/svm/linear-svm.js';
import { unitRows } from '../../../src/transfer/unit-rows.js';
import { drawClouds } from './svm-data.js';

// Computed once by scikit-learn 1.9.1 on the float32 values of drawClouds(4, 8, 15, 25, 1) and the folds that drawFolds gives for
// them: x / (|x| + 1e-5); LinearSVC(C, class_weight={1: 2, -1: 1}, tol=1e-10, max_iter=10**7), otherwise its defaults;
// average_precision_score on rows held out, mean of three folds.
const sklearn = {
  firstClass: new Map([
    [
      0.01,
      [
        0.01327304769846647, 0.00579328854101835, -0.10982337114940519, -0.09401134427987806, -0.10551487448644899,
        0.14433956577577828, 0.12004261957567156, -0.0639943077120226, -0.111024873352681,
      ],
    ],
    [
      1,
      [
        0.7925798144334768, 0.6515821416338508, -0.4922459260146048, -0.2649759016027122, -1.26730630386509,
        1.9029645614291992, 1.841690881059251, -0.4343664388920191, -1.2569011203359197,
      ],
    ],
    [
      100,
      [
        3.2707155154184786, 2.297426667982414, 0.30331627578714737, 1.443117728285166, -2.2795933870260936,
        5.358117823157288, 5.046796384672601, 0.7030517638587249, -5.996436617566111,
      ],
    ],
  ]),
  precisions: [
    [0.739417989, 0.797380952, 0.841825397, 0.792222222, 0.703148148, 0.701296296],
    [0.364032556, 0.373505086, 0.370107962, 0.305512003, 0.311986761, 0.304023243],
    [0.656963777, 0.702433862, 0.78021164, 0.71042328, 0.670687831, 0.656719577],
    [0.832896825, 0.795343915, 0.796280123, 0.802073774, 0.779481182, 0.801957672],
  ],
  costs: [0.1, 0.01, 0.1, 0.001],
  top1: 51,
  // From its decision values; the area under the interpolated curve is not among its metrics and was summed up in numpy.
  plain: 61.56261451134599,
  allPoints: 63.61951591429009,
};

describe('one-vs-rest SVM', () => {
  const data = drawClouds(4, 8, 15, 25, 1);
  const targets = singleLabelTargets(data.trainLabels, 4);
  const testTargets = singleLabelTargets(data.testLabels, 4);
  before(async () => {
    await openRuntime({ threads: 1 });
  });

  it('has the weights and the bias of scikit-learn at every cost', () => {
    const { labels } = sidesOf(targets, 0);
    for (const [c, expected] of sklearn.firstClass) {
      const { weights, bias } = trainLinearSvm(unitRows(data.train, lengthOffset), labels, {
        c,
        positiveWeight: 2,
        tolerance: 1e-9,
      });
      [...weights, bias].forEach((value, j) => assert.ok(Math.abs(value - expected[j]!) < 2e-5, `${c}: ${value}`));
    }
  });

  it('sees on rows held out what scikit-learn sees', () => {
    sklearn.precisions.forEach((expected, label) => {
      const { labels } = sidesOf(targets, label);
      const fold = drawFolds(labels, 3, RandomStream.of(1, 'svm folds', label));
      const found = heldOutPrecisions(unitRows(data.train, lengthOffset), labels, fold, defaultCosts, {
        positiveWeight: 2,
      });
      found.forEach((value, n) => assert.ok(Math.abs(value - expected[n]!) < 1e-8, `${label} ${n}: ${value}`));
    });
  });

  it('chooses its costs, and reaches its accuracy and its mean average precision to 0.1 point', () => {
    const { costs, top1, map, converged } = evaluateSvm(data);
    assert.deepEqual(costs, sklearn.costs);
    assert.ok(converged);
    assert.ok(Math.abs(top1 - sklearn.top1) < 1e-9 && Math.abs(map - sklearn.allPoints) < 1e-9, `${top1} ${map}`);
  });

  it('chooses by one definition of average precision and reports another, two points apart on the same scores', () => {
    const { scores } = oneVsRestScores({ ...data, trainTargets: targets });
    const plain = [0, 1, 2, 3].map((label) => {
      const column = Float64Array.from(data.testLabels, (_, i) => scores[i * 4 + label]!);
      const hits = Array.from(data.testLabels, (own) => (own === label ? 1 : 0));
      return 25 * averagePrecision(column, hits, 25, 'none');
    });
    assert.ok(Math.abs(plain.reduce((a, b) => a + b) - sklearn.plain) < 1e-9);
    assert.ok(Math.abs(judgeByPrecision(scores, testTargets, 'all-points').map - sklearn.allPoints) < 1e-9);
    const eleven = judgeByPrecision(scores, testTargets, '11-point').map;
    assert.ok(Math.abs(eleven - sklearn.allPoints) > 0.1 && Math.abs(eleven - sklearn.plain) > 0.1, `${eleven}`);
  });

  it('says of every test image what its metrics are made of', () => {
    const { top1, map, images } = evaluateSvm(data);
    assert.ok(Math.abs(measure(images.top1) - top1) < 1e-9);
    assert.ok(Math.abs(measure(images.map) - map) < 1e-9);
  });

  it('gives the same scores from features that lie in a wide space, and keeps no tensor', () => {
    // The 8 values in 8 of 200 columns, turned by a reflection: the same scalar products.
    const random = RandomStream.of(3);
    const mirror = Float64Array.from({ length: 200 }, () => random.normal());
    const square = mirror.reduce((sum, v) => sum + v * v, 0);
    const widen = ({ rows, dim, data: values }: typeof data.train) => {
      const wide = new Float32Array(rows * 200);
      for (let i = 0; i < rows; i++) {
        let along = 0;
        for (let j = 0; j < dim; j++) along += values[i * dim + j]! * mirror[j]!;
        for (let j = 0; j < 200; j++) {
          wide[i * 200 + j] = (j < dim ? values[i * dim + j]! : 0) - (2 * along * mirror[j]!) / square;
        }
      }
      return { rows, dim: 200, data: wide };
    };
    const narrow = oneVsRestScores({ ...data, trainTargets: targets });
    const before = tf.memory().numTensors;
    const wide = oneVsRestScores({ train: widen(data.train), trainTargets: targets, test: widen(data.test) });
    assert.equal(tf.memory().numTensors, before);
    assert.deepEqual(wide.costs, narrow.costs);
    wide.scores.forEach((score, i) => assert.ok(Math.abs(score - narrow.scores[i]!) < 1e-4));
  });

  it('does not see rows that are neither, in training or in the test', () => {
    const marked = (source: ClassTargets): ClassTargets => ({
      classes: 4,
      values: source.values.map((value, i) => (i % 4 === 0 && i % 20 === 0 ? -1 : value)),
    });
    const [trainTargets, asked] = [marked(targets), marked(testTargets)];
    const spoil = (matrix: typeof data.train) => ({
      ...matrix,
      data: matrix.data.map((value, i) => (Math.floor(i / 8) % 5 === 0 ? 100 + (i % 8) : value)),
    });
    const only = (source: ClassTargets): ClassTargets => ({
      classes: 1,
      values: source.values.filter((_, i) => i % 4 === 0),
    });
    const split = { trainTargets: only(trainTargets), testTargets: only(asked) };
    const clean = evaluateMultiLabelSvm({ ...split, train: data.train, test: data.test });
    const spoilt = evaluateMultiLabelSvm({ ...split, train: spoil(data.train), test: spoil(data.test) });
    assert.equal(spoilt.map, clean.map);
    assert.ok(Math.abs(measure(clean.images) - clean.map) < 1e-9);
  });

  it('holds every fold equally full of both sides, the same for the same seed', () => {
    const labels = Int8Array.from({ length: 20 }, (_, i) => (i < 6 ? 1 : -1));
    const fold = drawFolds(labels, 3, RandomStream.of(4));
    for (const held of [0, 1, 2]) {
      assert.equal([...fold].filter((value, i) => value === held && labels[i] === 1).length, 2);
      assert.ok([4, 5].includes([...fold].filter((value, i) => value === held && labels[i] === -1).length));
    }
    assert.deepEqual(fold, drawFolds(labels, 3, RandomStream.of(4)));
    assert.notDeepEqual(fold, drawFolds(labels, 3, RandomStream.of(5)));
  });

  it('takes the cost in the middle where one positive row leaves nothing to hold out', () => {
    const labels = new Int8Array(60).fill(-1).fill(1, 0, 1);
    assert.equal(chooseCost(data.train, labels, RandomStream.of(1), { costs: [100, 1, 10] }), 10);
    const two = new Int8Array(60).fill(-1).fill(1, 0, 2);
    assert.ok([1, 10, 100].includes(chooseCost(data.train, two, RandomStream.of(1), { costs: [100, 1, 10] })));
  });

  it('says what it expected', () => {
    const labels = Int8Array.of(1, -1);
    const random = RandomStream.of(1);
    assert.throws(() => chooseCost(data.train, labels, random, { folds: 1 }), /`folds`.*got `1`/);
    assert.throws(() => chooseCost(data.train, labels, random, { costs: [] }), /at least one number, got none/);
    assert.throws(() => singleLabelTargets([0, 4], 4), /from 0 to 3, got `4`/);
    assert.throws(
      () =>
        oneVsRestScores({ train: data.train, trainTargets: { classes: 4, values: new Int8Array(4) }, test: data.test }),
      /60 x 4 targets, got 4/,
    );
  });

  it('measures the released predictions of Goyal et al. on VOC2007 as their evaluation does', function () {
    const folder = path.resolve('..', 'shared/data/images/evalrefs/fair-voc07-cls');
    if (!existsSync(folder)) {
      console.log('      (skipped: no shared data beside the project)');
      this.skip();
    }
    type Table<T> = Record<string, T>;
    const read = (name: string): Table<Table<number>> =>
      JSON.parse(gunzipSync(readFileSync(path.join(folder, name))).toString()) as Table<Table<number>>;
    const [predictions, truth] = [read('example_preds.json.gz'), read('test_targets.json.gz')];
    const expected = JSON.parse(readFileSync(path.join(folder, 'expected_map.json'), 'utf8')) as { mAP: number };
    const names = Object.keys(truth).sort();
    const classes = Object.keys(truth[names[0]!]!).sort();
    const flat = (table: Table<Table<number>>): number[] =>
      names.flatMap((name) => classes.map((label) => table[name]![label]!));
    const asked = { classes: classes.length, values: Int8Array.from(flat(truth)) };
    const { map, images } = judgeByPrecision(Float64Array.from(flat(predictions)), asked, 'all-points');
    assert.ok(Math.abs(map - 100 * expected.mAP) < 1e-4, `${map}`);
    assert.ok(Math.abs(measure(images) - map) < 1e-9);
  });
});
