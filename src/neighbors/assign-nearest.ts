import { checkMatrix, type FeatureMatrix } from './feature-matrix.js';
import type { Clustering } from './k-means.js';
import { givenCentroids } from './k-means-start.js';
import { distancesTo, nearestOf, tilePoints, type Metric } from './point-tiles.js';

/**
 * Number of the nearest centroid of each point (of equals the lowest) and the squared distance to it, under `cosine` `2 - 2 cos`:
 * what `kMeans` does with points that it did not see. Neither needs to be normalised under `cosine`.
 *
 * @param points `[rows, dim]`, finite
 * @param centroids `[clusters, dim]`
 */
export const assignNearest = (
  points: FeatureMatrix,
  centroids: FeatureMatrix,
  { metric = 'euclidean' }: { readonly metric?: Metric } = {},
): Pick<Clustering, 'assignment' | 'distances'> => {
  checkMatrix('centroids', centroids);
  const values = givenCentroids('centroids', centroids, points.dim, metric);
  const tiles = tilePoints(points, centroids.rows, metric);
  try {
    const assignment = new Int32Array(points.rows);
    nearestOf(tiles, values, assignment);
    return { assignment, distances: Float32Array.from(distancesTo(tiles, values, assignment)) };
  } finally {
    tiles.dispose();
  }
};
