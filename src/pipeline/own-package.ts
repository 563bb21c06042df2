import { readFileSync } from 'node:fs';
import path from 'node:path';

/** This package, as its `package.json` says. */
export type OwnPackage = {
  /** The folder that holds it: a checkout, or `node_modules/video-ssl`. */
  readonly root: string;
  readonly version: string;
};

/**
 * Finds the package that this module is part of: the nearest `package.json` above it that bears its name.
 *
 * @throws the system's error where it opens no more files
 */
export const ownPackage = (): OwnPackage => {
  for (let root = import.meta.dirname; ; root = path.dirname(root)) {
    const { name, version } = readPackage(root);
    if (name === 'video-ssl' && version !== undefined) return { root, version };
    if (path.dirname(root) === root)
      throw new Error('Expected a package.json of video-ssl above its modules, got none');
  }
};

const readPackage = (folder: string): { readonly name?: string; readonly version?: string } => {
  try {
    return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as ReturnType<typeof readPackage>;
  } catch (error) {
    // Not in this folder, or none that can be read; but not where the system opens no file at all.
    if (['EMFILE', 'ENFILE', 'ENOMEM', 'EIO'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
    return {};
  }
};
