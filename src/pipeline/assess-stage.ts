import { canonicalJson, toJson } from './canonical-json.js';
import { itemDigestOf, itemKeyOf, recipeOf, runDigestOf, stageDigestOf, stageKeyOf, type ItemFacts } from './keys.js';
import type { FileHashes } from './file-hashes.js';
import type { Json } from './json.js';
import type { Ledger, StoredArtefact, StoredItem } from './ledger/ledger.js';
import type { RunFolder } from './run-folder.js';
import { printable } from './printable.js';
import { readManifest, type StageManifest } from './stage-manifest.js';
import type { FinishedItem, Item, RunSettings, Stage, StageOutput } from './stage.js';

/** What stages are looked at with, in a plan as in a run. */
export type Surroundings = {
  readonly stages: readonly Stage[];
  /** Checked parameters, by stage. */
  readonly params: ReadonlyMap<string, unknown>;
  readonly settings: RunSettings;
  readonly folder: RunFolder;
  /** Absent in a plan for a folder where nothing ran yet. */
  readonly ledger: Ledger | undefined;
  readonly hashes: FileHashes;
  readonly retry: ReadonlySet<'failed' | 'rejected'>;
  readonly verify: boolean;
  log(line: string): void;
};

/** An item with its key. */
export type KeyedItem = Item & { readonly key: string };

/** How a stage stands before it runs. */
export type StageState = {
  readonly stage: Stage;
  readonly params: unknown;
  readonly recipe: string;
  readonly itemRecipe: string;
  readonly stageKey: string;
  readonly inputs: readonly StageOutput[];
  readonly items: readonly KeyedItem[];
  /** Verdicts that stand. */
  readonly standing: ReadonlyMap<string, StoredItem>;
  readonly pending: readonly KeyedItem[];
  /** Verdicts that are taken back because of `--retry`, or because the stage tries failed items again. */
  readonly retried: readonly string[];
  /** Present if the stage has nothing left to do. */
  readonly manifest: StageManifest | undefined;
};

/** Recipes of a stage: over all its parameters, and over those that all its items share. */
export function recipesOf(
  stages: readonly Stage[],
  params: ReadonlyMap<string, unknown>,
): Map<string, { stage: string; item: string }> {
  const recipes = new Map<string, { stage: string; item: string }>();
  for (const { name, version, inputs, sharedParams } of stages) {
    const own = toJson(params.get(name) ?? {}, name);
    const shared = sharedParams ? toJson(sharedParams(params.get(name)), name) : own;
    const of = (kind: 'stage' | 'item', value: Json): string =>
      recipeOf({
        name,
        version,
        params: value,
        inputs: Object.fromEntries(inputs.map((input) => [input, recipes.get(input)![kind]])),
      });
    recipes.set(name, { stage: of('stage', own), item: of('item', shared) });
  }
  return recipes;
}

/** Of an item that failed since a file it reads changed or vanished meanwhile: says nothing about the item once the file is back. */
export const lostInput: Json = { lostInput: true };

const lostItsInput = ({ notes }: StoredItem): boolean => (notes as { lostInput?: boolean } | null)?.lostInput === true;

