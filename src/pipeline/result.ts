import type { Json } from './json.js';

/** One evaluation and metric, over seeds. Written by transfer stages, read by the report, and by nobody else's code: plain JSON. */
export type Result = {
  /** `classification`, `normals`, `detection`. */
  readonly task: string;
  readonly dataset: string;
  /** `knn`, `linear`, `ridge`, with the layer: `knn/conv5`. */
  readonly protocol: string;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  /** Small letters: `random`, `triplet`, `npid`, `shuffled`, `self`, … */
  readonly method: string;
  readonly seeds: readonly number[];
  /** One value a seed, in the order of `seeds`, full precision. */
  readonly values: readonly number[];
  readonly mean: number;
  /** Sample standard deviation over seeds. */
  readonly std: number;
  /** sha256 of the weights, one a seed. */
  readonly weights: readonly string[];
  /** sha256 of the target data. */
  readonly data: string;
  readonly params: Json;
  readonly command: string;
  readonly seconds: number;
};
