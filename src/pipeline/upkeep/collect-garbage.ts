import { existsSync, lstatSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { keptRuns, needsOf, type KeptRuns } from './kept-runs.js';
import { killPoint } from '../kill-point.js';
import type { Ledger } from '../ledger/ledger.js';
import { isStageName, walkItems } from '../ledger/ledger-walk.js';
import { formatBytes } from '../rate.js';
import type { RunFolder } from '../run-folder.js';
import { shortened } from '../shortened.js';
import { longestMessage } from '../usage-error.js';
import { claimedManifest, removeResult, tidyStage, type StageManifest } from '../stage-manifest.js';

/** How a folder is cleared out. */
export type GarbageOptions = {
  /** Runs of each pipeline that stay. */
  readonly keep: number;
  /** Only say what would go. */
  readonly plan: boolean;
  readonly signal: AbortSignal;
  say(line: string): void;
};

/** One thing that no kept run needs. */
type Garbage = {
  readonly kind: 'items' | 'results' | 'checkpoints' | 'leftovers';
  readonly bytes: number;
  remove(): void;
};

/**
 * Removes what no kept run refers to: verdicts, items' folders, folded results, checkpoints of what is finished or no longer listed, folders
 * that no verdict stands for. Rows go first, in one transaction, then manifests, then files: whatever the moment it ends at, what is claimed is
 * there. The caller holds the run lock. Returns the bytes.
 */
export async function collectGarbage(ledger: Ledger, folder: RunFolder, options: GarbageOptions): Promise<number> {
  const { keep, plan, signal, say } = options;
  const kept = keptRuns(ledger, keep);
  const named = new Set<string>();
  for (const { pipeline, outcome, started, command } of kept.runs) {
    if (!named.has(`${outcome} ${command}`))
      say(`keeps ${pipeline}, ${outcome}, started ${started}: ${shortened(command, longestMessage)}`);
    named.add(`${outcome} ${command}`);
  }
  const stages = stageFolders(ledger, folder);
  for (const stage of stages) folder.refuseOtherThanFolders(stage);
  const status = new Map<string, string>();
  for (const item of walkItems(ledger)) {
    if (!kept.needed.has(item.key)) continue;
    status.set(item.key, item.artefacts.length > 0 ? item.status : `${item.status} without files`);
  }
  if (!plan) {
    // The leftovers first: on a full disk even removing a row takes room.
    for (const stage of stages) for (const piece of leftovers(folder, stage)) piece.remove();
    removeRows(ledger, kept);
  }
  let total = 0;
  for (const stage of stages) {
    const sums = new Map<Garbage['kind'], { count: number; bytes: number }>();
    for (const piece of garbageIn(folder, stage, kept.needed, status)) {
      await setImmediate(); // A wish to stop gets its turn.
      signal.throwIfAborted();
      const sum = sums.get(piece.kind) ?? { count: 0, bytes: 0 };
      sums.set(piece.kind, { count: sum.count + 1, bytes: sum.bytes + piece.bytes });
      total += piece.bytes;
      if (!plan) {
        piece.remove();
        killPoint('after removing garbage');
      }
    }
    const parts = [...sums].map(([kind, { count, bytes }]) => `${kind} ${count} (${formatBytes(bytes)})`);
    if (parts.length > 0) say(`${stage}: ${parts.join(', ')}`);
    if (!plan) tidyFolder(ledger, folder, stage);
  }
  if (!plan) shrink(ledger);
  return total;
}

/** Takes back verdicts, and forgets runs whose results are no longer there. */
const removeRows = (ledger: Ledger, { needed }: KeptRuns): void => {
  const items: string[] = [];
  for (const { key } of walkItems(ledger)) if (!needed.has(key)) items.push(key);
  const runs = ledger.runs().filter((run) => [...needsOf(ledger, run)].some((key) => !needed.has(key)));
  if (items.length + runs.length === 0) return;
  killPoint('before removing rows');
  ledger.transaction(() => {
    for (const key of items) {
      ledger.execute('DELETE FROM artefacts WHERE item = ?', key);
      ledger.execute('DELETE FROM items WHERE key = ?', key);
    }
    for (const { id } of runs) {
      ledger.execute('DELETE FROM stage_runs WHERE run = ?', id);
      ledger.execute('DELETE FROM runs WHERE id = ?', id);
    }
  });
  killPoint('after removing rows');
};

/** Folders of stages: of those in the ledger, and such as one left whose rows an earlier clearing took away. */
const stageFolders = (ledger: Ledger, folder: RunFolder): string[] => {
  const known = new Set(ledger.stageNames());
  return namesIn(folder.root).filter((name) => {
    const root = path.join(folder.root, name);
    if (!isStageName(name) || !lstatSync(root, { throwIfNoEntry: false })?.isDirectory()) return false;
    if (known.has(name)) return true;
    const entries = namesIn(root);
    return entries.length > 0 && entries.every((entry) => isEngines(root, entry));
  });
};

const isEngines = (root: string, entry: string): boolean =>
  /^([0-9a-f]{2}|[0-9a-f]{64}|\.tmp|\.scratch)$/.test(entry) || isLink(path.join(root, entry));

/** Whether a link stands there; a name that is no UTF-8 is not to be reached by its text, and counts for nothing. */
const isLink = (place: string): boolean => lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === true;

function* garbageIn(
  folder: RunFolder,
  stage: string,
  needed: ReadonlySet<string>,
  status: ReadonlyMap<string, string>,
): Generator<Garbage> {
  yield* leftovers(folder, stage);
  const root = path.join(folder.root, stage);
  for (const key of namesIn(path.join(root, '.scratch'))) {
    const fate = status.get(key);
    // Of an item that is open or failed, and listed by a kept run, the checkpoint is what it goes on from.
    if (needed.has(key) && (fate === undefined || fate.startsWith('failed'))) continue;
    yield piece('checkpoints', path.join(root, '.scratch', key));
  }
  for (const prefix of namesIn(root).filter((name) => /^[0-9a-f]{2}$/.test(name)))
    for (const key of namesIn(path.join(root, prefix)).filter((name) => /^[0-9a-f]{64}$/.test(name)))
      if (status.get(key) !== 'done') yield piece('items', path.join(root, prefix, key));
  for (const key of namesIn(root).filter((name) => /^[0-9a-f]{64}$/.test(name))) {
    const manifest = claimedManifest(folder, stage, key);
    if (needed.has(key) && manifest) yield* unnamedResults(folder, stage, key, manifest);
    else {
      const bytes = bytesBelow(path.join(root, key));
      yield { kind: 'results', bytes, remove: () => removeResult(folder, stage, key) };
    }
  }
}

function* leftovers(folder: RunFolder, stage: string): Generator<Garbage> {
  const place = path.join(folder.root, stage, '.tmp');
  if (existsSync(place)) yield piece('leftovers', place);
}

/** What an earlier manifest of the same result left. */
function* unnamedResults(folder: RunFolder, stage: string, key: string, manifest: StageManifest): Generator<Garbage> {
  const own = path.join(folder.root, stage, key);
  const current = manifest.artefacts[0]?.path.split(path.sep)[2];
  for (const name of namesIn(own))
    if (name.endsWith('.tmp') || (name.startsWith('reduced-') && name !== current))
      yield piece('leftovers', path.join(own, name));
}

const piece = (kind: Garbage['kind'], place: string): Garbage => ({
  ...{ kind, bytes: bytesBelow(place) },
  remove: () => rmSync(place, { recursive: true, force: true }),
});

/** Links of the latest result in their place, others gone, and no empty folder. */
const tidyFolder = (ledger: Ledger, folder: RunFolder, stage: string): void => {
  const root = path.join(folder.root, stage);
  const row = ledger.lastStageRun(stage);
  const manifest = row && claimedManifest(folder, stage, row.stageKey);
  if (manifest) tidyStage(folder, manifest);
  folder.removeTemporary(stage);
  for (const name of namesIn(root)) {
    const place = path.join(root, name);
    if (isLink(place) && !statSync(place, { throwIfNoEntry: false })) rmSync(place);
    else if (/^[0-9a-f]{2}$/.test(name)) removeEmpty(place);
  }
  removeEmpty(root);
};

const removeEmpty = (place: string): void => {
  if (readdirSync(place).length === 0) rmdirSync(place);
};

/** Gives the pages of removed rows back to the disk, where there is room to do so. */
const shrink = (ledger: Ledger): void => {
  try {
    ledger.execute('VACUUM');
    ledger.rows('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // On a full disk the ledger stays as large as it was; what follows uses its free pages.
  }
};

const namesIn = (place: string): string[] => {
  try {
    return readdirSync(place).sort();
  } catch {
    return [];
  }
};

const bytesBelow = (place: string): number => {
  const there = lstatSync(place, { throwIfNoEntry: false });
  if (!there?.isDirectory()) return there?.size ?? 0;
  return readdirSync(place).reduce((sum, name) => sum + bytesBelow(path.join(place, name)), 0);
};
