import { RandomStream } from './random.js';

/** A statistic of units that count `weights[i]` times each (a whole number from 0). NaN where it is not defined for them. */
export type WeightedStatistic = (weights: Int32Array) => number;

/** What is drawn, and how often. */
export type BootstrapOptions = {
  /** Seed of the resamples: the same seed and number of units give the same resamples, whatever is measured on them. */
  readonly seed: number;
  /** Number of resamples. */
  readonly resamples: number;
  /** Group of each unit, whole numbers from 0 without a hole: the units of a group are drawn together. Each alone if absent. */
  readonly groups?: readonly number[];
};

/** The number of groups, of which each must have a unit. */
export const countGroups = (groups: readonly number[]): number => {
  const names = new Set(groups);
  const count = names.size;
  for (const name of names) {
    if (!Number.isInteger(name) || name < 0 || name >= count) {
      throw new RangeError(
        `Expected \`groups\` to be whole numbers from 0 to ${count - 1}, each used, got \`${name}\``,
      );
    }
  }
  return count;
};

/**
 * The bootstrap (Efron 1979) by weights: `resamples` times as many units (or groups of them) as there are are drawn with
 * replacement, and every statistic is computed on the same resample, so that differences between statistics are paired.
 * Returns for each statistic its values, one a resample.
 */
export const bootstrap = (
  statistics: readonly WeightedStatistic[],
  units: number,
  { seed, resamples, groups }: BootstrapOptions,
): Float64Array[] => {
  if (groups && groups.length !== units) {
    throw new RangeError(`Expected a group for each of ${units} units, got ${groups.length}`);
  }
  const drawn = groups ? countGroups(groups) : units;
  const random = RandomStream.of(seed, 'bootstrap', drawn);
  const values = statistics.map(() => new Float64Array(resamples));
  const counts = new Int32Array(drawn);
  const weights = groups ? new Int32Array(units) : counts;
  for (let b = 0; b < resamples; b++) {
    counts.fill(0);
    for (let i = 0; i < drawn; i++) counts[random.integer(drawn)]!++;
    if (groups) for (let i = 0; i < units; i++) weights[i] = counts[groups[i]!]!;
    for (let k = 0; k < statistics.length; k++) values[k]![b] = statistics[k]!(weights);
  }
  return values;
};
