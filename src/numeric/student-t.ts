const checkFreedom = (df: number): void => {
  if (Number.isInteger(df) && df >= 1) return;
  throw new RangeError(`Expected \`df\` to be an integer from 1, got \`${df}\` (${typeof df})`);
};

/**
 * Distribution function of Student's t with `df` degrees of freedom (an integer from 1), by its finite trigonometric series
 * (Abramowitz & Stegun 26.7.3 and 26.7.4): exact to rounding, about `df / 2` multiplications.
 */
export const studentCdf = (t: number, df: number): number => {
  checkFreedom(df);
  const angle = Math.atan(t / Math.sqrt(df));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = df % 2 === 1;
  let term = odd ? cosine : 1;
  let series = df === 1 ? 0 : term;
  for (let power = odd ? 3 : 2; power <= df - 2; power += 2) {
    term *= (cosine * cosine * (power - 1)) / power;
    series += term;
  }
  return 0.5 + (odd ? (angle + sine * series) / Math.PI : (sine * series) / 2);
};

/** The `p`-quantile (0 < p < 1) of Student's t with `df` degrees of freedom, by bisection to about 1e-12 relative. */
export const studentQuantile = (p: number, df: number): number => {
  if (!(p > 0 && p < 1)) throw new RangeError(`Expected \`p\` to be between 0 and 1, got \`${p}\``);
  if (p === 0.5) return 0;
  if (p < 0.5) return -studentQuantile(1 - p, df);
  let [low, high] = [0, 2];
  while (studentCdf(high, df) < p) [low, high] = [high, high * 2];
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (studentCdf(middle, df) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};
