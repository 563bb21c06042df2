import { canonicalJson, sha256 } from './canonical-json.js';
import type { Json } from './json.js';

/** What a stage is, apart from what it works on. */
export type Recipe = {
  readonly name: string;
  readonly version: number;
  readonly params: Json;
  /** Recipes of the inputs, by stage name. */
  readonly inputs: Readonly<Record<string, string>>;
};

/** What a finished or rejected item came to, as far as it must not depend on when or how often a run was interrupted. */
export type ItemFacts = {
  readonly content: string;
  readonly status: 'done' | 'rejected' | 'failed';
  readonly reason?: string | undefined;
  readonly data: Json;
  readonly artefacts: readonly { readonly name: string; readonly sha256: string; readonly volatile: boolean }[];
};

const hashOf = (value: unknown): string => sha256(canonicalJson(value));

/** `recipe = sha256(name, version, declared parameters, recipes of the inputs)`. */
export const recipeOf = (recipe: Recipe): string =>
  hashOf([recipe.name, recipe.version, recipe.params, Object.entries(recipe.inputs).sort(byFirst)]);

/** `item key = sha256(recipe, content hash of the item)`. */
export const itemKeyOf = (recipe: string, content: string): string => hashOf([recipe, content]);

/**
 * `stage key = sha256(recipe, sorted digests of the input items)`: what the stage's own items are, and the digests of the stages
 * it reads. The order of either does not matter.
 */
export const stageKeyOf = (
  recipe: string,
  contents: readonly string[],
  inputDigests: Readonly<Record<string, string>>,
): string => hashOf([recipe, [...contents].sort(), Object.entries(inputDigests).sort(byFirst)]);

/** sha256 over an item's facts. The reason of a failure is left out: it may hold a path or a time. */
export const itemDigestOf = (item: ItemFacts): string =>
  hashOf([
    item.content,
    item.status,
    item.status === 'rejected' ? (item.reason ?? '') : '',
    item.data,
    stableFiles(item.artefacts),
  ]);

/** sha256 over a stage: its items in any order, its own data and artefacts. */
export const stageDigestOf = (itemDigests: readonly string[], data: Json, artefacts: ItemFacts['artefacts']): string =>
  hashOf([[...itemDigests].sort(), data, stableFiles(artefacts)]);

/** sha256 over the stages of a run, by name. */
export const runDigestOf = (stages: Readonly<Record<string, string>>): string =>
  hashOf(Object.entries(stages).sort(byFirst));

const byFirst = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

const stableFiles = (artefacts: ItemFacts['artefacts']): [string, string][] =>
  artefacts
    .filter((file) => !file.volatile)
    .map((file): [string, string] => [file.name, file.sha256])
    .sort(byFirst);
