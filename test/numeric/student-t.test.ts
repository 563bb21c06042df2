import assert from 'node:assert/strict';
import { studentCdf, studentQuantile } from '../../src/numeric/student-t.js';

const near = (actual: number, expected: number, within: number): void =>
  assert.ok(Math.abs(actual - expected) <= within, `expected ${expected}, got ${actual}`);

describe("Student's t", () => {
  it('has the quantiles of the printed tables', () => {
    const table = [[1, 12.7062], [2, 4.30265], [3, 3.18245], [4, 2.77645], [10, 2.22814], [30, 2.04227], [101, 1.98373]] as const; // prettier-ignore
    for (const [df, value] of table) {
      near(studentQuantile(0.975, df), value, 6e-5);
      near(studentQuantile(0.025, df), -value, 6e-5);
    }
    assert.equal(studentQuantile(0.5, 3), 0);
  });

  it('has the closed forms of one and two degrees of freedom', () => {
    for (const t of [-30, -1.3, 0, 0.4, 2, 50]) {
      near(studentCdf(t, 1), 0.5 + Math.atan(t) / Math.PI, 1e-14);
      near(studentCdf(t, 2), 0.5 + t / (2 * Math.sqrt(2 + t * t)), 1e-14);
    }
  });

  it('is the integral of its density', () => {
    // Simpson's rule over the density, normalised by its own integral to far outside.
    const integral = (df: number, to: number): number => {
      const density = (t: number): number => (1 + (t * t) / df) ** (-(df + 1) / 2);
      const steps = 4000;
      let sum = 0;
      for (let k = 0; k <= steps; k++) sum += (k === 0 || k === steps ? 1 : k % 2 ? 4 : 2) * density((to * k) / steps);
      return (sum * to) / steps / 3;
    };
    for (const df of [5, 8, 21]) near(studentCdf(1.7, df), 0.5 + integral(df, 1.7) / integral(df, 400) / 2, 1e-6);
  });

  it('refuses what are no degrees of freedom', () => {
    assert.throws(() => studentCdf(1, 0), /Expected `df` to be an integer from 1, got `0`/);
    assert.throws(() => studentCdf(1, 2.5), /got `2.5`/);
    assert.throws(() => studentQuantile(1, 3), /Expected `p`/);
  });
});
