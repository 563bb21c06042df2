import type { Json } from '../src/pipeline/json.js';
import type { PairChoice } from './recipe-pairs.js';

/** A way to train: what differs from the parameters' defaults, under the names of `--set pretrain.…`. */
export type Recipe = {
  readonly name: string;
  /** The row of the table that is trained, `triplet` where another is not named. */
  readonly row?: string;
  /** Which packed pairs are learned from, by name. */
  readonly pairs: string;
  /** Which of them. @default all */
  readonly choose?: PairChoice;
  readonly pretrain: { readonly [key: string]: Json };
  /** On what it is read. @default all readings that are asked for */
  readonly readings?: readonly string[];
  /** @default those of the list */
  readonly seeds?: readonly number[];
};

/** One training with one seed. */
export type RecipeRun = { readonly recipe: Recipe; readonly seed: number };

/** What training came to; the weights lie beside it. */
export type TrainedRecipe = {
  readonly name: string;
  readonly row: string;
  readonly seed: number;
  readonly pairs: string;
  readonly choose?: PairChoice;
  readonly pretrain: Recipe['pretrain'];
  readonly steps: number;
  readonly samples: number;
  readonly weights: string;
  readonly seconds: number;
  readonly finalLoss: number;
};

/** Name of a run's folder. */
export const runName = ({ recipe, seed }: RecipeRun): string =>
  `${recipe.name}-${recipe.row ?? 'triplet'}-${seed}`.replaceAll(/[^A-Za-z0-9.-]+/g, '_');
