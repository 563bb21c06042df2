import assert from 'node:assert/strict';
import { averagePrecision, rankByScore, type Interpolation } from '../../src/numeric/average-precision.js';
import { RandomStream } from '../../src/numeric/random.js';

const close = (value: number, expected: number): void =>
  assert.ok(Math.abs(value - expected) < 1e-12, `${value} for ${expected}`);

const falling = (length: number): number[] => Array.from({ length }, (_, i) => -i);

/** Straight from the definition: for every recall that is asked for, the best precision of any cut that reaches it. */
const slow = (hits: readonly number[], positives: number, interpolation: Interpolation): number => {
  const cuts = hits.map((_, k) => {
    const right = hits.slice(0, k + 1).reduce((a, b) => a + b, 0);
    return { recall: right / positives, precision: right / (k + 1) };
  });
  const best = (recall: number): number =>
    Math.max(0, ...cuts.filter((cut) => cut.recall >= recall).map(({ precision }) => precision));
  const grid = interpolation === '11-point' ? 10 : interpolation === '101-point' ? 100 : positives;
  const from = interpolation === 'all-points' ? 1 : 0;
  let sum = 0;
  for (let i = from; i <= grid; i++) sum += best(interpolation === 'all-points' ? i / positives : i * (1 / grid));
  return sum / (grid + 1 - from);
};

describe('average precision', () => {
  const hits = [1, 0, 1, 1, 0, 0, 1, 0, 0, 1];

  it('is 1 for a perfect ranking and 0 for one that finds nothing, under every definition', () => {
    for (const interpolation of ['11-point', '101-point', 'all-points', 'none'] as const) {
      assert.equal(averagePrecision(falling(4), [1, 1, 1, 1], 4, interpolation), 1);
      assert.equal(averagePrecision(falling(4), [0, 0, 0, 0], 4, interpolation), 0);
      assert.equal(averagePrecision([], [], 4, interpolation), 0);
      assert.ok(Number.isNaN(averagePrecision(falling(4), [0, 0, 0, 0], 0, interpolation)));
    }
  });

  it('differs between definitions by known values on one and the same ranking (trap 6)', () => {
    // Cuts at hits: precision 1, 2/3, 3/4, 4/7, 1/2; the envelope lifts 2/3 to 3/4.
    close(averagePrecision(falling(10), hits, 5, 'none'), (1 + 2 / 3 + 3 / 4 + 4 / 7 + 1 / 2) / 5);
    close(averagePrecision(falling(10), hits, 5, 'all-points'), (1 + 3 / 4 + 3 / 4 + 4 / 7 + 1 / 2) / 5);
    // Grid points 0 to 0.2 see 1; 0.3 to 0.6 see 3/4 (0.6000000000000001 is beyond the third hit's 0.6); then 4/7 and 1/2.
    const grid = 3 * 1 + 3 * (3 / 4) + 3 * (4 / 7) + 2 * (1 / 2);
    close(averagePrecision(falling(10), hits, 5, '11-point'), grid / 11);
  });

  it('equals a slow reference on random rankings, with more to find than was found', () => {
    const random = RandomStream.of(3, 'rankings');
    for (let round = 0; round < 40; round++) {
      const some = Array.from({ length: random.integer(30) }, () => Number(random.chance(0.4)));
      const positives = some.reduce((a, b) => a + b, 0) + random.integer(4) || 1;
      for (const interpolation of ['11-point', '101-point', 'all-points'] as const) {
        close(
          averagePrecision(falling(some.length), some, positives, interpolation),
          slow(some, positives, interpolation),
        );
      }
    }
  });

  it('takes answers of equal score in the order given, and scikit-learn takes them at once', () => {
    const scores = [0.9, 0.8, 0.8, 0.7, 0.6, 0.6, 0.6, 0.5, 0.3, 0.1];
    const lucky = [1, 1, 0, 1, 1, 0, 0, 0, 0, 1];
    const unlucky = [1, 0, 1, 1, 0, 0, 1, 0, 0, 1];
    // average_precision_score of scikit-learn 1.9.1 for both.
    close(averagePrecision(scores, lucky, 5, 'none'), 0.6976190476190476);
    close(averagePrecision(scores, unlucky, 5, 'none'), 0.6976190476190476);
    assert.ok(
      averagePrecision(scores, lucky, 5, 'all-points') > averagePrecision(scores, unlucky, 5, 'all-points') + 0.1,
    );
    assert.deepEqual([...rankByScore([1, 3, 1, 3, 2])], [1, 3, 4, 0, 2]);
  });

  it('refuses scores that are no numbers, and lists that do not fit', () => {
    assert.throws(() => rankByScore([1, NaN]), /Expected scores to be numbers, got NaN at 1/);
    assert.throws(() => averagePrecision([1, 2], [1], 1, 'none'), /as many scores as hits, got 2 and 1/);
  });
});
