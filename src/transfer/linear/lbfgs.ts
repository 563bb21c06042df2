/** A smooth function: writes its gradient at `x` into `gradient` and returns its value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

/** When to stop, and how much to remember. */
export type LbfgsOptions = {
  /** @default 200 */
  readonly maxIterations?: number;
  /**
   * Stops once no component of the gradient is larger.
   * @default 3e-4
   */
  readonly tolerance?: number;
  /**
   * Pairs of steps and gradient changes that stand for the curvature.
   * @default 10
   */
  readonly memory?: number;
};

/** Where the search ended. */
export type Minimum = {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** False where the iterations ran out, or where rounding left no step that descends, before the tolerance was met. */
  readonly converged: boolean;
};

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

const largest = (values: Float64Array): number => {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] as number));
  return most;
};

/**
 * Minimises a smooth function by L-BFGS (Nocedal & Wright 2006, algorithm 7.4, with a backtracking Armijo search). No random
 * choice anywhere: the same function and start give the same end. Pairs without positive curvature are not remembered, so that
 * every direction descends.
 */
export const minimise = (
  objective: Objective,
  start: Float64Array,
  { maxIterations = 200, tolerance = 3e-4, memory = 10 }: LbfgsOptions = {},
): Minimum => {
  let x = start.slice();
  let gradient = new Float64Array(x.length);
  let value = objective(x, gradient);
  let nextX = new Float64Array(x.length);
  let nextGradient = new Float64Array(x.length);
  const pairs: { step: Float64Array; change: Float64Array; inverse: number }[] = [];
  let iterations = 0;
  while (iterations < maxIterations && largest(gradient) > tolerance) {
    const direction = descent(gradient, pairs);
    const slope = dot(direction, gradient);
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    let accepted = false;
    for (let attempt = 0; attempt < 30 && !accepted; attempt++) {
      for (let i = 0; i < x.length; i++) nextX[i] = (x[i] as number) + length * (direction[i] as number);
      const nextValue = objective(nextX, nextGradient);
      if (nextValue <= value + 1e-4 * length * slope) {
        accepted = true;
        value = nextValue;
      } else {
        length /= 2;
      }
    }
    if (!accepted) return { x, value, iterations, converged: false };
    const step = nextX.map((next, i) => next - (x[i] as number));
    const change = nextGradient.map((next, i) => next - (gradient[i] as number));
    const curvature = dot(step, change);
    if (curvature > 1e-12 * dot(change, change)) {
      pairs.push({ step, change, inverse: 1 / curvature });
      if (pairs.length > memory) pairs.shift();
    }
    [x, nextX] = [nextX, x];
    [gradient, nextGradient] = [nextGradient, gradient];
    iterations++;
  }
  return { x, value, iterations, converged: largest(gradient) <= tolerance };
};

/** `-H g` by the two-loop recursion over the remembered pairs. */
const descent = (
  gradient: Float64Array,
  pairs: readonly { step: Float64Array; change: Float64Array; inverse: number }[],
): Float64Array => {
  const direction = gradient.map((value) => -value);
  const add = (factor: number, values: Float64Array): void => {
    for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] as number) + factor * (values[i] as number);
  };
  const alphas = new Float64Array(pairs.length);
  for (let p = pairs.length - 1; p >= 0; p--) {
    const { step, change, inverse } = pairs[p] as (typeof pairs)[number];
    alphas[p] = inverse * dot(step, direction);
    add(-(alphas[p] as number), change);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = 1 / (last.inverse * dot(last.change, last.change));
    for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] as number) * scale;
  }
  for (let p = 0; p < pairs.length; p++) {
    const { step, change, inverse } = pairs[p] as (typeof pairs)[number];
    add((alphas[p] as number) - inverse * dot(change, direction), step);
  }
  return direction;
};
