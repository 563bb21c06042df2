import { lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson, sha256 } from './canonical-json.js';
import { maxFileBytes, readForeignFile } from './foreign-file.js';
import { makeFolder, moveFolder, sealFolder, writeDurably } from './durable-files.js';
import { killPoint } from './kill-point.js';
import type { Json } from './json.js';
import { parseForeignJson } from './parse-json.js';
import type { StoredArtefact } from './ledger/ledger.js';
import type { RunFolder } from './run-folder.js';
import type { Artefact } from './stage.js';
import { UsageError } from './usage-error.js';

/** What ends a stage: written last, renamed into place. Paths are relative to the run folder. */
export type StageManifest = {
  readonly stage: string;
  readonly version: number;
  readonly key: string;
  /** What `reduce` saw: the digests of the items. While it is the same, the result stands. */
  readonly itemsDigest: string;
  /** What had finished before in the run, if `reduce` looked at it. */
  readonly finishedDigest?: string;
  readonly digest: string;
  readonly data: Json;
  readonly notes: Json;
  readonly artefacts: readonly StoredArtefact[];
  /** Keys of the items, as listed. */
  readonly items: readonly string[];
  readonly seconds: number;
};

const manifestFile = (folder: RunFolder, stage: string, key: string): string =>
  path.join(folder.root, folder.stagePath(stage, key), 'manifest.json');

/** The manifest of a stage, if it ended and its files are there. */
export async function readManifest(
  folder: RunFolder,
  stage: string,
  key: string,
  verify = false,
): Promise<StageManifest | undefined> {
  const manifest = claimedManifest(folder, stage, key);
  return manifest && (await folder.intact(manifest.artefacts, verify)) ? manifest : undefined;
}

/** The manifest of a stage as it is written, without a look at the files it names; `undefined` where there is none to go by. */
export function claimedManifest(folder: RunFolder, stage: string, key: string): StageManifest | undefined {
  const file = manifestFile(folder, stage, key);
  try {
    const there = lstatSync(file);
    if (!there.isFile() || there.size > maxFileBytes || !folder.holds(file)) return undefined;
    return parseManifest(manifestText(folder, stage, key), stage, key);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(String((error as NodeJS.ErrnoException).code))) return undefined;
    throw error;
  }
}

/**
 * The text of a stage's manifest. A pipe in its place would be waited for.
 *
 * @throws UsageError where it is no regular file, or cannot be read
 */
export const manifestText = (folder: RunFolder, stage: string, key: string): string => {
  const file = manifestFile(folder, stage, key);
  if (lstatSync(file).isSymbolicLink()) throw new UsageError(`Expected ${file} to be a file of its own, got a link`);
  return readForeignFile(file).toString('utf8');
};

/**
 * A manifest out of its file, for the stage and key it should be of. One that is torn, of something else, or names files elsewhere stands for
 * nothing (its stage is folded again): `undefined`.
 */
export const parseManifest = (text: string, stage: string, key: string): StageManifest | undefined => {
  try {
    const manifest = parseForeignJson(text, 'manifest.json') as StageManifest;
    const { artefacts, items, digest, itemsDigest, seconds } = manifest;
    const isWhole =
      manifest.stage === stage &&
      manifest.key === key &&
      [digest, itemsDigest].every((hash) => typeof hash === 'string') &&
      typeof seconds === 'number' &&
      items.every((item) => typeof item === 'string') &&
      artefacts.every((file) => isArtefact(file, path.join(stage, key)));
    return isWhole ? manifest : undefined;
  } catch {
    return undefined;
  }
};

const isArtefact = ({ name, path: place, bytes, sha256, volatile }: StoredArtefact, within: string): boolean =>
  [name, place, sha256].every((text) => typeof text === 'string' && text !== '') &&
  Number.isSafeInteger(bytes) &&
  typeof volatile === 'boolean' &&
  path.normalize(place) === place &&
  /^reduced-[0-9a-f]+$/.test(path.relative(within, place).split(path.sep)[0]!);

/** Takes a stage's result back: the manifest goes first, since it is what claims the rest. */
export function removeResult(folder: RunFolder, stage: string, key: string): void {
  const file = manifestFile(folder, stage, key);
  rmSync(file, { recursive: true, force: true });
  killPoint('after removing a manifest');
  rmSync(path.dirname(file), { recursive: true, force: true });
}

