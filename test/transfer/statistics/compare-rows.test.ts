import assert from 'node:assert/strict';
import { RandomStream } from '../../../src/numeric/random.js';
import { mean, std } from '../../../src/numeric/statistics.js';
import { compareRows, type ComparedColumn, type ScoredRow } from '../../../src/transfer/statistics/compare-rows.js';
import type { ImageScores } from '../../../src/transfer/statistics/image-scores.js';

type Effects = {
  readonly images: number;
  readonly seeds: number;
  /** Standard deviations: of the images, shared by all rows; of a row's own view of an image; of a seed; of the rest. */
  readonly image: number;
  readonly own: number;
  readonly seed: number;
  readonly rest: number;
};

/** Rows of one world of images: every row and seed sees the same ones. `shift[k]` is the true mean of row k. */
const simulate = (
  random: RandomStream,
  names: readonly string[],
  shift: readonly number[],
  effects: Effects,
): ScoredRow[] => {
  const hard = Array.from({ length: effects.images }, () => random.normal(0, effects.image));
  return names.map((method, k) => {
    const own = hard.map((value) => value + random.normal(shift[k], effects.own));
    const values = Array.from({ length: effects.seeds }, () => {
      const seed = random.normal(0, effects.seed);
      return own.map((value) => value + seed + random.normal(0, effects.rest));
    });
    return {
      method,
      values: values.map((entry) => mean(entry)),
      scores: values.map((entry) => ({ kind: 'mean', values: entry }) as const),
    };
  });
};

const valuesOf = ({ scores: [first] }: ScoredRow): readonly number[] => (first?.kind === 'mean' ? first.values : []);

const options = { resamples: 200 };
const more: ComparedColumn = { protocol: 'knn/conv5', higherIsBetter: true };
const less: ComparedColumn = { ...more, higherIsBetter: false };
const usual: Effects = { images: 60, seeds: 3, image: 30, own: 15, seed: 1, rest: 15 };

const rates = (
  effects: Effects,
  rounds: number,
  lead: number,
): { covered: number; coveredDifference: number; called: number } => {
  let [covered, coveredDifference, called] = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    const rows = simulate(RandomStream.of(round, 'world'), ['triplet', 'random'], [50 + lead, 50], effects);
    const { interval, paired } = compareRows(rows, more, options).get('triplet')!;
    if (interval![0] <= 50 + lead && 50 + lead <= interval![1]) covered++;
    const [low, high] = paired![0]!.interval;
    if (low <= lead && lead <= high) coveredDifference++;
    if (paired![0]!.p < 0.05) called++;
  }
  return { covered: covered / rounds, coveredDifference: coveredDifference / rounds, called: called / rounds };
};

