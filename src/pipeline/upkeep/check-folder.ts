import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { itemDigestOf, itemKeyOf, stageDigestOf, type ItemFacts } from '../keys.js';
import type { Json } from '../json.js';
import type { Ledger, StoredRun, StoredStageRun } from '../ledger/ledger.js';
import { flawOfRow, isStageName, itemsWithKeys, walkItems, type RawItem } from '../ledger/ledger-walk.js';
import { printable } from '../printable.js';
import type { RunFolder } from '../run-folder.js';
import { claimedManifest, linksOf, manifestText, type StageManifest } from '../stage-manifest.js';

/** One thing that is not as a run left it, and what it takes to withdraw the claim. */
export type Flaw = {
  /** For people: the file or row, and what is wrong with it. */
  readonly text: string;
  readonly claim:
    | { readonly kind: 'item'; readonly stage: string; readonly key: string }
    | { readonly kind: 'result'; readonly stage: string; readonly key: string }
    | { readonly kind: 'link'; readonly stage: string }
    | { readonly kind: 'ledger' };
};

/** How a folder is looked at. */
export type CheckOptions = {
  /** Read every byte; otherwise presence and sizes alone. */
  readonly hash: boolean;
  readonly signal?: AbortSignal;
  /** Hears of every verdict and folded result that was looked at, with the bytes of its files. */
  looked?(bytes: number): void;
  /** Whether a file in an item's folder that its row does not name speaks against the row: after a ledger was saved from ruins. */
  readonly strict?: boolean;
};

/**
 * Looks for everything in a run folder that is not as its runs left it: the ledger's own structure, rows, files of items, folded results
 * with their manifests and digests, what the latest run of a stage claims, links for people. In the order of keys, one at a time.
 */
export async function* checkFolder(ledger: Ledger, folder: RunFolder, options: CheckOptions): AsyncGenerator<Flaw> {
  yield* checkStructure(ledger);
  // Before items: a verdict that is found wrong and taken back is not also missed.
  yield* checkClaims(ledger, folder);
  for (const item of walkItems(ledger)) {
    options.signal?.throwIfAborted();
    const flaw = flawOfRow(item) ?? (await flawOfFiles(folder, item, options));
    options.looked?.(bytesOf(item.artefacts));
    if (flaw !== undefined)
      yield {
        text: `${item.stage} ${printable(item.label)}: ${flaw}`,
        claim: { kind: 'item', stage: item.stage, key: item.key },
      };
  }
  for (const stage of stagesOf(ledger)) yield* checkResults(ledger, folder, stage, options);
  for (const stage of stagesOf(ledger)) yield* checkLinks(ledger, folder, stage);
}

/** How much there is to look at: verdicts and folded results, and the bytes of items' files. */
export function extentOf(ledger: Ledger): { readonly parts: number; readonly bytes: number } {
  const one = (sql: string): number => Number(Object.values(ledger.rows(sql)[0]!)[0]);
  return {
    parts: one('SELECT count(*) FROM items') + one('SELECT count(DISTINCT stage_key) FROM stage_runs'),
    bytes: one('SELECT total(bytes) FROM artefacts'),
  };
}

/** Names of stages that ever ran here and may be folders. */
export const stagesOf = (ledger: Ledger): string[] => ledger.stageNames().filter(isStageName).sort();

function* checkStructure(ledger: Ledger): Generator<Flaw> {
  for (const row of ledger.rows('PRAGMA integrity_check(20)')) {
    const verdict = String(Object.values(row)[0]);
    if (verdict !== 'ok') yield { text: `ledger.sqlite: ${printable(verdict)}`, claim: { kind: 'ledger' } };
  }
  const lost = ledger.rows('PRAGMA foreign_key_check').length;
  if (lost > 0)
    yield { text: `ledger.sqlite: ${lost} rows belong to rows that are not there`, claim: { kind: 'ledger' } };
}

const flawOfFiles = async (
  folder: RunFolder,
  item: RawItem,
  { hash, strict }: CheckOptions,
): Promise<string | undefined> => {
  for (const file of item.artefacts) {
    const flaw = await folder.flawOf(file, hash);
    if (flaw !== undefined) return `${file.path} ${flaw}`;
  }
  if (!strict) return undefined;
  const own = path.join(folder.root, folder.itemPath(item.stage, item.key));
  const unnamed = filesBelow(own).find((name) => !item.artefacts.some((file) => file.name === name));
  return unnamed && `${unnamed} lies in its folder, and its row does not name it`;
};

