import type { PairCache } from '../../src/images/pair-cache.js';
import type { Pictures } from '../../src/images/picture-file.js';
import type { ViewSpec } from '../../src/images/augmentation.js';
import type { ImageTarget } from '../../src/images/render-views.js';
import type { Json } from '../../src/pipeline/json.js';
import type { Method, Source } from '../../src/training/method.js';
import type { PretrainParams } from '../benchmark/params.js';

/** What a row learns from: mined pairs of patches, or single pictures. */
export type TrainingSet =
  { readonly kind: 'pairs'; readonly cache: PairCache } | { readonly kind: 'images'; readonly cache: Pictures };

/** A method with the samples it learns from. */
export type Assembled = {
  readonly method: Method<ViewSpec>;
  readonly source: Source<ViewSpec>;
  readonly batchSize: number;
};

/** What a row is put together from. */
export type RowContext = {
  readonly params: PretrainParams;
  readonly set: TrainingSet;
  readonly target: ImageTarget;
  readonly seed: number;
};

/** A row of the tables: how it is named, what it is, how it is put together. */
export type Row = {
  /** In small letters: `triplet`, `simclr`, `simclr-tracks`. */
  readonly name: string;
  /** For the report: a method, or a control that methods are measured against. */
  readonly role: 'method' | 'control';
  readonly summary: string;
  readonly learnsFrom: TrainingSet['kind'];
  /** The image-based method behind it, by name; absent for ranking and its controls. */
  readonly imageMethod?: string;
  /** Its own parameters: counted in its items' identity only. */
  readonly own: (params: PretrainParams) => Json;
  /** Another trunk than `pretrain.architecture` says. */
  readonly architecture?: PretrainParams['architecture'];
  /** Absent for a network that is not trained. */
  readonly training?: {
    /** Samples a step, so that all rows draw about as many images. */
    readonly batchSize: (params: PretrainParams, inputSize: number) => number;
    /** Samples there are, of so many pairs or pictures. */
    readonly samples: (count: number) => number;
    /** @throws RangeError or ZodError where the row's own parameters cannot be: asked before anything is trained */
    readonly check?: (params: PretrainParams, inputSize: number, samples: number) => void;
    readonly assemble: (context: RowContext) => Assembled;
  };
};

/** The pairs of a set that must be one of pairs. */
export const pairsOf = (set: TrainingSet): PairCache => {
  if (set.kind !== 'pairs') throw new Error(`Expected a training set of pairs, got one of ${set.kind}`);
  return set.cache;
};
