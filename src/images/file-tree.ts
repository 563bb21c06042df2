import { readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import AdmZip from 'adm-zip';
import { maxLinkedFolders, maxLinksDeep, readForeignFile, stayInside, whenReading } from '../pipeline/foreign-file.js';
import { UsageError } from '../pipeline/usage-error.js';
import type { EncodedPicture } from './pixel-cache.js';

/** A file of a data set: `label` is its path inside the set, with `/`, so that it does not depend on where the set lies. */
export type DataFile = EncodedPicture;

/** The files of a data set by path, in code-unit order of their paths. */
export type FileTree = ReadonlyMap<string, DataFile>;

const ordered = (files: DataFile[]): FileTree =>
  new Map(files.sort((a, b) => (a.label < b.label ? -1 : 1)).map((file) => [file.label, file]));

/**
 * The files below a folder; names that begin with a dot are left out. Links are followed as `stayInside` says; one that leads back into a
 * folder that holds it is not. A file is read when it is asked for, if it then is a regular one of at most `maxFileBytes`.
 *
 * @param within the folder that links may not lead out of
 * @throws UsageError where `folder` is none, something in it cannot be read, or a link leads out
 */
export const readFolder = (folder: string, within: string = folder): FileTree => {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`Expected a folder with a data set, got ${folder}, which is none`);
  }
  const inside = stayInside(within);
  const files: DataFile[] = [];
  let linked = 0;
  const walk = (below: string, above: readonly string[], linksDeep: number): void => {
    const here = path.join(folder, below);
    const real = realpathSync(here);
    if (above.includes(real)) return;
    for (const entry of whenReading(here, () => readdirSync(here, { withFileTypes: true }))) {
      if (entry.name.startsWith('.')) continue;
      const label = below === '' ? entry.name : `${below}/${entry.name}`;
      const file = path.join(folder, label);
      const isLink = entry.isSymbolicLink();
      if (isLink ? isLinkToFolder(file, inside) : entry.isDirectory()) {
        if (isLink && (linksDeep >= maxLinksDeep || ++linked > maxLinkedFolders)) {
          throw new UsageError(
            `${folder}: expected at most ${maxLinkedFolders} links to folders, at most ${maxLinksDeep} in one another, got more at ${label}`,
          );
        }
        walk(label, [...above, real], linksDeep + (isLink ? 1 : 0));
      } else files.push({ label, read: (maxBytes) => readForeignFile(file, maxBytes) });
    }
  };
  walk('', [], 0);
  return ordered(files);
};

/** Whether a link leads to a folder; one that leads nowhere is told when it is read. */
const isLinkToFolder = (file: string, inside: (file: string) => string): boolean => {
  const target = whenReading(file, () => statSync(file, { throwIfNoEntry: false }));
  if (target) inside(file);
  return target?.isDirectory() === true;
};

/** Most parts of a zip archive: each takes a few kilobytes of memory while it is open. */
const maxZipParts = 400_000;

/** Most bytes of a part of a zip archive, which are in memory twice while it is unpacked. */
const maxPartBytes = 256 * 1024 ** 2;

/** What deflate can make of a byte, at most, and of none. */
const [mostPerByte, mostOfNone] = [1032, 64];

const openZip = (file: string): AdmZip.IZipEntry[] => {
  const bytes = readForeignFile(file, 2 ** 31 - 1);
  const refuse = (why: string): never => {
    throw new UsageError(`Could not read the zip archive ${file}: ${why}`);
  };
  let entries: AdmZip.IZipEntry[];
  try {
    const zip = new AdmZip(bytes, { noSort: true });
    if (zip.getEntryCount() > maxZipParts) refuse(`expected at most ${maxZipParts} parts, got ${zip.getEntryCount()}`);
    entries = zip.getEntries();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return refuse((error as Error).message);
  }
  // Parts that share their bytes would unpack to more than the archive could ever hold.
  const packed = entries.reduce((sum, { header }) => sum + header.compressedSize, 0);
  if (packed > bytes.length) refuse(`its parts claim ${packed} bytes, it has ${bytes.length}`);
  return entries;
};

/** A part of an archive, once its claims are possible. */
const unpack = (entry: AdmZip.IZipEntry, file: string, maxBytes: number): Buffer => {
  const { size, compressedSize } = entry.header;
  const where = `${entry.entryName} in ${file}`;
  if (size > maxBytes) throw new UsageError(`Expected ${where} to have at most ${maxBytes} bytes, got ${size}`);
  if (size > compressedSize * mostPerByte + mostOfNone || (size === 0 && compressedSize > mostOfNone)) {
    throw new UsageError(`Could not read ${where}: it claims to make ${size} bytes of ${compressedSize}`);
  }
  try {
    return entry.getData();
  } catch (error) {
    throw new UsageError(`Could not read ${where}: ${(error as Error).message}`, { cause: error });
  }
};

/**
 * The files inside a zip archive, read from memory one by one and never unpacked to disk: names that lead out of it lead nowhere.
 *
 * @throws UsageError where it is none, or its parts claim more than they can hold
 */
export const readZip = (file: string): FileTree => {
  const files = openZip(file)
    .filter(({ isDirectory, entryName }) => !isDirectory && !entryName.split('/').some((part) => part.startsWith('.')))
    .map((entry) => ({
      label: entry.entryName,
      read: (maxBytes: number = maxPartBytes) => unpack(entry, file, Math.min(maxBytes, maxPartBytes)),
    }));
  return ordered(files);
};
