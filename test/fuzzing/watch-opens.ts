import { realpathSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import path from 'node:path';

const fs = createRequire(import.meta.url)('node:fs') as Record<string, (...args: unknown[]) => unknown> & {
  promises: Record<string, (...args: unknown[]) => unknown>;
};
const opening = ['open', 'openSync', 'readFile', 'readFileSync', 'createReadStream', 'readdir', 'readdirSync'];

/**
 * From now on tells `onOpen` the real path of each file and folder that JavaScript of this process opens to read. Native code is not
 * seen.
 */
export const watchOpens = (onOpen: (file: string) => void): void => {
  const real = realpathSync;
  let isWatching = false;
  const tell = (file: unknown): void => {
    if (isWatching || (typeof file !== 'string' && !(file instanceof URL))) return;
    isWatching = true;
    try {
      onOpen(real(file));
    } catch {
      // Not there: nothing is opened.
    } finally {
      isWatching = false;
    }
  };
  const watched = (original: (...args: unknown[]) => unknown) =>
    function (this: unknown, ...args: unknown[]): unknown {
      tell(args[0]);
      return original.apply(this, args);
    };
  for (const owner of [fs, fs.promises]) {
    for (const name of opening) if (owner[name]) owner[name] = watched(owner[name]);
  }
  syncBuiltinESMExports();
};

/** Whether a path is a folder's, or lies below it. */
export const isBelow = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file);
  return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative));
};
