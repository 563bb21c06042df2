import { foldResults } from '../transfer/results.js';
import type { ImageScores } from '../transfer/statistics/image-scores.js';
import type { Evaluation } from './evaluation.js';

/** A measured value with what it is made of, picture by picture. */
export type MeasuredScores = {
  readonly protocol: string;
  readonly metric: string;
  readonly value: number;
  readonly scores: ImageScores;
};

/** Gives values the intervals that a report gives a row of one seed. */
export const withIntervals = (measured: readonly MeasuredScores[]): readonly Evaluation[] =>
  foldResults(
    measured.map((one) => ({
      ...{ ...one, task: 'classification', dataset: '', method: 'network', seed: 1, higherIsBetter: true },
      ...{ weights: '', data: '', params: null, command: '', seconds: 0 },
    })),
  ).map(({ protocol, metric, mean, interval, images }) => ({
    ...{ protocol, metric, value: mean, pictures: images! },
    ...(interval === undefined ? {} : { interval }),
  }));
