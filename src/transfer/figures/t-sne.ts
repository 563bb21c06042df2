/** Squared Euclidean distances of all rows of `[rows, dim]`. */
const squaredDistances = (points: Float64Array, rows: number, dim: number): Float64Array => {
  const distances = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      let sum = 0;
      for (let k = 0; k < dim; k++) sum += (points[i * dim + k]! - points[j * dim + k]!) ** 2;
      distances[i * rows + j] = sum;
      distances[j * rows + i] = sum;
    }
  }
  return distances;
};

/** `p(j | i)` of one row at precision `beta` into `out`; returns the entropy in nats. */
const conditional = (distances: Float64Array, i: number, beta: number, least: number, out: Float64Array): number => {
  let total = 0;
  let weighted = 0;
  for (let j = 0; j < out.length; j++) {
    // Less the least distance, so that no row underflows.
    const distance = distances[j]! - least;
    const value = j === i ? 0 : Math.exp(-beta * distance);
    out[j] = value;
    total += value;
    weighted += value * distance;
  }
  for (let j = 0; j < out.length; j++) out[j]! /= total;
  return Math.log(total) + (beta * weighted) / total;
};

/**
 * The affinities that t-SNE keeps, `[rows, rows]`: `p_ij = (p(j|i) + p(i|j)) / 2n` with Gaussians whose width gives each row the
 * same perplexity (found by bisection). They sum to 1.
 */
export const jointAffinities = (points: Float64Array, rows: number, dim: number, perplexity: number): Float64Array => {
  const distances = squaredDistances(points, rows, dim);
  const joint = new Float64Array(rows * rows);
  const row = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const own = distances.subarray(i * rows, (i + 1) * rows);
    let least = Infinity;
    for (let j = 0; j < rows; j++) if (j !== i) least = Math.min(least, own[j]!);
    let [low, high, beta] = [0, Infinity, 1];
    for (let step = 0; step < 60; step++) {
      const excess = conditional(own, i, beta, least, row) - Math.log(perplexity);
      if (Math.abs(excess) < 1e-6) break;
      if (excess > 0) low = beta;
      else high = beta;
      beta = high === Infinity ? beta * 2 : (low + high) / 2;
    }
    for (let j = 0; j < rows; j++) {
      joint[i * rows + j]! += row[j]! / (2 * rows);
      joint[j * rows + i]! += row[j]! / (2 * rows);
    }
  }
  return joint;
};

/**
 * `KL(P || Q)` of a layout `[rows, 2]`, where `q_ij` is proportional to `1 / (1 + |y_i - y_j|^2)`, and its gradient into
 * `gradient`: `4 sum_j (p_ij - q_ij)(y_i - y_j) / (1 + |y_i - y_j|^2)`. `exaggeration` multiplies P in the gradient alone.
 */
export const divergence = (
  affinities: Float64Array,
  layout: Float64Array,
  gradient: Float64Array,
  exaggeration = 1,
): number => {
  const rows = layout.length / 2;
  const kernel = new Float64Array(rows * rows);
  let total = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      const dx = layout[2 * i]! - layout[2 * j]!;
      const dy = layout[2 * i + 1]! - layout[2 * j + 1]!;
      const value = 1 / (1 + dx * dx + dy * dy);
      kernel[i * rows + j] = value;
      total += 2 * value;
    }
  }
  gradient.fill(0);
  let loss = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      const value = kernel[i * rows + j]!;
      const p = affinities[i * rows + j]!;
      const q = value / total;
      if (p > 0) loss += 2 * p * Math.log(p / q);
      const force = 4 * (exaggeration * p - q) * value;
      for (let axis = 0; axis < 2; axis++) {
        const pull = force * (layout[2 * i + axis]! - layout[2 * j + axis]!);
        gradient[2 * i + axis]! += pull;
        gradient[2 * j + axis]! -= pull;
      }
    }
  }
  return loss;
};

/** How t-SNE runs. */
export type TsneOptions = {
  /** Neighbours that a point cares for; at most a third of the points. @default 30 */
  readonly perplexity?: number;
  /** @default 500 */
  readonly iterations?: number;
};

const exaggerated = { until: 0.25, by: 12 } as const;

/**
 * Exact t-SNE in two dimensions (van der Maaten & Hinton 2008) of points `[rows, dim]`: `[rows, 2]`. Begins from the first two
 * values of each point (principal components, whose signs are fixed), scaled down, so that nothing is drawn by lot and clusters keep their large-scale
 * places. Gradient descent with momentum 0.5, then 0.8, gains, and affinities exaggerated 12 times in the first quarter.
 * Time and memory grow with the square of `rows`: meant for some hundreds.
 */
export const tsne = (
  points: Float64Array,
  rows: number,
  { perplexity = 30, iterations = 500 }: TsneOptions = {},
): Float64Array => {
  const dim = points.length / rows;
  if (!Number.isInteger(dim) || dim < 2 || rows < 4) {
    throw new RangeError(`Expected at least 4 points of 2 or more values, got ${rows} of ${dim}`);
  }
  const affinities = jointAffinities(points, rows, dim, Math.min(perplexity, (rows - 1) / 3));
  const layout = initialLayout(points, rows, dim);
  const gradient = new Float64Array(2 * rows);
  const step = new Float64Array(2 * rows);
  const gains = new Float64Array(2 * rows).fill(1);
  const rate = Math.max(50, rows / exaggerated.by / 4);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const early = iteration < exaggerated.until * iterations;
    divergence(affinities, layout, gradient, early ? exaggerated.by : 1);
    for (let i = 0; i < layout.length; i++) {
      const turning = gradient[i]! > 0 === step[i]! > 0;
      gains[i] = Math.max(0.01, turning ? gains[i]! * 0.8 : gains[i]! + 0.2);
      step[i] = (early ? 0.5 : 0.8) * step[i]! - rate * gains[i]! * gradient[i]!;
      layout[i]! += step[i]!;
    }
  }
  return layout;
};

const initialLayout = (points: Float64Array, rows: number, dim: number): Float64Array => {
  const layout = new Float64Array(2 * rows);
  let energy = 0;
  for (let i = 0; i < rows; i++) {
    for (let axis = 0; axis < 2; axis++) {
      layout[2 * i + axis] = points[i * dim + axis]!;
      if (axis === 0) energy += points[i * dim]! ** 2 / rows;
    }
  }
  const scale = 1e-4 / (Math.sqrt(energy) || 1);
  return layout.map((value) => value * scale);
};
