import assert from 'node:assert/strict';
import { bootstrap } from '../../src/numeric/bootstrap.js';
import { RandomStream } from '../../src/numeric/random.js';
import { mean, std } from '../../src/numeric/statistics.js';

const meanOf =
  (values: readonly number[]) =>
  (weights: Int32Array): number =>
    values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / weights.reduce((sum, weight) => sum + weight, 0);

describe('the bootstrap', () => {
  const random = RandomStream.of(3);
  const values = Array.from({ length: 40 }, () => random.normal(5, 2));

  it('gives a mean the variance s²(n - 1)/n² of its closed form', () => {
    const [draws] = bootstrap([meanOf(values)], 40, { seed: 1, resamples: 8000 });
    const expected = (std(values) ** 2 * 39) / 1600;
    assert.ok(Math.abs(std(draws!) ** 2 / expected - 1) < 0.05);
    assert.ok(Math.abs(mean(draws!) - mean(values)) < 0.02);
  });

  it('draws as many units as there are, each of them equally often', () => {
    const total = new Float64Array(40);
    bootstrap(
      [
        (weights) => {
          assert.equal(mean(weights), 1);
          weights.forEach((weight, i) => (total[i]! += weight));
          return 0;
        },
      ],
      40,
      { seed: 1, resamples: 4000 },
    );
    total.forEach((count) => assert.ok(Math.abs(count / 4000 - 1) < 0.08));
  });

  it('measures everything on the same resamples', () => {
    const shifted = values.map((value) => value + 7);
    const [one, two] = bootstrap([meanOf(values), meanOf(shifted)], 40, { seed: 1, resamples: 50 });
    one!.forEach((value, b) => assert.ok(Math.abs(two![b]! - value - 7) < 1e-9));
  });

  it('is the same for the same seed, and another for another', () => {
    const draw = (seed: number) => bootstrap([meanOf(values)], 40, { seed, resamples: 20 });
    assert.deepEqual(draw(4), draw(4));
    assert.notDeepEqual(draw(4), draw(5));
  });

  it('draws the units of a group together', () => {
    const groups = [0, 0, 1, 2, 2, 2];
    bootstrap(
      [
        (weights) => {
          assert.equal(weights[0], weights[1]);
          assert.ok(weights[3] === weights[4] && weights[4] === weights[5]);
          assert.equal(weights[0]! + weights[2]! + weights[3]!, 3);
          return 0;
        },
      ],
      6,
      { seed: 1, resamples: 100, groups },
    );
    assert.throws(() => bootstrap([], 2, { seed: 1, resamples: 1, groups: [0, 2] }), /from 0 to 1, each used, got `2`/);
    assert.throws(() => bootstrap([], 3, { seed: 1, resamples: 1, groups: [0] }), /a group for each of 3 units, got 1/);
  });
});