/** Lists a stage's items and finds what of them is finished. Its inputs must be finished. */
export async function assessStage(
  stage: Stage,
  finished: ReadonlyMap<string, StageOutput>,
  { stages, params, settings, folder, ledger, hashes, retry, verify, log }: Surroundings,
  absent: ReadonlySet<string> = new Set(),
): Promise<StageState> {
  const { stage: recipe, item: itemRecipe } = recipesOf(stages, params).get(stage.name)!;
  const inputs = stage.inputs.map((name) => finished.get(name)!);
  const own = params.get(stage.name);
  const context = { params: own, settings, input: inputOf(stage, finished), workDir: folder.root, log };
  const listed = stage.items ? await stage.items({ ...context, hashFile: (file) => hashes.hash(file) }) : [];
  const items = distinct(listed, itemRecipe, (line) => log(`${stage.name}: ${line}`));
  const digests = Object.fromEntries(inputs.map((input) => [input.stage, input.digest]));
  const stageKey = stageKeyOf(
    recipe,
    items.map((item) => item.content),
    digests,
  );
  const stored = ledger?.items(stage.name, itemRecipe) ?? new Map<string, StoredItem>();
  const again = (item: StoredItem): boolean =>
    (item.status === 'failed' &&
      (stage.onFailure === 'stop' || stage.retriesFailed === true || retry.has('failed') || lostItsInput(item))) ||
    (item.status === 'rejected' && retry.has('rejected'));
  const standing = new Map<string, StoredItem>();
  const retried: string[] = [];
  for (const { key } of items) {
    const item = absent.has(key) ? undefined : stored.get(key);
    if (item && again(item)) retried.push(key);
    else if (item) standing.set(key, item);
  }
  const pending = items.filter((item) => !standing.has(item.key));
  let manifest = pending.length === 0 ? await readManifest(folder, stage.name, stageKey, verify) : undefined;
  if (manifest && manifest.itemsDigest !== digestOfItems(items, standing)) manifest = undefined;
  if (manifest?.finishedDigest !== undefined && manifest.finishedDigest !== digestOfFinished(finished))
    manifest = undefined;
  return { stage, params: own, recipe, itemRecipe, stageKey, inputs, items, standing, pending, retried, manifest };
}

/** `ctx.input` of a stage. */
export const inputOf =
  (stage: Stage, finished: ReadonlyMap<string, StageOutput>) =>
  (name: string): StageOutput => {
    if (!stage.inputs.includes(name)) {
      throw new Error(
        `Expected \`${name}\` to be among the inputs of ${stage.name} (${stage.inputs.join(', ') || 'none'})`,
      );
    }
    return finished.get(name)!;
  };

/** sha256 over the verdicts of a stage's items. */
export const digestOfItems = (items: readonly KeyedItem[], verdicts: ReadonlyMap<string, ItemFacts>): string =>
  stageDigestOf(
    items.map((item) => itemDigestOf(verdicts.get(item.key)!)),
    null,
    [],
  );

/** sha256 over the stages finished so far. */
export const digestOfFinished = (finished: ReadonlyMap<string, StageOutput>): string =>
  runDigestOf(Object.fromEntries([...finished].map(([name, output]) => [name, output.digest])));

/** Verdicts as later stages see them, in the order of the list. */
export const finishedItems = (
  items: readonly KeyedItem[],
  verdicts: ReadonlyMap<string, StoredItem>,
  folder: RunFolder,
): FinishedItem[] =>
  items.map(({ key, label, content, payload }) => {
    const { status, reason, data, notes, artefacts } = verdicts.get(key)!;
    return {
      key,
      label,
      content,
      payload,
      status,
      ...(reason === undefined ? {} : { reason }),
      data,
      notes,
      artefacts: folder.resolve(artefacts),
    };
  });

/** A finished stage as later stages see it. */
export const outputOf = (
  manifest: StageManifest & { readonly artefacts: readonly StoredArtefact[] },
  items: readonly FinishedItem[],
  folder: RunFolder,
  params: unknown,
): StageOutput => ({
  params: toJson(params ?? {}, manifest.stage),
  ...{ stage: manifest.stage, key: manifest.key, digest: manifest.digest, data: manifest.data, notes: manifest.notes },
  items,
  artefacts: folder.resolve(manifest.artefacts),
  seconds: manifest.seconds,
});

/** Items of equal content are one item: the first stands for all. */
const distinct = (items: readonly Item[], recipe: string, log: (line: string) => void): KeyedItem[] => {
  const first = new Map<string, KeyedItem>();
  for (const item of items) {
    if (!/^[0-9a-f]{64}$/.test(item.content)) {
      throw new Error(
        `Expected \`content\` of item \`${printable(item.label)}\` to be a sha256 in hex, got ${canonicalJson(item.content)}`,
      );
    }
    const twin = first.get(item.content);
    if (twin) log(`${printable(item.label)} has the same content as ${printable(twin.label)}, and is left out`);
    else first.set(item.content, { ...item, key: itemKeyOf(recipe, item.content) });
  }
  return [...first.values()];
};
