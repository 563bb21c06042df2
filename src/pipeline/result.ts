import type { Json } from './json.js';

/**
 * A result against the control (or other row) `control` of its column, on the same test images. How it is computed: `src/transfer/statistics/`.
 */
export type PairedTest = {
  readonly control: string;
  /** Mean minus the control's mean, in the metric's good direction: above 0 is better than the control, whatever the metric. */
  readonly difference: number;
  /** 95 % interval of the difference, lower end first, in the same direction. */
  readonly interval: readonly [number, number];
  /** Two-sided, for this comparison alone. */
  readonly p: number;
  /** `p` after Holm's correction over all comparisons of the column with controls, or with patches: below 0.05 it is called a difference. */
  readonly adjustedP: number;
};

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
  /** 95 % interval of the mean over test images and seeds, lower end first; absent where it is not known. With one seed: over images alone. */
  readonly interval?: readonly [number, number];
  /** Against every control of the column, for a row on tracks also against its method on single patches; absent for controls, and where the test is not possible (one seed, too few images). */
  readonly paired?: readonly PairedTest[];
  /** Whether the row differs for the better from every other row of its column that has more than one seed; absent where that is not known. */
  readonly best?: boolean;
  /** Test images behind the interval and, where not each is drawn alone, the groups of them (scenes, videos). */
  readonly images?: number;
  readonly groups?: number;
  /** sha256 of the weights, one a seed. */
  readonly weights: readonly string[];
  /** sha256 of the target data. */
  readonly data: string;
  readonly params: Json;
  readonly command: string;
  readonly seconds: number;
};
