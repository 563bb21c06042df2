import { transferParams } from '../../pipelines/benchmark/params.js';
import { measureClasses, type ClassTrial } from '../../pipelines/benchmark/transfer/classification.js';
import { loadClassDataset, openClassDataset } from '../images/class-dataset.js';
import type { Trunk } from '../network/trunk.js';
import { checkInteger, checkPathGiven } from './check-arguments.js';
import { usualNeighbours, type EvaluateOptions, type Evaluation } from './evaluation.js';
import { given } from './given.js';
import { withIntervals } from './with-intervals.js';

/** Tries an opened network on a folder of classes, as `transfer` of a run does. */
export const evaluateTrunk = async (
  trunk: Trunk,
  features: Extract<ClassTrial['features'], 'network' | 'encoder'>,
  folder: string,
  options: EvaluateOptions,
): Promise<readonly Evaluation[]> => {
  const { protocols = ['knn', 'linear'], layers, pool, k, sigma, seed = 1, px = 96, signal, ...split } = options;
  checkPathGiven('folder', folder);
  checkInteger('px', px, 1, 4096);
  checkInteger('seed', seed, 0);
  const asked = parsed({ probes: protocols, layers, pooled: pool, knnK: k, knnSigma: sigma });
  const { testShare, trainPerClass, testPerClass } = split;
  const dataset = await openClassDataset(folder, given({ testShare, trainPerClass, testPerClass }));
  const available = dataset.train.length;
  if (k !== undefined && protocols.includes('knn')) checkInteger('k', k, 1, available);
  const params = { ...asked, knnK: k ?? Math.min(usualNeighbours, available) };
  signal?.throwIfAborted();
  const target = await loadClassDataset(dataset, px);
  const { measured } = await measureClasses({
    ...{ trunk, target, features, params, seed },
    signal: signal ?? new AbortController().signal,
    timed: async (_, work) => await work(),
  });
  return withIntervals(
    measured.map(({ protocol, metric, value, scores }) => ({ protocol, metric: metric.name, value, scores: scores! })),
  );
};

/** Parameters of the stage `transfer` that are called otherwise here. */
const namesHere: Readonly<Record<PropertyKey, string>> = {
  ...{ probes: 'protocols', pooled: 'pool', knnK: 'k', knnSigma: 'sigma' },
};

const parsed = (options: { readonly [key: string]: unknown }): ClassTrial['params'] => {
  const { success, data, error } = transferParams.safeParse(given(options));
  if (success) return data;
  const [issue] = error.issues;
  const [first = '', ...rest] = issue!.path;
  const place = [namesHere[first] ?? first, ...rest].map(String).join('.');
  throw new RangeError(`Expected options of a protocol, got a wrong \`${place}\`: ${issue!.message}`);
};
