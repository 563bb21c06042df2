import { quantile } from '../../numeric/statistics.js';
import { studentCdf, studentQuantile } from '../../numeric/student-t.js';

/**
 * How far an estimate may be off: the sum of a deviation owed to the test images, drawn from the bootstrap's, and one owed to
 * the seeds, `seedError * t` with `df` degrees of freedom, independent of each other.
 */
export type Uncertainty = {
  /** Deviations over the resamples of the images, with mean 0; ascending. */
  readonly deviations: Float64Array;
  /** Standard error over seeds; 0 for what depends on no seed. */
  readonly seedError: number;
  /** An integer from 1. */
  readonly df: number;
};

/** `P(estimate + deviation + seedError * t <= x)`; a deviation exactly at `x` counts half where there is no seed error. */
const distributionAt = (x: number, estimate: number, { deviations, seedError, df }: Uncertainty): number => {
  let sum = 0;
  for (const deviation of deviations) {
    const rest = x - estimate - deviation;
    if (seedError > 0) sum += studentCdf(rest / seedError, df);
    else sum += rest > 0 ? 1 : rest === 0 ? 0.5 : 0;
  }
  return sum / deviations.length;
};

/** The interval between the 2.5 % and the 97.5 % quantile of `estimate + deviation + seedError * t`, lower end first. */
export const intervalAround = (estimate: number, uncertainty: Uncertainty): readonly [number, number] => [
  quantileAround(estimate, uncertainty, 0.025),
  quantileAround(estimate, uncertainty, 0.975),
];

/**
 * Two-sided p of "the true value is 0": twice the smaller share of `estimate + deviation + seedError * t` on either side of 0.
 * Never below `2 / (resamples + 1)`: that many resamples cannot show more.
 */
export const pValueOf = (estimate: number, uncertainty: Uncertainty): number => {
  const below = distributionAt(0, estimate, uncertainty);
  const least = 2 / (uncertainty.deviations.length + 1);
  return Math.min(1, Math.max(least, 2 * Math.min(below, 1 - below)));
};

/** Regula falsi (Illinois) between the two ends of the deviations, each moved by the quantile of the seeds' part. */
const quantileAround = (estimate: number, uncertainty: Uncertainty, p: number): number => {
  const { deviations, seedError, df } = uncertainty;
  if (seedError === 0) return estimate + quantile(deviations, p);
  const shift = estimate + seedError * studentQuantile(p, df);
  let [low, high] = [shift + deviations[0]!, shift + deviations.at(-1)!];
  let [under, over] = [distributionAt(low, estimate, uncertainty) - p, distributionAt(high, estimate, uncertainty) - p];
  const enough = 1e-6 * (high - low + seedError);
  for (let side = 0, round = 0; round < 60 && high - low > enough; round++) {
    const x = under === over ? (low + high) / 2 : (low * over - high * under) / (over - under);
    const off = distributionAt(x, estimate, uncertainty) - p;
    if (Math.abs(off) < 1e-7) return x;
    if (off < 0) {
      [low, under] = [x, off];
      if (side === -1) over /= 2;
      side = -1;
    } else {
      [high, over] = [x, off];
      if (side === 1) under /= 2;
      side = 1;
    }
  }
  return (low + high) / 2;
};
