import { RandomStream } from '../../../src/numeric/random.js';
import type { FeatureMatrix } from '../../../src/neighbors/feature-matrix.js';
import type { LabelledFeatures } from '../../../src/transfer/knn/weighted-knn.js';

/** Overlapping clouds of rectified values, rows class by class. */
export const drawClouds = (
  classes: number,
  dim: number,
  train: number,
  test: number,
  seed: number,
): LabelledFeatures => {
  const random = RandomStream.of(seed, 'svm test clouds');
  const centres = Array.from({ length: classes }, () => Array.from({ length: dim }, () => random.normal()));
  const part = (perClass: number): { labels: Int32Array; features: FeatureMatrix } => {
    const labels = Int32Array.from({ length: classes * perClass }, (_, i) => Math.floor(i / perClass));
    const rows = Array.from(labels, (label) => centres[label]!.map((v) => Math.max(0, 1 + 0.6 * v + random.normal())));
    return { labels, features: { rows: labels.length, dim, data: Float32Array.from(rows.flat()) } };
  };
  const [known, asked] = [part(train), part(test)];
  return {
    train: known.features,
    trainLabels: known.labels,
    test: asked.features,
    testLabels: asked.labels,
    classes,
  };
};
