import { mean, std } from '../../src/numeric/statistics.js';
import type { PairedTest, Result } from '../../src/pipeline/result.js';

/** A result of `method` with one value a seed. */
export const makeResult = (method: string, values: readonly number[], change: Partial<Result> = {}): Result => ({
  task: 'classification',
  dataset: 'objects',
  protocol: 'knn/conv5',
  metric: 'top1',
  higherIsBetter: true,
  method,
  seeds: values.map((_, k) => k + 1),
  values,
  mean: mean(values),
  std: std(values),
  weights: values.map((_, k) => `${k}`.repeat(64)),
  data: 'd'.repeat(64),
  params: {},
  command: 'npm run pipeline video-ssl',
  seconds: 1.5,
  ...change,
});

/** A paired test against `control`: the difference, 5 either way, and p after Holm's correction. */
export const testOf = (control: string, difference: number, adjustedP: number): PairedTest => ({
  control,
  difference,
  interval: [difference - 5, difference + 5],
  p: adjustedP / 2,
  adjustedP,
});

/** What makes a result one of surface normals, where less is better. */
export const normalsMean = {
  task: 'normals',
  dataset: 'scenes',
  protocol: 'ridge/conv5',
  metric: 'mean',
  higherIsBetter: false,
} as const;

/** Two data sets and three seeds: `triplet` above `random` everywhere, above `shuffled` on one; a floor without seeds. */
export const knownResults = (): Result[] => [
  makeResult('random', [20, 21, 22]),
  makeResult('shuffled', [30, 40, 50]),
  makeResult('triplet', [40, 41, 42]),
  makeResult('random', [50, 51, 52], { protocol: 'linear/conv5' }),
  makeResult('shuffled', [70, 71, 72], { protocol: 'linear/conv5' }),
  makeResult('triplet', [60, 61, 62], { protocol: 'linear/conv5' }),
  makeResult('no-image', [38], { ...normalsMean, weights: ['no-image'] }),
  makeResult('random', [40, 41, 42], normalsMean),
  makeResult('shuffled', [35, 36, 37], normalsMean),
  makeResult('triplet', [30, 31, 32], normalsMean),
];
