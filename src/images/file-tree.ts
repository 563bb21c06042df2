import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import AdmZip from 'adm-zip';
import type { EncodedPicture } from './pixel-cache.js';

/** A file of a data set: `label` is its path inside the set, with `/`, so that it does not depend on where the set lies. */
export type DataFile = EncodedPicture;

/** The files of a data set by path, in code-unit order of their paths. */
export type FileTree = ReadonlyMap<string, DataFile>;

const ordered = (files: DataFile[]): FileTree =>
  new Map(files.sort((a, b) => (a.label < b.label ? -1 : 1)).map((file) => [file.label, file]));

/** The files below a folder; names that begin with a dot are left out. Throws where `folder` is none. */
export const readFolder = (folder: string): FileTree => {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`Expected a folder with a data set, got ${folder}, which is none`);
  }
  const files: DataFile[] = [];
  const walk = (inside: string): void => {
    for (const entry of readdirSync(path.join(folder, inside), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const label = inside === '' ? entry.name : `${inside}/${entry.name}`;
      if (entry.isDirectory()) walk(label);
      else files.push({ label, read: () => readFileSync(path.join(folder, label)) });
    }
  };
  walk('');
  return ordered(files);
};

/** The files inside a zip archive, read from memory one by one and never unpacked to disk. */
export const readZip = (file: string): FileTree => {
  const files = new AdmZip(file)
    .getEntries()
    .filter(({ isDirectory, entryName }) => !isDirectory && !entryName.split('/').some((part) => part.startsWith('.')))
    .map((entry) => ({ label: entry.entryName, read: () => entry.getData() }));
  return ordered(files);
};
