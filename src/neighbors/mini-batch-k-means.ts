import type { RandomStream } from '../numeric/random.js';
import { batchLearner, type BatchLearner } from './batch-learner.js';
import { checkMatrix, selectRows, type FeatureMatrix } from './feature-matrix.js';
import { checkClusters, finishClustering, type Clustering } from './k-means.js';
import { chooseStart, type KMeansStart } from './k-means-start.js';
import { pointFrame, type Metric } from './point-tiles.js';

/** How `miniBatchKMeans` clusters. */
export type MiniBatchKMeansOptions = {
  /** From 1 to the number of points. */
  readonly clusters: number;
  /** Points of a batch, drawn independently of each other. @default 1024 */
  readonly batch?: number;
  /** Batches are drawn until this many times the number of points were. @default 10 */
  readonly epochs?: number;
  /**
   * Batches without a new lowest smoothed objective after which it ends (scikit-learn's `max_no_improvement`); Infinity: never.
   * @default 10
   */
  readonly patience?: number;
  /**
   * A centroid that got less than this share of the points of the one that got most is put on a point of the batch
   * (scikit-learn's `reassignment_ratio`): looked at whenever as many points as 10 a cluster were drawn, and as soon as a centroid has none. @default 0.01
   */
  readonly reassign?: number;
  /** @default 'euclidean' */
  readonly metric?: Metric;
  /** Drawn from a sample of three batches, or three points a cluster if that is more. @default 'k-means++' */
  readonly start?: KMeansStart;
  readonly random: RandomStream;
};

/**
 * Clusters points by mini-batch k-means (Sculley 2010): a batch is drawn and assigned, and each centroid moves towards the mean of its
 * points with a rate of its own, `points of it in this batch / points of it so far`, so that it stands at the mean of all points that it
 * ever got. Reassignment and the end by a smoothed objective are scikit-learn's: at most half a batch of centroids is
 * put anew at a time, and each then counts as many points as the least of those left alone. All points are assigned at the end.
 *
 * Memory: a batch, and at the end what `kMeans` takes.
 *
 * @returns as `kMeans`; `iterations` counts batches
 * @throws RangeError for options out of range and for points that are not finite
 */
export const miniBatchKMeans = (points: FeatureMatrix, options: MiniBatchKMeansOptions): Clustering => {
  checkMatrix('points', points);
  const { clusters, epochs = 10, patience = 10, reassign = 0.01, metric = 'euclidean', random } = options;
  const { batch = 1024, start = 'k-means++' } = options;
  checkClusters(points, clusters);
  if (!Number.isInteger(batch) || batch < 1) {
    throw new RangeError(`Expected \`batch\` to be an integer from 1 up, got \`${batch}\``);
  }
  if (!(epochs > 0)) throw new RangeError(`Expected \`epochs\` to be a number above 0, got \`${epochs}\``);
  if (!(reassign >= 0 && reassign < 1)) {
    throw new RangeError(`Expected \`reassign\` to be a number from 0 to below 1, got \`${reassign}\``);
  }
  if (!(patience >= 1)) throw new RangeError(`Expected \`patience\` to be a number from 1 up, got \`${patience}\``);
  const { rows } = points;
  const sample = sampleForStart(points, clusters, batch, start, random);
  const frame = pointFrame(points, metric);
  const learner = batchLearner(points, frame, chooseStart(sample, clusters, start, metric, random), batch, metric);
  const steps = Math.ceil((epochs * rows) / batch);
  const ending = smoothedEnding(Math.min(1, (2 * batch) / (rows + 1)), patience);
  const drawn = new Int32Array(batch);
  let sinceReassigned = 0;
  let made = 0;
  while (made < steps) {
    for (let i = 0; i < batch; i++) drawn[i] = random.integer(rows);
    const objective = learner.learn(drawn);
    made++;
    sinceReassigned += batch;
    if (learner.counts.includes(0) || sinceReassigned >= 10 * clusters) {
      sinceReassigned = 0;
      reassignRare(learner, batch, reassign, random);
    }
    // The first batch was assigned by the start alone.
    if (made > 1 && ending(objective / batch)) break;
  }
  return finishClustering(points, learner.centroids(), metric, made, frame);
};

/** Puts centroids that got few points on points of the last batch, in the counts too. */
const reassignRare = ({ counts, put }: BatchLearner, batch: number, share: number, random: RandomStream): void => {
  const least = share * counts.reduce((most, count) => Math.max(most, count), 0);
  if (counts.every((count) => count >= least)) return;
  const byCount = Array.from(counts.keys()).sort((a, b) => counts[a] - counts[b] || a - b);
  const rare = byCount.filter((c) => counts[c] < least).slice(0, Math.floor(batch / 2));
  const places = random.sample(batch, rare.length);
  // `rare` are the first of all by their counts, so the next one has the least of the others.
  const count = counts[byCount[rare.length]];
  rare.forEach((c, i) => put(c, places[i], count));
};

/** Says after how many batches the exponentially smoothed objective has not been lower for `patience` of them. */
const smoothedEnding = (rate: number, patience: number): ((objective: number) => boolean) => {
  let smoothed: number | undefined;
  let lowest = Infinity;
  let without = 0;
  return (objective) => {
    smoothed = smoothed === undefined ? objective : smoothed * (1 - rate) + objective * rate;
    without = smoothed < lowest ? 0 : without + 1;
    lowest = Math.min(lowest, smoothed);
    return without >= patience;
  };
};

/** Points that a start is drawn from; all of them where the start is given. */
const sampleForStart = (
  points: FeatureMatrix,
  clusters: number,
  batch: number,
  start: KMeansStart,
  random: RandomStream,
): FeatureMatrix => {
  const size = 3 * Math.max(batch, clusters);
  return typeof start !== 'string' || size >= points.rows
    ? points
    : selectRows(points, random.sample(points.rows, size));
};
