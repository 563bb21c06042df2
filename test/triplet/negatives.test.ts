import assert from 'node:assert/strict';
import { RandomStream } from '../../src/numeric/random.js';
import { checkNegativeRule, selectNegatives, shareOf, type NegativeRule } from '../../src/triplet/negatives.js';

const rule: NegativeRule = { count: 4, hardRatio: 0.5, randomRatio: 0.5, margin: 1 };

/** One anchor of video 0, whose rows are itself and others of the given videos. */
const select = (
  similarities: number[],
  labels: number[],
  changes: Partial<NegativeRule> = {},
  seed = 1,
  positive = 0.9,
) => [
  ...selectNegatives(
    {
      similarities: Float32Array.from(similarities),
      positives: Float32Array.of(positive),
      anchorLabels: Int32Array.of(0),
      rowLabels: Int32Array.from(labels),
    },
    { ...rule, ...changes },
    RandomStream.of(seed),
  )[0]!,
];

const tenRows = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];
const tenLabels = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4];

describe('choice of negatives', () => {
  it('never takes a row of the same video', () => {
    for (let seed = 0; seed < 50; seed++) assert.ok(select(tenRows, tenLabels, {}, seed).every((row) => row > 1));
  });

  it('takes all candidates when there are at most K, whatever the ratios', () => {
    assert.deepEqual(
      select([1, 0.9, 0.5, 0.4, 0.3, 0.2], [0, 0, 1, 1, 2, 2], { hardRatio: 0, randomRatio: 0.25 }),
      [2, 3, 4, 5],
    );
  });

  it('leaves out rows whose hinge is not above 0', () => {
    // s(a, p) = 0.75, margin 0.25: rows at or below 0.5 are far enough (all four numbers are exact in binary).
    assert.deepEqual(select([1, 0.75, 0.5, 0.625, 0.25], [0, 0, 1, 1, 2], { margin: 0.25 }, 1, 0.75), [3]);
  });

  it('with hard 1 takes exactly the K most similar', () => {
    for (let seed = 0; seed < 20; seed++) {
      assert.deepEqual(select(tenRows, tenLabels, { hardRatio: 1, randomRatio: 0 }, seed), [2, 3, 4, 5]);
    }
  });

  it('with random 1 reaches every candidate, about equally often', () => {
    const counts = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 2000; seed++) {
      const chosen = select(tenRows, tenLabels, { hardRatio: 0, randomRatio: 1 }, seed);
      assert.equal(new Set(chosen).size, 4);
      for (const row of chosen) counts[row]!++;
    }
    // 2000 tries at 1/2: standard deviation 22.
    for (const count of counts.slice(2)) assert.ok(Math.abs(count - 1000) < 120, counts.join(' '));
  });

  it('half and half: two of the four hardest, and the rest of those four go back into the pool', () => {
    let threeHard = 0;
    for (let seed = 0; seed < 500; seed++) {
      const chosen = select(tenRows, tenLabels, {}, seed);
      assert.equal(new Set(chosen).size, 4);
      const hard = chosen.filter((row) => row <= 5).length;
      assert.ok(hard >= 2);
      if (hard > 2) threeHard++;
    }
    // Two of a pool of six, two of which are hard: at least one with probability 1 - 6/15 = 0.6 (standard deviation 11).
    assert.ok(Math.abs(threeHard - 300) < 60, `${threeHard} of 500`);
  });

  it('rounds shares of K down', () => {
    assert.equal(select(tenRows, tenLabels, { count: 3, hardRatio: 0.5, randomRatio: 0.5 }).length, 2);
  });

  it('loses no negative to rounding: a tenth of ten is one, left over from 0.9', () => {
    assert.equal(shareOf(10, 1 - 0.9), 1);
    assert.equal(shareOf(10, 0.9), 9);
    assert.equal(shareOf(3, 0.5), 1);
    const labels = [0, 0, ...new Array<number>(30).fill(1)];
    const similarities = labels.map((_, row) => 1 - row / 40);
    assert.equal(select(similarities, labels, { count: 10, hardRatio: 0.9, randomRatio: 1 - 0.9 }).length, 10);
  });

  it('semi-hard takes the hardest of those that are less similar than the positive', () => {
    const chosen = select(tenRows, tenLabels, { hardRatio: 1, randomRatio: 0, count: 2, semiHard: true }, 1, 0.65);
    assert.deepEqual(chosen, [4, 5]);
  });

  it('semi-hard takes the least similar where all are more similar than the positive', () => {
    const chosen = select(tenRows, tenLabels, { hardRatio: 1, randomRatio: 0, count: 2, semiHard: true }, 1, 0.05);
    assert.deepEqual(chosen, [9]);
    assert.deepEqual(select([1, 0.9], [0, 0], { semiHard: true }), []);
  });

  it('takes rows of the same video where they are said to be apart, and never rows that are none', () => {
    const query = {
      similarities: Float32Array.from([1, 0.9, 0.8, 0.7, 0.6]),
      positives: Float32Array.of(0.9),
      anchorLabels: Int32Array.of(0),
      rowLabels: Int32Array.of(0, 0, 0, 1, -1),
    };
    const all = { ...rule, count: 9 };
    assert.deepEqual([...selectNegatives(query, all, RandomStream.of(1))[0]!], [3]);
    const apart = (anchor: number, row: number): boolean => anchor === 0 && row === 2;
    assert.deepEqual([...selectNegatives({ ...query, apart }, all, RandomStream.of(1))[0]!], [2, 3]);
  });

  it('is the same for the same stream', () => {
    assert.deepEqual(select(tenRows, tenLabels, {}, 9), select(tenRows, tenLabels, {}, 9));
  });

  it('refuses rules that choose nothing or make no sense', () => {
    assert.throws(
      () => checkNegativeRule({ ...rule, margin: -1 }),
      /Expected `margin` to be a number above 0, got `-1` \(number\)/,
    );
    assert.throws(() => checkNegativeRule({ ...rule, count: 0 }), /Expected `count`/);
    assert.throws(
      () => checkNegativeRule({ ...rule, hardRatio: 2 }),
      /Expected `hardRatio` to be a number from 0 to 1, got `2`/,
    );
    assert.throws(() => checkNegativeRule({ ...rule, hardRatio: 0.2, randomRatio: 0.2 }), /at least one negative/);
  });
});
