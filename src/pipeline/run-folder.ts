import { existsSync, lstatSync, readdirSync, realpathSync, rmSync, type Dirent, type Stats } from 'node:fs';
import path from 'node:path';
import { hashOfFile, makeFolder } from './durable-files.js';
import { killPoint } from './kill-point.js';
import type { Ledger, StoredArtefact } from './ledger/ledger.js';
import { isAsSealed } from './ledger/seal.js';
import { RunError } from './run-errors.js';
import { refuseForeignLog } from './run-log.js';
import type { Artefact } from './stage.js';

/** Where things stand in a run folder. All names follow from keys, none from a path of the input. */
export class RunFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = path.resolve(root);
  }

  /** `<stage>/<first 2 hex>/<item key>`, relative: what one item left. */
  itemPath = (stage: string, key: string): string => path.join(oneName(stage), key.slice(0, 2), oneName(key));

  /** `<stage>/<stage key>`, relative: the stage's manifest and what `reduce` left. */
  stagePath = (stage: string, stageKey: string): string => path.join(oneName(stage), oneName(stageKey));

  /** An empty folder for outputs that are not finished yet. */
  makeTemporary(stage: string, name: string): string {
    const folder = path.join(this.root, stage, '.tmp', name);
    rmSync(folder, { recursive: true, force: true });
    makeFolder(folder);
    return folder;
  }

  /** The folder that an item keeps across interruptions. */
  makeScratch(stage: string, key: string): string {
    const folder = path.join(this.root, stage, '.scratch', key);
    makeFolder(folder);
    return folder;
  }

  /** Removes an item's scratch folder; with `keepFilled`, only if nothing was written there (a checkpoint is worth keeping). */
  removeScratch(stage: string, key: string, keepFilled = false): void {
    const folder = path.join(this.root, stage, '.scratch', key);
    if (keepFilled && readdirSync(folder).length > 0) return;
    killPoint('before removing a scratch folder');
    rmSync(folder, { recursive: true, force: true });
    killPoint('after removing a scratch folder');
  }

  /** Removes the scratch folders of all items of a stage but these. */
  removeScratchExcept(stage: string, kept: ReadonlySet<string>): void {
    const root = path.join(this.root, stage, '.scratch');
    if (!existsSync(root)) return;
    for (const key of readdirSync(root)) if (!kept.has(key)) this.removeScratch(stage, key);
  }

  /** Removes the temporary folder, and the scratch folder once nothing is kept in it. */
  removeTemporary(stage: string): void {
    killPoint('before removing temporary folders');
    rmSync(path.join(this.root, stage, '.tmp'), { recursive: true, force: true });
    const scratch = path.join(this.root, stage, '.scratch');
    if (existsSync(scratch) && readdirSync(scratch).length === 0) rmSync(scratch, { recursive: true });
    killPoint('after removing temporary folders');
  }

  /** Stored artefacts as stages see them. */
  resolve(artefacts: readonly StoredArtefact[]): Artefact[] {
    return artefacts.map(({ name, path: relative, bytes, sha256 }) => ({
      ...{ name, bytes, sha256 },
      path: path.join(this.root, relative),
    }));
  }

  /** Whether a place that is there really lies in this folder: neither it nor a folder on the way is a link that leads out. */
  holds(place: string): boolean {
    return isInside(path.relative(realpathSync.native(this.root), realpathSync.native(place)));
  }

  /**
   * Refuses a stage's folder that is none, or has something else than a folder where a run keeps its own: by a link it would be written to, and
   * cleared out, elsewhere; a file is somebody's.
   *
   * @throws RunError that names the place
   */
  refuseOtherThanFolders(stage: string): void {
    const root = path.join(this.root, stage);
    const there = lstatSync(root, { throwIfNoEntry: false });
    if (!there) return;
    if (!there.isDirectory()) throw noFolder(root, there);
    for (const entry of readdirSync(root, { withFileTypes: true })) {
      const isOwn = /^([0-9a-f]{2}|[0-9a-f]{64}|\.scratch)$/.test(entry.name) && !entry.isDirectory();
      const isHidden = entry.name.startsWith('.') && entry.isSymbolicLink();
      if (isOwn || isHidden) throw noFolder(path.join(root, entry.name), entry);
    }
  }

  /** What is wrong with a stored file (with `verify`, also with its bytes), or `undefined`. */
  async flawOf(file: StoredArtefact, verify = false): Promise<string | undefined> {
    // A ledger may come from anywhere: what it names must lie below this folder.
    if (!isInside(file.path)) return 'is said to lie outside the run folder';
    const place = path.join(this.root, file.path);
    try {
      const there = lstatSync(place, { throwIfNoEntry: false });
      if (!there) return 'is missing';
      if (!there.isFile()) return 'is no file';
      if (!this.holds(place)) return 'lies behind a link that leads out of the run folder';
      if (there.size !== file.bytes) return `has ${there.size} bytes instead of ${file.bytes}`;
      if (!verify) return undefined;
      return (await hashOfFile(place)) === file.sha256 ? undefined : 'holds other bytes than were written';
    } catch (error) {
      return `cannot be read (${(error as Error).message})`;
    }
  }

  /** Whether every file is there at its size (and with its hash, if asked). */
  async intact(artefacts: readonly StoredArtefact[], verify = false): Promise<boolean> {
    for (const file of artefacts) if ((await this.flawOf(file, verify)) !== undefined) return false;
    return true;
  }
}

