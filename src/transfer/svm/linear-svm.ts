import { checkMatrix, type FeatureMatrix } from '../../neighbors/feature-matrix.js';

/** A linear decision: a row x is on the positive side where `x . weights + bias` is above 0. */
export type LinearSvm = {
  readonly weights: Float64Array;
  readonly bias: number;
  /** Newton steps that were taken. */
  readonly iterations: number;
  /** False where the steps ran out before the gradient was small enough. */
  readonly converged: boolean;
};

/** How a linear SVM is trained. */
export type LinearSvmOptions = {
  /** Cost of a violated margin, above 0, beside a penalty of `|w|^2 / 2`. */
  readonly c: number;
  /**
   * Factor on the cost of positive rows; Goyal et al. take 2.
   * @default 1
   */
  readonly positiveWeight?: number;
  /**
   * Factor on the cost of negative rows.
   * @default 1
   */
  readonly negativeWeight?: number;
  /**
   * Value of the constant feature whose weight is the bias. The bias is thereby penalised like any weight, the less the larger
   * this is; 0 trains without a bias.
   * @default 1
   */
  readonly interceptScaling?: number;
  /**
   * Stops once the gradient is at most this share of what it is at zero, in the L2 norm.
   * @default 1e-5
   */
  readonly tolerance?: number;
  /** @default 100 */
  readonly maxIterations?: number;
  /** Where to begin: the solution at another cost, say, or on fewer rows. Zeros if absent. */
  readonly start?: Pick<LinearSvm, 'weights' | 'bias'>;
};

/**
 * Trains an L2-regularised linear SVM with squared hinge, the problem of liblinear's `L2R_L2LOSS_SVC` and of scikit-learn's
 * `LinearSVC`:
 *
 *     min  (|w|^2 + v^2) / 2 + c * sum_i weight(y_i) * max(0, 1 - y_i (x_i . w + v * interceptScaling))^2
 *
 * with `bias = v * interceptScaling`. Solved in the primal by Newton steps on the rows within the margin (Keerthi & DeCoste
 * 2005), each by conjugate gradients (truncated as in Lin, Weng & Keerthi 2008), with a backtracking search: the objective is
 * strictly convex, so that the end is the same as that of liblinear's dual coordinate descent, but no random order takes part and
 * any solution can be the start of the next. In float64 throughout.
 *
 * @param labels 1 or -1 a row; both must occur
 */
export const trainLinearSvm = (
  features: FeatureMatrix,
  labels: Int8Array,
  {
    c,
    positiveWeight = 1,
    negativeWeight = 1,
    interceptScaling = 1,
    tolerance = 1e-5,
    maxIterations = 100,
    start,
  }: LinearSvmOptions,
): LinearSvm => {
  checkMatrix('features', features);
  checkAboveZero({ c, positiveWeight, negativeWeight });
  if (!(interceptScaling >= 0)) {
    throw new RangeError(
      `Expected \`interceptScaling\` to be a number from 0, got \`${interceptScaling}\` (${typeof interceptScaling})`,
    );
  }
  checkLabels(labels, features.rows);
  const costs = Float64Array.from(labels, (label) => c * (label > 0 ? positiveWeight : negativeWeight));
  const problem: Problem = { features, labels, costs, constant: interceptScaling };
  const { rows, dim } = features;

  // The last component is v, the weight of the constant feature.
  const w = new Float64Array(dim + 1);
  if (start) {
    if (start.weights.length !== dim) {
      throw new RangeError(`Expected \`start\` to hold ${dim} weights, got ${start.weights.length}`);
    }
    w.set(start.weights);
    w[dim] = interceptScaling > 0 ? start.bias / interceptScaling : 0;
  }
  const gradient = new Float64Array(dim + 1);
  const direction = new Float64Array(dim + 1);
  const along = new Float64Array(rows);
  const scores = new Float64Array(rows);
  const enough = tolerance * gradientAtZero(problem);
  if (start) scoreInto(problem, w, scores);
  let value = objective(problem, w, scores);
  let iterations = 0;
  for (;;) {
    const inside = rowsInside(problem, scores);
    gradientInto(problem, w, scores, inside, gradient);
    const size = norm(gradient);
    if (size <= enough) return solution(w, interceptScaling, iterations, true);
    if (iterations === maxIterations) return solution(w, interceptScaling, iterations, false);
    newtonDirection(problem, inside, gradient, Math.min(0.1, Math.sqrt(size / (enough / tolerance))), direction);
    scoreInto(problem, direction, along);
    const slope = dot(gradient, direction);
    let step = 1;
    let accepted = false;
    while (!accepted && step > 1e-10) {
      const next = objectiveAt(problem, w, direction, scores, along, step);
      // Beside the sufficient decrease, a step that rounding alone hides is taken.
      if (next <= value + 1e-4 * step * slope || (step === 1 && -slope < 1e-14 * value)) {
        accepted = true;
        value = next;
      } else {
        step /= 2;
      }
    }
    if (!accepted) return solution(w, interceptScaling, iterations, false);
    for (let j = 0; j <= dim; j++) w[j]! += step * direction[j]!;
    for (let i = 0; i < rows; i++) scores[i]! += step * along[i]!;
    iterations++;
  }
};

