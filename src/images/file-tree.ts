import { readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import AdmZip from 'adm-zip';
import { UsageError } from '../pipeline/usage-error.js';
import type { EncodedPicture } from './pixel-cache.js';

/** A file of a data set: `label` is its path inside the set, with `/`, so that it does not depend on where the set lies. */
export type DataFile = EncodedPicture;

/** The files of a data set by path, in code-unit order of their paths. */
export type FileTree = ReadonlyMap<string, DataFile>;

const ordered = (files: DataFile[]): FileTree =>
  new Map(files.sort((a, b) => (a.label < b.label ? -1 : 1)).map((file) => [file.label, file]));

/** Errors of the file system that speak of the user's data, and not of a failing disk. */
const unreadable = new Set(['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ELOOP', 'ENOTDIR']);

const whenReading = <T>(file: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw unreadable.has(code) ? new UsageError(`Could not read ${file}: ${message}`) : error;
  }
};

/**
 * The files below a folder; names that begin with a dot are left out. Links are followed; one that leads back into a folder
 * that holds it is not. Throws a UsageError where `folder` is none, or something in it cannot be read.
 */
export const readFolder = (folder: string): FileTree => {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`Expected a folder with a data set, got ${folder}, which is none`);
  }
  const files: DataFile[] = [];
  const walk = (inside: string, above: readonly string[]): void => {
    const here = path.join(folder, inside);
    const real = realpathSync(here);
    if (above.includes(real)) return;
    for (const entry of whenReading(here, () => readdirSync(here, { withFileTypes: true }))) {
      if (entry.name.startsWith('.')) continue;
      const label = inside === '' ? entry.name : `${inside}/${entry.name}`;
      const file = path.join(folder, label);
      const isFolder = entry.isSymbolicLink()
        ? whenReading(file, () => statSync(file, { throwIfNoEntry: false }))?.isDirectory() === true
        : entry.isDirectory();
      if (isFolder) walk(label, [...above, real]);
      else files.push({ label, read: () => whenReading(file, () => readFileSync(file)) });
    }
  };
  walk('', []);
  return ordered(files);
};

const openZip = (file: string): AdmZip => {
  try {
    return new AdmZip(file);
  } catch (error) {
    throw new UsageError(`Could not read the zip archive ${file}: ${(error as Error).message}`);
  }
};

/** The files inside a zip archive, read from memory one by one and never unpacked to disk. Throws a UsageError where it is none. */
export const readZip = (file: string): FileTree => {
  const files = openZip(file)
    .getEntries()
    .filter(({ isDirectory, entryName }) => !isDirectory && !entryName.split('/').some((part) => part.startsWith('.')))
    .map((entry) => ({ label: entry.entryName, read: () => entry.getData() }));
  return ordered(files);
};