const noFolder = (place: string, there: Stats | Dirent): RunError => {
  const what = there.isSymbolicLink() ? 'a link' : there.isFile() ? 'a file' : 'a pipe or device';
  const links = there.isSymbolicLink() ? 'Link the run folder as a whole' : 'Move it away';
  return new RunError(
    `Expected ${place} to be a folder, got ${what}: a run keeps its files within its folder. ${links}, or give another with --work DIR`,
  );
};

/** A name out of a ledger that becomes part of a path. */
const oneName = (name: string): string => {
  if (/^[\w-][\w.-]*$/.test(name)) return name;
  throw new RunError(`Expected the ledger to hold names of stages and keys, got ${JSON.stringify(name).slice(0, 100)}`);
};

/** Whether a relative path leads nowhere but down. */
const isInside = (relative: string): boolean =>
  !path.isAbsolute(relative) && !path.normalize(relative).split(path.sep).includes('..');

/** Keys of items whose rows were changed, or whose files are gone or cut short (or, with `verify`, changed). */
export async function brokenItems(
  ledger: Ledger,
  folder: RunFolder,
  stage: string,
  verify: boolean,
): Promise<string[]> {
  const broken: string[] = [];
  for (const item of ledger.items(stage).values()) {
    if (!isAsSealed(item) || !(await folder.intact(item.artefacts, verify))) broken.push(item.key);
  }
  return broken;
}

/**
 * Puts a run folder in order before a run: temporary folders of dead runs go, verdicts whose files are missing are taken back,
 * and folders that no verdict stands for are not trusted and go. Returns what it did, a line each.
 */
export async function recover(
  ledger: Ledger,
  folder: RunFolder,
  stages: readonly string[],
  verify: boolean,
): Promise<string[]> {
  const lines: string[] = [];
  let untrusted = 0;
  refuseForeignLog(folder.root);
  for (const stage of new Set([...ledger.stageNames(), ...stages])) {
    const root = path.join(folder.root, stage);
    if (!existsSync(root)) continue;
    folder.refuseOtherThanFolders(stage);
    removeSpentScratch(ledger, folder, stage);
    folder.removeTemporary(stage);
    const broken = await brokenItems(ledger, folder, stage, verify);
    ledger.forgetItems(broken);
    if (broken.length > 0)
      lines.push(`${stage}: the files of ${broken.length} finished items are missing or changed; these run again`);
    const known = ledger.items(stage);
    for (const prefix of readdirSync(root).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
      for (const key of readdirSync(path.join(root, prefix)).filter((name) => /^[0-9a-f]{64}$/.test(name))) {
        if ((known.get(key)?.artefacts.length ?? 0) > 0) continue;
        killPoint('before removing an untrusted folder');
        rmSync(path.join(root, prefix, key), { recursive: true, force: true });
        untrusted += 1;
        killPoint('after removing an untrusted folder');
      }
    }
  }
  // After a death a folder without its row is nothing new; without any row somebody took the ledger away.
  if (untrusted > 0 && ledger.runs().length === 0) {
    lines.push(
      `no ledger in ${folder.root}: ${untrusted} item folder${untrusted === 1 ? '' : 's'} without a row are not trusted and are removed`,
    );
  }
  return lines;
}

/** Removes what finished items kept for themselves, after a death between verdict and tidying; failed ones go on from theirs. */
const removeSpentScratch = (ledger: Ledger, folder: RunFolder, stage: string): void => {
  const root = path.join(folder.root, stage, '.scratch');
  if (!existsSync(root)) return;
  const known = ledger.items(stage);
  for (const key of readdirSync(root)) {
    const status = known.get(key)?.status;
    if (status !== undefined && status !== 'failed') folder.removeScratch(stage, key);
  }
};
