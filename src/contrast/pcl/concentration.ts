import { mean, quantile } from '../../numeric/statistics.js';

/** How concentrations are estimated. */
export type ConcentrationOptions = {
  /** What their mean becomes: tau of the method. */
  readonly temperature: number;
  /** alpha, which keeps small clusters from looking dense. @default 10 */
  readonly smoothing?: number;
  /** Quantiles that values below and above are clipped to. @default [0.1, 0.9] */
  readonly clip?: readonly [low: number, high: number];
};

/** Least concentration before rescaling, as a share of the mean: pictures that are all alike would make it 0. */
const least = 0.01;

/**
 * `phi` of one cluster: `mean(|v - c|) / ln(n + alpha)` over its `n` features, low where they are many and near (Li et al. 2021,
 * equation 12).
 *
 * @param squaredDistances of its features to their centroid
 */
export const clusterConcentration = (squaredDistances: readonly number[], smoothing = 10): number =>
  mean(squaredDistances.map(Math.sqrt)) / Math.log(squaredDistances.length + smoothing);

/**
 * The temperature of each prototype: {@link clusterConcentration}, where clusters of fewer than two features take the largest;
 * clipped to the quantiles; rescaled so that the mean is `temperature`. As released; that no value falls below a hundredth of the
 * mean is ours, since the released program divides by 0 where a tenth of the clusters hold copies of one picture.
 *
 * @param squaredDistances of each sample to its centroid
 * @param assignment cluster of each sample
 */
export function concentrations(
  { squaredDistances, assignment }: { readonly squaredDistances: Float32Array; readonly assignment: Int32Array },
  clusters: number,
  { temperature, smoothing = 10, clip: [low, high] = [0.1, 0.9] }: ConcentrationOptions,
): Float32Array {
  const members: number[][] = Array.from({ length: clusters }, () => []);
  assignment.forEach((cluster, i) => members[cluster]!.push(squaredDistances[i]!));
  const estimated = members.map((own) => (own.length > 1 ? clusterConcentration(own, smoothing) : 0));
  const largest = estimated.reduce((most, value) => Math.max(most, value), 0);
  const complete = estimated.map((value, cluster) => (members[cluster]!.length > 1 ? value : largest));
  const [floor, ceiling] = [quantile(complete, low), quantile(complete, high)];
  const clipped = complete.map((value) => Math.min(Math.max(value, floor), ceiling));
  const kept = clipped.map((value) => Math.max(value, least * mean(clipped)));
  const scale = mean(kept);
  // All pictures alike: nothing tells one cluster from another.
  return Float32Array.from(kept, (value) => (scale > 0 ? (temperature * value) / scale : temperature));
}
