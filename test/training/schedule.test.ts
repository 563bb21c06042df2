import assert from 'node:assert/strict';
import { constant, cosine, stepwise, warmUp } from '../../src/training/schedule.js';

const close = (actual: number, expected: number): void => {
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);
};

describe('schedules', () => {
  it('a constant rate stays', () => {
    close(constant(0.3).rate(0, 10), 0.3);
    close(constant(0.3).rate(9, 10), 0.3);
  });

  it('a stepwise rate falls by its factor exactly at each boundary', () => {
    const { rate } = stepwise(1, { at: [0.5, 0.8], factor: 0.1 });
    for (const [step, expected] of [
      [0, 1],
      [4, 1],
      [5, 0.1],
      [7, 0.1],
      [8, 0.01],
      [9, 0.01],
    ] as const) {
      close(rate(step, 10), expected);
    }
  });

  it('a stepwise rate may also fall every so many steps', () => {
    const { rate } = stepwise(1, { every: 3, factor: 0.5 });
    assert.deepEqual(
      [0, 2, 3, 5, 6].map((step) => rate(step, 10)),
      [1, 1, 0.5, 0.5, 0.25],
    );
    assert.throws(() => stepwise(1, { every: 0 }), /Expected `every`/);
  });

  it('by default it falls as in the released solver: three times, each quarter of the run', () => {
    const { rate } = stepwise(0.001);
    close(rate(99_999, 400_000), 1e-3);
    close(rate(100_000, 400_000), 1e-4);
    close(rate(399_999, 400_000), 1e-6);
  });

  it('a cosine begins at the rate, is half way at half time, and ends near its floor', () => {
    const { rate } = cosine(2, { floor: 1 });
    close(rate(0, 100), 2);
    close(rate(50, 100), 1.5);
    close(rate(99, 100), 1 + (1 + Math.cos(0.99 * Math.PI)) / 2);
  });

  it('a warm-up rises in equal steps to the schedule behind it', () => {
    const { rate } = warmUp(3, constant(8));
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((step) => rate(step, 10)),
      [2, 4, 6, 8, 8],
    );
  });

  it('a warm-up of no steps changes nothing', () => close(warmUp(0, cosine(1)).rate(0, 5), 1));

  it('the record names the rule and every number', () => {
    assert.deepEqual(warmUp(3, cosine(2)).settings, { schedule: 'cosine', rate: 2, floor: 0, warmUpSteps: 3 });
  });

  it('rates and lengths that make no sense are refused', () => {
    assert.throws(() => constant(0), /Expected `rate` to be a number above 0, got `0` \(number\)/);
    assert.throws(() => cosine(NaN), /Expected `rate`/);
    assert.throws(() => warmUp(1.5, constant(1)), /Expected `warmUpSteps`/);
  });
});