/** Decision values `x . weights + bias` of rows. */
export const decisionValues = (
  { weights, bias }: Pick<LinearSvm, 'weights' | 'bias'>,
  features: FeatureMatrix,
): Float64Array => {
  checkMatrix('features', features);
  if (features.dim !== weights.length) {
    throw new RangeError(`Expected features of dimension ${weights.length}, got ${features.dim}`);
  }
  const { rows, dim, data } = features;
  return Float64Array.from({ length: rows }, (_, i) => bias + rowDot(data, i * dim, dim, weights));
};

type Problem = {
  readonly features: FeatureMatrix;
  readonly labels: Int8Array;
  readonly costs: Float64Array;
  readonly constant: number;
};

const checkAboveZero = (values: Readonly<Record<string, number>>): void => {
  for (const [name, value] of Object.entries(values)) {
    if (!(value > 0 && value < Infinity)) {
      throw new RangeError(`Expected \`${name}\` to be a number above 0, got \`${value}\` (${typeof value})`);
    }
  }
};

const checkLabels = (labels: Int8Array, rows: number): void => {
  if (labels.length !== rows) throw new RangeError(`Expected one label a row, got ${labels.length} for ${rows} rows`);
  const stranger = labels.find((label) => label !== 1 && label !== -1);
  if (stranger !== undefined) throw new RangeError(`Expected labels of 1 and -1, got \`${stranger}\``);
  if (!labels.includes(1) || !labels.includes(-1)) {
    throw new RangeError(`Expected both 1 and -1 among the labels, got ${labels[0]} alone`);
  }
};

const solution = (w: Float64Array, constant: number, iterations: number, converged: boolean): LinearSvm => ({
  weights: w.slice(0, -1),
  bias: w[w.length - 1]! * constant,
  iterations,
  converged,
});

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

const norm = (values: Float64Array): number => Math.sqrt(dot(values, values));

/** Four sums side by side, which the processor can keep in flight together. */
const rowDot = (data: Float32Array, at: number, dim: number, w: Float64Array): number => {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let j = 0;
  for (; j + 3 < dim; j += 4) {
    a += data[at + j]! * w[j]!;
    b += data[at + j + 1]! * w[j + 1]!;
    c += data[at + j + 2]! * w[j + 2]!;
    d += data[at + j + 3]! * w[j + 3]!;
  }
  for (; j < dim; j++) a += data[at + j]! * w[j]!;
  return a + b + (c + d);
};

const addRow = (data: Float32Array, at: number, dim: number, factor: number, sum: Float64Array): void => {
  for (let j = 0; j < dim; j++) sum[j]! += factor * data[at + j]!;
};

