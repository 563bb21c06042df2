/** Arithmetic mean; NaN for no values. */
export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
};

/** Sample standard deviation (divisor n - 1), as a spread over seeds is reported; 0 for a single value, NaN for none. */
export const std = (values: ArrayLike<number>): number => {
  if (values.length < 2) return values.length === 1 ? 0 : NaN;
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] as number) - centre) ** 2;
  return Math.sqrt(sum / (values.length - 1));
};

/** The q-quantile (0 to 1) with linear interpolation between order statistics, as numpy's default; NaN for no values. */
export const quantile = (values: ArrayLike<number>, q: number): number => {
  if (values.length === 0) return NaN;
  const sorted = Float64Array.from(values).sort();
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return (sorted[below] as number) + ((sorted[above] as number) - (sorted[below] as number)) * (position - below);
};

/** The median: the 0.5-quantile. */
export const median = (values: ArrayLike<number>): number => quantile(values, 0.5);
