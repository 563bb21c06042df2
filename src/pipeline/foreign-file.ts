import type { Hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { UsageError } from './usage-error.js';

/** Names folders that links inside a folder of data may lead to, between `:` (`;` on Windows): `VIDEO_SSL_LINKS_INTO=/datasets:/models`. */
export const linksVariable = 'VIDEO_SSL_LINKS_INTO';

/** Most folders that are entered by links when a folder is searched: folders that link to one another have no end of paths. */
export const maxLinkedFolders = 50_000;

/** Most links to folders on the way to a file. */
export const maxLinksDeep = 3;

/** Most bytes of a file that is read as text or as one picture: no string of Node is longer than 512 MiB. */
export const maxFileBytes = 500 * 1024 ** 2;

/** Errors of the file system that speak of the user's data, and not of a failing disk. */
const unreadable = new Set([
  'ENOENT',
  'EACCES',
  'EPERM',
  'EISDIR',
  'ELOOP',
  'ENOTDIR',
  'ENAMETOOLONG',
  'ENXIO',
  'ENODEV',
]);

/**
 * Does something with a file of the user's.
 *
 * @throws UsageError where the system says that it is not there, not readable, or something else than was thought
 */
export const whenReading = <T>(file: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw unreadable.has(code) ? new UsageError(`Could not read ${file}: ${message}`) : error;
  }
};

const isBelow = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file);
  return relative === '' || !(relative.startsWith('..') || path.isAbsolute(relative));
};

const realFolders = (list: string | undefined): string[] =>
  (list ?? '').split(path.delimiter).flatMap((folder) => {
    try {
      return folder === '' ? [] : [realpathSync(folder)];
    } catch {
      return [];
    }
  });

/**
 * Watches that what lies in a folder of data leads nowhere else: a folder that came from strangers may hold links to whatever its reader
 * may read. The folder itself may be a link, which the user named; links inside are followed within it, and into the folders that
 * {@link linksVariable} names. Returns a function from a path in the folder to its real path.
 *
 * @throws UsageError (the function) for a link that leads out, with how to allow it, and for one that leads nowhere
 */
export const stayInside = (folder: string, env: NodeJS.ProcessEnv = process.env): ((file: string) => string) => {
  const root = whenReading(folder, () => realpathSync(folder));
  const allowed = [root, ...realFolders(env[linksVariable])];
  return (file) => {
    const real = whenReading(file, () => realpathSync(file));
    if (allowed.some((place) => isBelow(place, real))) return real;
    throw new UsageError(
      `Expected ${file} to stay in ${folder}, got a link to ${real}: links in a folder of data are followed within it alone, since ` +
        `strangers' folders may hold some. If this one is yours, allow it with ${linksVariable}=${path.dirname(real)}`,
    );
  };
};

/** Opens a regular file that came from outside: a pipe would be waited for, a device read for ever. */
const openForeignFile = (file: string): { readonly handle: number; readonly size: number } => {
  requireFile(
    file,
    whenReading(file, () => statSync(file)),
  );
  const handle = whenReading(file, () => openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
  try {
    const facts = fstatSync(handle);
    requireFile(file, facts);
    return { handle, size: facts.size };
  } catch (error) {
    closeSync(handle);
    throw error;
  }
};

/**
 * Reads a file that came from outside, whole. Its size is looked at before memory is taken.
 *
 * @throws UsageError where it is no regular file, larger than `maxBytes`, or cannot be read
 */
export const readForeignFile = (file: string, maxBytes: number = maxFileBytes): Buffer => {
  const { handle, size } = openForeignFile(file);
  try {
    if (size > maxBytes) throw new UsageError(`Expected ${file} to have at most ${maxBytes} bytes, got ${size}`);
    const bytes = Buffer.alloc(size);
    let at = 0;
    while (at < size) {
      const read = readSync(handle, bytes, at, size - at, at);
      if (read === 0) break; // it was cut meanwhile
      at += read;
    }
    return bytes.subarray(0, at);
  } finally {
    closeSync(handle);
  }
};

/**
 * Takes a file that came from outside into a hash, piece by piece.
 *
 * @throws UsageError where it is no regular file, larger than `maxBytes`, or cannot be read
 */
export const hashForeignFile = (file: string, hash: Hash, maxBytes: number = Infinity): Hash => {
  const { handle, size } = openForeignFile(file);
  try {
    if (size > maxBytes) throw new UsageError(`Expected ${file} to have at most ${maxBytes} bytes, got ${size}`);
    const piece = Buffer.alloc(1 << 20);
    for (let at = 0; at < size;) {
      const read = readSync(handle, piece, 0, Math.min(piece.length, size - at), at);
      if (read === 0) break;
      hash.update(piece.subarray(0, read));
      at += read;
    }
    return hash;
  } finally {
    closeSync(handle);
  }
};

/** @throws UsageError where it is a folder, a pipe or a device */
const requireFile = (file: string, facts: Stats): void => {
  if (facts.isFile()) return;
  throw new UsageError(`Expected ${file} to be a file, got ${facts.isDirectory() ? 'a folder' : 'a pipe or device'}`);
};
