import assert from 'node:assert/strict';
import {
  arrangeResults,
  beats,
  columnHead,
  describeUnits,
  formatInterval,
  formatValue,
  lead,
  seedCounts,
} from '../../src/report/transfer-table.js';
import { knownResults, makeResult, normalsMean } from './make-result.js';

describe('the transfer table', () => {
  it('gives mean and sample standard deviation, and the number of seeds on request', () => {
    const shares = makeResult('triplet', [0.4, 0.5, 0.6], { metric: 'share' });
    assert.equal(formatValue(shares), '0.500 ± 0.100');
    assert.equal(formatValue(shares, true), '0.500 ± 0.100 (3)');
    assert.equal(formatValue(makeResult('triplet', [41.25])), '41.25');
    assert.equal(formatValue(makeResult('triplet', [1.2]), true), '1.20 (1)');
    assert.equal(formatValue(makeResult('no-image', [41.25]), true), '41.25');
    assert.equal(formatValue(undefined), '-');
  });

  it('has one table a data set, methods before controls whatever their order', () => {
    const tables = arrangeResults(knownResults());
    assert.deepEqual(
      tables.map(({ task, dataset }) => [task, dataset]),
      [
        ['classification', 'objects'],
        ['normals', 'scenes'],
      ],
    );
    assert.deepEqual(tables[0]!.methods, ['triplet', 'random', 'shuffled']);
    assert.deepEqual(tables[1]!.methods, ['triplet', 'random', 'shuffled', 'no-image']);
    assert.deepEqual(tables[0]!.columns.map(columnHead), ['knn/conv5 top1 ↑', 'linear/conv5 top1 ↑']);
    assert.deepEqual(tables[1]!.columns.map(columnHead), ['ridge/conv5 mean ↓']);
    assert.equal(tables[0]!.cells[2]![1]!.mean, 71);
  });

  it('keeps tasks on one data set apart', () => {
    const tables = arrangeResults([makeResult('a', [1, 2]), makeResult('a', [1, 2], { task: 'detection' })]);
    assert.deepEqual(
      tables.map(({ task }) => task),
      ['classification', 'detection'],
    );
  });

  it('names the units once', () => {
    const [objects, scenes] = arrangeResults([
      ...knownResults(),
      makeResult('triplet', [9], { ...normalsMean, metric: 'within11', higherIsBetter: true }),
    ]);
    assert.equal(describeUnits(objects!), 'in %');
    assert.equal(describeUnits(scenes!), 'mean in degrees; within11 in %');
    assert.equal(describeUnits({ columns: [{ protocol: 'p', metric: 'other', higherIsBetter: true }] }), '');
  });

  it('marks a best value only where its lead exceeds the spread', () => {
    const best = (...results: Parameters<typeof arrangeResults>[0]) => arrangeResults(results)[0]!.best;
    assert.deepEqual(best(makeResult('random', [20, 21]), makeResult('triplet', [50, 52])), [0]);
    assert.deepEqual(best(makeResult('random', [40, 50]), makeResult('triplet', [45, 53])), [undefined]);
    assert.deepEqual(best(makeResult('random', [20]), makeResult('triplet', [90])), [undefined]);
    assert.deepEqual(best(makeResult('random', [5, 5]), makeResult('triplet', [5, 5])), [undefined]);
    assert.deepEqual(best(makeResult('triplet', [5, 5])), [undefined]);
  });

  it('takes for best what the tests call so, and nothing where they call nothing so', () => {
    const best = (...results: Parameters<typeof arrangeResults>[0]) => arrangeResults(results)[0]!.best;
    const rows = (won: boolean) => [
      makeResult('random', [20, 21], { best: false }),
      makeResult('triplet', [50, 52], { best: won }),
      makeResult('triplet-ensemble', [60]),
    ];
    assert.deepEqual(best(...rows(true)), [0]);
    assert.deepEqual(best(...rows(false)), [undefined]);
  });

  it('gives intervals a digit less than values', () => {
    assert.equal(formatInterval(makeResult('a', [1], { interval: [-0.04, 12.36] })), '[0.0, 12.4]');
    assert.equal(formatInterval(makeResult('a', [1])), '');
    assert.equal(formatInterval(undefined), '');
  });

  it('knows where less is better', () => {
    const [low, high] = [makeResult('triplet', [20, 21], normalsMean), makeResult('random', [30, 31], normalsMean)];
    assert.ok(beats(low, high));
    assert.ok(!beats(high, low));
    assert.equal(lead(low, high).by, 10);
    assert.ok(Math.abs(lead(low, high).spread - 1) < 1e-12);
  });

  it('knows that a row without seeds has no spread, and that one seed tells none', () => {
    const floor = makeResult('no-image', [38], normalsMean);
    assert.equal(lead(makeResult('triplet', [30, 32], normalsMean), floor).spread, Math.SQRT2);
    assert.equal(lead(makeResult('triplet', [30], normalsMean), floor).spread, Infinity);
    assert.deepEqual(seedCounts(arrangeResults([floor, makeResult('a', [1, 2, 3], normalsMean)])[0]!), [3]);
    assert.deepEqual(seedCounts(arrangeResults([makeResult('b', [1]), makeResult('a', [1, 2])])[0]!), [1, 2]);
  });

  it('knows no spread of hand-made features from one seed of a protocol that draws, nor of imported weights', () => {
    const spread = (method: string, protocol: string): number =>
      lead(makeResult('triplet', [30, 32], { protocol }), makeResult(method, [20], { protocol })).spread;
    assert.equal(spread('hog', 'knn/hog'), Math.SQRT2);
    assert.equal(spread('hog', 'rcnn'), Infinity);
    assert.equal(spread('imported-a', 'knn/conv5'), Infinity);
    assert.equal(formatValue(makeResult('hog', [20, 22], { protocol: 'rcnn' }), true), '21.00 ± 1.41 (2)');
    assert.equal(formatValue(makeResult('hog', [20, 20]), true), '20.00');
  });

  it('takes means that differ by rounding for level', () => {
    const tie = lead(makeResult('a', [0.1, 0.2, 0.3]), makeResult('b', [0.3, 0.2, 0.1]));
    assert.notEqual(makeResult('a', [0.1, 0.2, 0.3]).mean, makeResult('b', [0.3, 0.2, 0.1]).mean);
    assert.equal(tie.by, 0);
  });

  it('refuses two results for one cell', () => {
    assert.throws(
      () => arrangeResults([makeResult('a', [1]), makeResult('a', [2])]),
      /Expected one result for `a` on `objects, knn\/conv5 top1`, got 2/,
    );
  });
});
