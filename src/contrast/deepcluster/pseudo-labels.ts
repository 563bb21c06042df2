import type { FeatureMatrix } from '../../neighbors/feature-matrix.js';
import { kMeans } from '../../neighbors/k-means.js';
import { fitWhitening } from '../../neighbors/whitening.js';
import type { RandomStream } from '../../numeric/random.js';

/** @see pseudoLabels */
export type PseudoLabelOptions = {
  /** Clusters, at most as many as rows. */
  readonly clusters: number;
  /** Principal components kept, at most as many as a row has values. */
  readonly components: number;
  /** Rounds of k-means. */
  readonly iterations: number;
  readonly random: RandomStream;
};

/**
 * The cluster of each row of features (Caron et al. 2018, 3.2 and 4.1): principal components, whitened; rows divided by their lengths; k-means
 * from a start that `random` draws. An empty cluster takes half of a large one, so that every label occurs.
 */
export function pseudoLabels(
  features: FeatureMatrix,
  { clusters, components, iterations, random }: PseudoLabelOptions,
): Int32Array {
  const whitened = fitWhitening(features, { dims: components }).transform(features);
  return kMeans(unitRows(whitened), { clusters, iterations, start: 'random', empty: 'split', random }).assignment;
}

/** Rows divided by their lengths; one of zeros stays as it is. */
const unitRows = ({ rows, dim, data }: FeatureMatrix): FeatureMatrix => {
  const unit = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    let squares = 0;
    for (let j = i * dim; j < (i + 1) * dim; j++) squares += data[j]! * data[j]!;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let j = i * dim; j < (i + 1) * dim; j++) unit[j] = data[j]! * scale;
  }
  return { rows, dim, data: unit };
};

/**
 * Sampling weights that make every cluster as likely as any other: 1 / size of the sample's own (Caron et al. 2018, 3.3). Without
 * them a network may answer with the largest clusters alone.
 */
export const uniformOverClusters = (assignment: Int32Array, clusters: number): Float64Array => {
  const sizes = clusterSizes(assignment, clusters);
  return Float64Array.from(assignment, (cluster) => 1 / sizes[cluster]!);
};

/** Samples of each cluster. */
export const clusterSizes = (assignment: Int32Array, clusters: number): Int32Array => {
  const sizes = new Int32Array(clusters);
  for (const cluster of assignment) sizes[cluster]!++;
  return sizes;
};