describe('the statistics of a column', () => {
  // A share of 300 rounds has a standard error of 1.3 points at 95 %.
  const worlds: readonly (readonly [string, Effects])[] = [
    ['images make the most of it', usual],
    ['seeds make the most of it', { ...usual, image: 5, own: 5, seed: 3, rest: 5 }],
    ['each network sees images in its own way', { ...usual, own: 5, seed: 0, rest: 30 }],
  ];
  for (const [name, effects] of worlds) {
    it(`cover the true mean and difference in about 95 of 100 worlds where ${name}`, () => {
      const { covered, coveredDifference, called } = rates(effects, 300, 0);
      assert.ok(covered >= 0.915 && covered <= 0.99, `covered ${covered}`);
      assert.ok(coveredDifference >= 0.915, `covered the difference in ${coveredDifference}`);
      assert.ok(called <= 0.085, `called a difference where there is none in ${called}`);
    });
  }

  it('call no more than about 5 of 100 differences where there are none, and not far fewer with many seeds', () => {
    const { called } = rates({ ...usual, seeds: 8 }, 300, 0);
    assert.ok(called >= 0.02 && called <= 0.085, `called ${called}`);
  });

  it('see a difference that is there, by what the rows share', () => {
    // Unpaired, the difference would be 13 ± 12 by the images alone.
    assert.ok(rates({ ...usual, seed: 0.5 }, 60, 13).called > 0.8);
  });

  it('give the mean the interval of its closed form', () => {
    const [row] = simulate(RandomStream.of(9), ['hog'], [50], { ...usual, images: 400, seeds: 1 });
    const statistics = compareRows([row!], more, { resamples: 4000 }).get('hog')!;
    const error = std(valuesOf(row!)) / 20;
    const [low, high] = statistics.interval!;
    assert.ok(Math.abs((high - low) / (2 * 1.966 * error) - 1) < 0.05);
    assert.equal(statistics.images, 400);
    assert.equal(statistics.paired, undefined);
  });

  it('let three seeds that differ tell little: the interval over seeds alone is that of Student with 2 degrees of freedom', () => {
    const scores = [10, 12, 14].map((value) => ({ kind: 'mean', values: Array<number>(50).fill(value) }) as const);
    const [low, high] = compareRows([{ method: 'a', values: [10, 12, 14], scores }], more, options).get('a')!.interval!;
    const half = (4.30265 * 2) / Math.sqrt(3);
    assert.ok(Math.abs(low - (12 - half)) < 1e-3 && Math.abs(high - (12 + half)) < 1e-3);
  });

  it('turn round where less is better', () => {
    const rows = simulate(RandomStream.of(4), ['triplet', 'random'], [40, 60], usual);
    const upward = compareRows(rows, more, options).get('triplet')!.paired![0]!;
    const downward = compareRows(rows, less, options).get('triplet')!.paired![0]!;
    assert.ok(upward.difference < -10 && upward.interval[1] < 0);
    assert.equal(downward.difference, -upward.difference);
    assert.ok(Math.abs(downward.interval[0] + upward.interval[1]) < 0.2);
    assert.deepEqual([compareRows(rows, less, options).get('triplet')!.best, compareRows(rows, more, options).get('random')!.best], [true, true]); // prettier-ignore
  });

  it('do not depend on the order of the rows, and are the same again', () => {
    const rows = simulate(RandomStream.of(4), ['triplet', 'npid', 'random', 'self'], [52, 50, 50, 51], usual);
    const one = compareRows(rows, more, options);
    assert.deepEqual(compareRows(rows, more, options), one);
    const other = compareRows([rows[2]!, rows[0]!, rows[3]!, rows[1]!], more, options);
    assert.deepEqual(other.get('npid')!.interval, one.get('npid')!.interval);
    assert.equal(other.get('npid')!.paired!.length, 2);
  });

  it('correct for the number of comparisons in the column', () => {
    const names = ['triplet', 'npid', 'random', 'shuffled', 'self'];
    const rows = simulate(RandomStream.of(6), names, [75, 50, 50, 50, 50], usual);
    const statistics = compareRows(rows, more, options);
    const tests = names.flatMap((name) => statistics.get(name)!.paired ?? []);
    assert.equal(tests.length, 6);
    const least = tests.reduce((a, b) => (a.p < b.p ? a : b));
    assert.ok(Math.abs(least.adjustedP - 6 * least.p) < 1e-12);
    assert.ok(tests.every(({ p, adjustedP }) => adjustedP >= p && adjustedP <= 1));
    assert.equal(statistics.get('self')!.paired, undefined);
  });

  it('hold rows on tracks against their method on patches, as a question of its own', () => {
    const names = ['simclr', 'simclr-tracks', 'simclr-tracks-plain', 'random', 'self'];
    const rows = simulate(RandomStream.of(6), names, [50, 75, 50, 50, 50], usual);
    const statistics = compareRows(rows, more, options);
    const against = (method: string, control: string) =>
      statistics.get(method)!.paired!.find((test) => test.control === control);
    const [tracks, plain] = names.slice(1, 3).map((name) => against(name, 'simclr')!);
    assert.ok(tracks!.difference > 15 && tracks!.adjustedP < 0.05);
    assert.ok(Math.abs(tracks!.adjustedP - 2 * tracks!.p) < 1e-12, 'corrected for two rows on tracks');
    assert.ok(plain!.adjustedP > 0.05);
    assert.equal(against('simclr', 'simclr-tracks'), undefined);
    // Without a row on patches to be held against, what is said of controls is the same.
    const renamed = compareRows([{ ...rows[0]!, method: 'npid' }, ...rows.slice(1)], more, options);
    assert.deepEqual(renamed.get('simclr-tracks')!.paired, statistics.get('simclr-tracks')!.paired!.slice(0, 2));
  });

  it('hold that rows of the same values do not differ', () => {
    const [row] = simulate(RandomStream.of(7), ['triplet'], [50], usual);
    const statistics = compareRows([row!, { ...row!, method: 'random' }], more, options);
    const [test] = statistics.get('triplet')!.paired!;
    assert.equal(test!.difference, 0);
    assert.ok(test!.p > 0.9);
    assert.equal(statistics.get('triplet')!.best, false);
  });

  it('call a row best only where it differs from every other row', () => {
    const best = (shift: readonly number[]): (boolean | undefined)[] => {
      const rows = simulate(RandomStream.of(8), ['triplet', 'npid', 'random'], shift, usual);
      const statistics = compareRows(rows, more, options);
      return rows.map(({ method }) => statistics.get(method)!.best);
    };
    assert.deepEqual(best([80, 50, 50]), [true, false, false]);
    assert.deepEqual(best([80, 80, 50]), [false, false, false]);
    assert.deepEqual(best([50, 50, 80]), [false, false, true]);
  });

  it('leave open what one seed cannot tell, and compare all others', () => {
    const rows = simulate(
      RandomStream.of(8),
      ['triplet', 'triplet-ensemble', 'random', 'hog'],
      [70, 80, 50, 40],
      usual,
    );
    const cut = (row: ScoredRow): ScoredRow => ({
      ...row,
      values: row.values.slice(0, 1),
      scores: row.scores.slice(0, 1),
    });
    const statistics = compareRows([rows[0]!, cut(rows[1]!), rows[2]!, cut(rows[3]!)], more, options);
    assert.equal(statistics.get('triplet-ensemble')!.paired, undefined);
    assert.equal(statistics.get('triplet-ensemble')!.best, undefined);
    assert.ok(statistics.get('triplet-ensemble')!.interval);
    assert.deepEqual(
      statistics.get('triplet')!.paired!.map(({ control }) => control),
      ['random', 'hog'],
    );
    // The ensemble reads higher, by nobody knows how much.
    assert.equal(statistics.get('triplet')!.best, undefined);
    const known = compareRows([rows[0]!, rows[2]!, cut(rows[3]!)], more, options);
    assert.equal(known.get('triplet')!.best, true);
  });

  it('leave open what one seed of a protocol with randomness cannot tell of features without any', () => {
    const rows = simulate(RandomStream.of(8), ['triplet', 'hog'], [70, 40], usual);
    const hog = { ...rows[1]!, values: rows[1]!.values.slice(0, 1), scores: rows[1]!.scores.slice(0, 1) };
    const paired = (protocol: string) =>
      compareRows([rows[0]!, hog], { ...more, protocol }, options).get('triplet')!.paired?.length;
    assert.equal(paired('svm/hog'), 1);
    assert.equal(paired('rcnn'), undefined);
  });

  it('say nothing from too few images, or too few groups of them', () => {
    const rows = simulate(RandomStream.of(2), ['triplet', 'random'], [70, 50], { ...usual, images: 5 });
    assert.deepEqual(compareRows(rows, more, options).get('triplet'), { images: 5 });
    const many = simulate(RandomStream.of(2), ['triplet', 'random'], [70, 50], { ...usual, images: 90 });
    const grouped = many.map((row) => ({ ...row, scores: row.scores.map((entry) => ({ ...entry, groups: entry.groups ?? Array.from({ length: 90 }, (_, i) => Math.floor(i / 18)) })) })); // prettier-ignore
    assert.deepEqual(compareRows(grouped, more, options).get('triplet'), { images: 90, groups: 5 });
  });

  it('widen the interval where images of a group are alike', () => {
    const random = RandomStream.of(12);
    const scenes = Array.from({ length: 20 }, () => random.normal(50, 10));
    const values = scenes.flatMap((scene) => Array.from({ length: 10 }, () => scene + random.normal(0, 1)));
    const groups = values.map((_, i) => Math.floor(i / 10));
    const width = (scores: ScoredRow['scores'][number]): number => {
      const [low, high] = compareRows([{ method: 'hog', values: [mean(values)], scores: [scores] }], more, options).get('hog')!.interval!; // prettier-ignore
      return high - low;
    };
    assert.ok(width({ kind: 'mean', values, groups }) > 2.5 * width({ kind: 'mean', values }));
  });

  it('keep the ends within what the metric can be', () => {
    const scores = [1, 3, 8].map((hits) => ({ kind: 'mean', values: Array.from({ length: 40 }, (_, i) => (i < hits ? 100 : 0)) }) as const); // prettier-ignore
    const row = { method: 'a', values: [2.5, 7.5, 20], scores };
    assert.equal(compareRows([row], more, options).get('a')!.interval![0], 0);
  });

  it('have no interval where every image is right: other images need not be', () => {
    const right: ImageScores = { kind: 'mean', values: new Array<number>(8).fill(100) };
    const row: ScoredRow = { method: 'triplet', values: [100, 100], scores: [right, right] };
    assert.deepEqual(compareRows([row], more, options).get('triplet'), { images: 8 });
  });

  it('do not reach beyond what the values of an image can be', () => {
    const values = Array.from({ length: 8 }, (_, i) => (i === 0 ? 50 : 100));
    const row = (most?: number): ScoredRow => ({
      method: 'hog',
      values: [93.75],
      scores: [{ kind: 'mean', values, ...(most === undefined ? {} : { most }) }],
    });
    assert.equal(compareRows([row(100)], more, options).get('hog')!.interval![1], 100);
    assert.ok(compareRows([row()], more, options).get('hog')!.interval![1] > 100);
  });

  it('bear resamples on which the metric is not defined', () => {
    const totals = Array.from({ length: 12 }, (_, i) => (i < 2 ? 5 : 0));
    const row = { method: 'hog', values: [40], scores: [{ kind: 'ratio', hits: totals.map((n, i) => (n * (1 + 2 * i)) / 5), totals }] } as const; // prettier-ignore
    const [low, high] = compareRows([row], more, options).get('hog')!.interval!;
    assert.ok(Number.isFinite(low) && Number.isFinite(high));
  });

  it('refuse rows that were not measured on the same images', () => {
    const [a] = simulate(RandomStream.of(1), ['triplet'], [50], usual);
    const [b] = simulate(RandomStream.of(1), ['random'], [50], { ...usual, images: 59 });
    assert.throws(() => compareRows([a!, b!], more, options), /`random`: expected scores of 60 test images, got 59/);
    assert.throws(
      () => compareRows([{ ...a!, scores: a!.scores.slice(1) }], more),
      /scores for each of 3 seeds, got 2/,
    );
    const grouped = { ...a!, method: 'self', scores: a!.scores.map((entry) => ({ ...entry, groups: Array.from({ length: 60 }, (_, i) => i) })) }; // prettier-ignore
    assert.throws(() => compareRows([a!, grouped], more, options), /the same groups of test images for `self`/);
  });
});