const scoreInto = ({ features, constant }: Problem, w: Float64Array, scores: Float64Array): void => {
  const { rows, dim, data } = features;
  const shift = constant * w[dim]!;
  for (let i = 0; i < rows; i++) scores[i] = shift + rowDot(data, i * dim, dim, w);
};

const objective = (problem: Problem, w: Float64Array, scores: Float64Array): number => {
  let loss = 0;
  for (let i = 0; i < scores.length; i++) {
    const slack = 1 - problem.labels[i]! * scores[i]!;
    if (slack > 0) loss += problem.costs[i]! * slack * slack;
  }
  return dot(w, w) / 2 + loss;
};

const objectiveAt = (
  problem: Problem,
  w: Float64Array,
  direction: Float64Array,
  scores: Float64Array,
  along: Float64Array,
  step: number,
): number => {
  let penalty = 0;
  for (let j = 0; j < w.length; j++) penalty += (w[j]! + step * direction[j]!) ** 2;
  let loss = 0;
  for (let i = 0; i < scores.length; i++) {
    const slack = 1 - problem.labels[i]! * (scores[i]! + step * along[i]!);
    if (slack > 0) loss += problem.costs[i]! * slack * slack;
  }
  return penalty / 2 + loss;
};

/** Numbers of the rows whose margin is violated: those that the loss, its gradient and its curvature come from. */
const rowsInside = ({ labels }: Problem, scores: Float64Array): Int32Array => {
  const inside = new Int32Array(scores.length);
  let count = 0;
  for (let i = 0; i < scores.length; i++) if (labels[i]! * scores[i]! < 1) inside[count++] = i;
  return inside.subarray(0, count);
};

/** `w + 2 sum over inside of cost (score - y) x`. */
const gradientInto = (
  { features, labels, costs, constant }: Problem,
  w: Float64Array,
  scores: Float64Array,
  inside: Int32Array,
  gradient: Float64Array,
): void => {
  const { dim, data } = features;
  gradient.set(w);
  for (const i of inside) {
    const factor = 2 * costs[i]! * (scores[i]! - labels[i]!);
    addRow(data, i * dim, dim, factor, gradient);
    gradient[dim]! += factor * constant;
  }
};

const gradientAtZero = (problem: Problem): number => {
  const { rows, dim } = problem.features;
  const zero = new Float64Array(dim + 1);
  const gradient = new Float64Array(dim + 1);
  gradientInto(
    problem,
    zero,
    new Float64Array(rows),
    Int32Array.from({ length: rows }, (_, i) => i),
    gradient,
  );
  return norm(gradient);
};

/** Solves `(I + 2 X' C X over inside) direction = -gradient` until the residual is `accuracy` of the gradient. */
const newtonDirection = (
  { features, costs, constant }: Problem,
  inside: Int32Array,
  gradient: Float64Array,
  accuracy: number,
  direction: Float64Array,
): void => {
  const { dim, data } = features;
  direction.fill(0);
  const residual = gradient.map((value) => -value);
  const search = residual.slice();
  const product = new Float64Array(dim + 1);
  let size = dot(residual, residual);
  const enough = accuracy * accuracy * size;
  for (let iteration = 0; iteration < 1000 && size > enough; iteration++) {
    product.set(search);
    for (const i of inside) {
      const factor = 2 * costs[i]! * (rowDot(data, i * dim, dim, search) + constant * search[dim]!);
      addRow(data, i * dim, dim, factor, product);
      product[dim]! += factor * constant;
    }
    const length = size / dot(search, product);
    for (let j = 0; j <= dim; j++) {
      direction[j]! += length * search[j]!;
      residual[j]! -= length * product[j]!;
    }
    const next = dot(residual, residual);
    const keep = next / size;
    for (let j = 0; j <= dim; j++) search[j] = residual[j]! + keep * search[j]!;
    size = next;
  }
};
