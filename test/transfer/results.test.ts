import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { mean } from '../../src/numeric/statistics.js';
import { foldResults, type Cell } from '../../src/transfer/results.js';

const options = { resamples: 200 };

/** A cell of 50 test images of which about `share` percent are right. */
const cellOf = (method: string, seed: number, share: number, more: Partial<Cell> = {}): Cell => {
  const hard = RandomStream.of(1);
  const random = RandomStream.of(seed, method);
  const values = Array.from({ length: 50 }, () => (hard.uniform(0, 80) + random.uniform(0, 20) < share ? 100 : 0));
  return {
    task: 'classification',
    dataset: 'objects',
    protocol: 'knn/conv5',
    metric: 'top1',
    higherIsBetter: true,
    method,
    seed,
    value: mean(values),
    scores: { kind: 'mean', values },
    weights: `${method}${seed}`,
    data: 'd',
    params: {},
    command: 'run',
    seconds: 1,
    ...more,
  };
};

const seeds = [1, 2, 3];
const rowOf = (method: string, share: number, more: Partial<Cell> = {}): Cell[] =>
  seeds.map((seed) => cellOf(method, seed, share, more));
const bare = ({ scores: _, ...cell }: Cell): Cell => cell;

describe('results from image scores', () => {
  it('carry an interval, the images behind it, and a paired test against each control of the column', () => {
    const cells = [...rowOf('random', 20), ...rowOf('triplet', 80), ...rowOf('self', 82), cellOf('hog', 1, 40)];
    const results = foldResults([...cells, ...rowOf('random', 90, { protocol: 'linear/conv5' })], options);
    const triplet = results.find(({ method }) => method === 'triplet')!;
    assert.ok(triplet.interval![0] < triplet.mean && triplet.mean < triplet.interval![1]);
    assert.equal(triplet.images, 50);
    assert.deepEqual(
      triplet.paired!.map(({ control }) => control),
      ['random', 'self', 'hog'],
    );
    const [random, self] = triplet.paired!;
    assert.ok(random!.adjustedP < 0.05 && random!.interval[0] > 0 && random!.difference > 40);
    assert.ok(self!.adjustedP > 0.05);
    assert.equal(results.find(({ method }) => method === 'random')!.paired, undefined);
    assert.equal(results.at(-1)!.best, undefined);
  });

  it('do not hold the scores themselves', () => {
    assert.ok(!('scores' in foldResults(rowOf('triplet', 50), options)[0]!));
  });

  it('are as they were where there are no scores', () => {
    const plain = foldResults([...rowOf('random', 20), ...rowOf('triplet', 80)].map(bare));
    for (const result of plain) {
      assert.ok(!('interval' in result || 'paired' in result || 'best' in result || 'images' in result));
    }
    const mixed = foldResults(
      [...rowOf('random', 20).map(bare), ...rowOf('triplet', 80), ...rowOf('self', 20)],
      options,
    );
    const triplet = mixed.find(({ method }) => method === 'triplet')!;
    assert.deepEqual(
      triplet.paired!.map(({ control }) => control),
      ['self'],
    );
    assert.equal(triplet.best, undefined, 'a row without scores may be better');
  });

  it('keep columns apart', () => {
    const other = { dataset: 'scenes', data: 'e' };
    const results = foldResults([...rowOf('triplet', 80), ...rowOf('random', 20, other)], options);
    assert.equal(results[0]!.paired, undefined);
  });

  it('do not depend on the order in which the cells came', () => {
    const cells = [...rowOf('random', 20), ...rowOf('triplet', 80)];
    const one = foldResults(cells, options);
    assert.deepEqual(foldResults([...cells].reverse(), options).reverse(), one);
  });

  it('are refused where a value is not that of its scores', () => {
    const wrong = { ...cellOf('triplet', 1, 80), value: 0.8 };
    assert.throws(
      () => foldResults([wrong], options),
      /triplet, seed 1: expected scores that give the value 0.8, got 8/,
    );
  });

  it('are refused where rows of a column were measured on other data', () => {
    const cells = [...rowOf('triplet', 80), ...rowOf('random', 20, { data: 'e' })];
    assert.throws(() => foldResults(cells, options), /random: was measured on other data than triplet/);
  });
});