async function* checkResults(
  ledger: Ledger,
  folder: RunFolder,
  stage: string,
  options: CheckOptions,
): AsyncGenerator<Flaw> {
  for (const key of namesIn(path.join(folder.root, stage)).filter((name) => /^[0-9a-f]{64}$/.test(name))) {
    options.signal?.throwIfAborted();
    const file = path.join(folder.root, folder.stagePath(stage, key), 'manifest.json');
    if (!existsSync(file)) continue;
    const text = `${stage}: ${path.join(folder.stagePath(stage, key), 'manifest.json')}`;
    const claim = { kind: 'result', stage, key } as const;
    let manifest: StageManifest;
    let flaw: string | undefined;
    try {
      manifest = JSON.parse(manifestText(folder, stage, key)) as StageManifest;
      flaw = flawOfManifest(ledger, manifest, stage, key);
    } catch (error) {
      yield { text: `${text} cannot be read (${printable((error as Error).message)})`, claim };
      continue;
    }
    if (flaw !== undefined) {
      yield { text: `${text} ${flaw}`, claim };
      continue;
    }
    for (const artefact of manifest.artefacts) {
      flaw ??= await folder.flawOf(artefact, options.hash);
      if (flaw !== undefined) {
        yield { text: `${stage}: ${printable(artefact.path)} ${flaw}`, claim };
        break;
      }
    }
    options.looked?.(bytesOf(manifest.artefacts));
  }
}

/** A manifest says what it was made from: where the verdicts still are what they were, its digests must follow from them. */
const flawOfManifest = (ledger: Ledger, manifest: StageManifest, stage: string, key: string): string | undefined => {
  const { artefacts, items, itemsDigest, digest, data } = manifest;
  if (manifest.stage !== stage || manifest.key !== key) return 'belongs to another stage';
  if (!Array.isArray(artefacts) || !Array.isArray(items)) return 'lacks what a manifest holds';
  const own = path.join(stage, key) + path.sep;
  const astray = artefacts.find((file) => !path.normalize(file.path).startsWith(own));
  if (astray) return `names a file that is not in its place (${printable(astray.path)})`;
  const digests: string[] = [];
  let sealed = 0;
  for (const item of itemsWithKeys(ledger, items)) {
    if (flawOfRow(item) !== undefined) return undefined;
    digests.push(itemDigestOf(factsOf(item)));
    if (item.seal != null) sealed += 1;
  }
  if (stageDigestOf(digests, null, []) !== itemsDigest) {
    // An item that was worked on again since has its seal. Without any, all are from before there were seals, and nothing else tells a change.
    const isOld = digests.length === items.length && sealed === 0 && items.length > 0;
    return isOld ? 'was made from other verdicts than the ledger holds' : undefined;
  }
  return stageDigestOf(digests, data, artefacts) === digest
    ? undefined
    : 'has a digest that does not follow from what it holds';
};

const factsOf = ({ content, status, reason, data, artefacts }: RawItem): ItemFacts => ({
  ...{ content, status: status as ItemFacts['status'], data: JSON.parse(data) as Json, artefacts },
  reason: reason ?? undefined,
});

/**
 * What finished stages claim: a manifest each; and for the latest run, and the newest that was done, also its digest, and a verdict for every
 * item. Of the latter also what was taken back since, where a repair did not come to its end.
 */
function* checkClaims(ledger: Ledger, folder: RunFolder): Generator<Flaw> {
  const { latest, whole } = runsThatCount(ledger);
  const seen = new Set<string>();
  for (const run of ledger.runs())
    for (const row of ledger.stageRuns(run.id)) {
      const counts = run.id === latest?.id || run.id === whole?.id;
      const claims = isResult(row.outcome) || (row.outcome === 'gone' && run.id === whole?.id);
      if (!claims || seen.has(row.stageKey) || !isStageName(row.stage)) continue;
      seen.add(row.stageKey);
      for (const text of flawsOfClaim(ledger, folder, row, counts))
        yield { text: `${row.stage}: ${text}`, claim: { kind: 'result', stage: row.stage, key: row.stageKey } };
    }
}

