// What others may build on: `import { … } from 'video-ssl'`. Everything else in the package may change with any version.
export { minePairs } from './mine-pairs.js';
export type { MinedPair, MinedPairs, MineOptions, MiningProgress } from './mine-pairs.js';
export { TooFewPairs } from '../../pipelines/video-ssl/too-few-pairs.js';
export type { RefusedVideo } from '../../pipelines/video-ssl/too-few-pairs.js';
export { setUp } from './set-up.js';
export type { Runtime, SetUpOptions } from './set-up.js';
export { loadNetwork, untrainedNetwork } from './network.js';
export type { EmbedOptions, Network, NetworkLayer } from './network.js';
export { evaluateFeatures } from './evaluation.js';
export type {
  EvaluateOptions,
  Evaluation,
  FeatureProtocol,
  KnnSettings,
  LabelledSplit,
  Protocol,
} from './evaluation.js';
export { nearest } from './nearest.js';
export type { Neighbour } from './nearest.js';
export type { Picture, Pixels } from './picture.js';
export type { FeatureMatrix } from '../neighbors/feature-matrix.js';
export type { Box } from '../numeric/box.js';
export type { Raster } from '../numeric/raster.js';
export { RunError } from '../pipeline/run-errors.js';
export { UsageError } from '../pipeline/usage-error.js';
export type { PairRecord } from '../shards/pair-record.js';
