import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';

/** A folder of links to every program of the PATH but some: a machine that does not have those. */
export const pathWithout = (folder, left) => {
  mkdirSync(folder, { recursive: true });
  for (const place of (process.env.PATH ?? '').split(path.delimiter)) {
    if (!existsSync(place)) continue;
    for (const name of readdirSync(place)) {
      const link = path.join(folder, name);
      if (left.test(name) || existsSync(link)) continue;
      try {
        symlinkSync(path.join(place, name), link);
      } catch (error) {
        if (error.code !== 'EEXIST') throw error; // a link to nowhere of the same name
      }
    }
  }
  return folder;
};

/** The first place of a program on the PATH. */
export const findProgram = (name) =>
  (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((place) => path.join(place, name))
    .find((file) => existsSync(file));