function* flawsOfClaim(ledger: Ledger, folder: RunFolder, row: StoredStageRun, counts: boolean): Generator<string> {
  const file = path.join(folder.root, folder.stagePath(row.stage, row.stageKey), 'manifest.json');
  if (!existsSync(file)) yield `${path.relative(folder.root, file)} is missing`;
  if (!counts) return;
  const manifest = claimedManifest(folder, row.stage, row.stageKey);
  if (manifest && manifest.digest !== row.digest) yield 'its manifest has another digest than the ledger';
  const keys = new Set(row.contents.map((content) => itemKeyOf(row.itemRecipe, content)));
  let missing = keys.size;
  for (const _ of itemsWithKeys(ledger, [...keys])) missing -= 1;
  if (missing > 0) yield `the verdicts of ${missing} items are missing`;
}

/** The latest run, and the newest that was done. */
export const runsThatCount = (
  ledger: Ledger,
): { readonly latest: StoredRun | undefined; readonly whole: StoredRun | undefined } => {
  const runs = ledger.runs();
  return { latest: runs[0], whole: runs.find(({ outcome }) => outcome === 'done') };
};

const isResult = (outcome: string): boolean => outcome === 'done' || outcome === 'reused';

function* checkLinks(ledger: Ledger, folder: RunFolder, stage: string): Generator<Flaw> {
  const row = ledger.lastStageRun(stage);
  if (!row || !isResult(row.outcome)) return;
  const manifest = claimedManifest(folder, stage, row.stageKey);
  if (!manifest) return;
  for (const [name, target] of linksOf(manifest)) {
    const link = path.join(folder.root, stage, name);
    const there = lstatSync(link, { throwIfNoEntry: false });
    // A copy that followed links has files in their place: those are people's.
    if (there && (!there.isSymbolicLink() || readlinkSync(link) === target)) continue;
    const how = there ? 'leads elsewhere than to the latest result' : 'is missing';
    yield { text: `${path.join(stage, name)} (a link for people) ${how}`, claim: { kind: 'link', stage } };
  }
}

/** What lies in a run folder and belongs to no run: told, and left alone. */
export function* strays(ledger: Ledger, folder: RunFolder): Generator<string> {
  const stages = new Set(stagesOf(ledger));
  const own = /^(ledger\.sqlite(-wal|-shm|-journal)?|run\.log)$/;
  for (const name of namesIn(folder.root)) if (!own.test(name) && !stages.has(name)) yield name;
  for (const stage of stages) {
    const root = path.join(folder.root, stage);
    for (const name of namesIn(root)) {
      const place = path.join(stage, name);
      if (/^[0-9a-f]{2}$/.test(name)) yield* strayItems(ledger, folder, place);
      else if (/^[0-9a-f]{64}$/.test(name)) yield* strayResults(folder, stage, name);
      else if (name === '.tmp' || name === '.scratch') yield `${place} (left by a run that was interrupted)`;
      else if (lstatSync(path.join(root, name), { throwIfNoEntry: false })?.isSymbolicLink() !== true) yield place;
    }
  }
}

function* strayItems(ledger: Ledger, folder: RunFolder, prefix: string): Generator<string> {
  const keys = namesIn(path.join(folder.root, prefix));
  const known = new Map([...itemsWithKeys(ledger, keys)].map((item) => [item.key, item]));
  for (const key of keys) {
    const place = path.join(prefix, key);
    const named = new Set((known.get(key)?.artefacts ?? []).map(({ name }) => name));
    if (named.size === 0) yield `${place} (no verdict stands for it)`;
    else
      for (const name of filesBelow(path.join(folder.root, place))) if (!named.has(name)) yield path.join(place, name);
  }
}

function* strayResults(folder: RunFolder, stage: string, key: string): Generator<string> {
  const place = path.join(stage, key);
  const root = path.join(folder.root, place);
  const manifest = claimedManifest(folder, stage, key);
  if (!manifest) return void (yield `${place} (no manifest stands for it)`);
  const named = new Set(['manifest.json', ...manifest.artefacts.map((file) => path.relative(place, file.path))]);
  for (const name of filesBelow(root)) if (!named.has(name)) yield path.join(place, name);
}

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
};

const filesBelow = (folder: string): string[] => {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
};

const bytesOf = (files: readonly { readonly bytes: number }[]): number =>
  files.reduce((sum, file) => sum + file.bytes, 0);