/** Links of a stage's result for people: names in the stage's folder, and what they lead to. */
export function linksOf(manifest: StageManifest): Map<string, string> {
  const reduced = manifest.artefacts[0]?.path.split(path.sep)[2];
  const names = new Set(manifest.artefacts.map(({ name }) => name.split('/')[0]!));
  return new Map(
    [...names].filter((name) => !isReserved(name)).map((name) => [name, path.join(manifest.key, reduced!, name)]),
  );
}

/**
 * Where people find a file or folder that a stage left, by its own name: the link in the stage's folder, or its real place where something of
 * the user's own stands there.
 */
export const placeForPeople = (root: string, stage: string, name: string, artefacts: readonly Artefact[]): string => {
  const link = path.join(root, stage, name);
  const one = artefacts.find((file) => file.name.split('/')[0] === name);
  if (!one || lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true) return link;
  return one.path.slice(0, one.path.length - one.name.length + name.length);
};

/**
 * Seals what `reduce` wrote and moves it below the stage's folder under a name made from its content, so that the files of an
 * earlier manifest stay whole until the new manifest is in place.
 */
export function storeReduced(
  folder: RunFolder,
  stage: string,
  key: string,
  outputs: string,
  volatile: readonly string[],
): StoredArtefact[] {
  const files = sealFolder(outputs);
  for (const name of volatile) {
    if (!files.some((file) => file.name === name))
      throw new Error(`Expected the volatile file \`${name}\` to be among the outputs`);
  }
  if (files.length === 0) return [];
  const relative = path.join(folder.stagePath(stage, key), `reduced-${sha256(canonicalJson(files)).slice(0, 16)}`);
  const place = path.join(folder.root, relative);
  moveFolder(outputs, place);
  return files.map((file) => ({
    ...file,
    path: path.join(relative, file.name),
    volatile: volatile.includes(file.name),
  }));
}

/** Puts the manifest in place, which ends the stage; then removes what an earlier manifest of the same stage had left. */
export function writeManifest(folder: RunFolder, manifest: StageManifest): void {
  const file = manifestFile(folder, manifest.stage, manifest.key);
  makeFolder(path.dirname(file));
  for (const place of [file, `${file}.tmp`]) makeWay(place);
  writeDurably(file, `${canonicalJson(manifest)}\n`);
  tidyStage(folder, manifest);
}

/** A folder, pipe or link where a file is to be written holds nothing of ours: a file replaces no folder, and a pipe would be waited for. */
const makeWay = (place: string): void => {
  const there = lstatSync(place, { throwIfNoEntry: false });
  if (there && !there.isFile()) rmSync(place, { recursive: true });
};

/**
 * Removes reduced outputs that the manifest does not name, and links the stage's outputs under plain names (`report/index.html`),
 * for people: `<stage>/<name>` points into `<stage>/<stage key>/`.
 */
export function tidyStage(folder: RunFolder, manifest: StageManifest): void {
  const own = path.join(folder.root, folder.stagePath(manifest.stage, manifest.key));
  const current = manifest.artefacts[0]?.path.split(path.sep)[2];
  for (const name of readdirSync(own)) {
    if (name.endsWith('.tmp') || (name.startsWith('reduced-') && name !== current)) {
      killPoint('before removing an earlier result');
      rmSync(path.join(own, name), { recursive: true });
    }
  }
  killPoint('before links');
  const root = path.join(folder.root, manifest.stage);
  const wanted = linksOf(manifest);
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const { name } = entry;
    // By force: a name that is no UTF-8 leads nowhere, and the link is left alone.
    if (!isReserved(name) && !wanted.has(name) && entry.isSymbolicLink())
      rmSync(path.join(root, name), { force: true });
  }
  for (const [name, target] of wanted) {
    const link = path.join(root, name);
    const there = lstatSync(link, { throwIfNoEntry: false });
    if (there && !there.isSymbolicLink()) continue;
    if (there && readlinkSync(link) === target) continue;
    const temporary = path.join(root, '.tmp', `link-${name}`);
    mkdirSync(path.dirname(temporary), { recursive: true });
    rmSync(temporary, { force: true });
    symlinkSync(target, temporary);
    killPoint('before rename of a link');
    renameSync(temporary, link);
    killPoint('after rename of a link');
  }
}

/** Names that the engine itself uses in a stage's folder. */
const isReserved = (name: string): boolean => /^([0-9a-f]{2}|[0-9a-f]{64}|\..*)$/.test(name);
