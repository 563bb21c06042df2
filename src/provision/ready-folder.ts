import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream, existsSync } from 'node:fs';
import { access, mkdir, open, readdir, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from './log.js';
import { withLock } from './lock.js';
import { SetupProblem } from './setup-problem.js';

const MANIFEST = 'manifest.json';

/** What a finished folder holds: every file's size and sha256, and where every link points, by path inside the folder. */
export type Manifest = {
  readonly files: { readonly [name: string]: { readonly bytes: number; readonly sha256: string } };
  /** Absent in folders without links. */
  readonly links?: { readonly [name: string]: string };
};

/** How closely a present folder is looked at: sizes cost nothing, hashes read every byte (a second or two for TensorFlow). */
export type Scrutiny = 'sizes' | 'hashes';

/**
 * Gives a folder that is whole: the present one if it matches its manifest, else one made anew by `build`, which fills an empty
 * temporary folder. The result is hashed, flushed to disk and renamed into place, so that a set-up killed at any moment leaves
 * either nothing or a whole folder; left-overs and damaged folders are cleared on the next call. Safe to call from two processes.
 *
 * @throws SetupProblem where the folder is not there and cannot be made
 */
export async function ensureReadyFolder(
  folder: string,
  build: (temporary: string) => Promise<void>,
  { log, scrutiny = 'sizes' }: { readonly log: Log; readonly scrutiny?: Scrutiny },
): Promise<Manifest> {
  const before = await inspectReadyFolder(folder, scrutiny);
  if (before.state === 'whole' && (await leftoversOf(folder)).length === 0) return before.manifest;
  if (before.state !== 'whole') await requireWritable(path.dirname(folder));
  const tidied = withLock(`${folder}.lock`, log, async () => {
    await clearLeftovers(folder);
    const found = await inspectReadyFolder(folder, scrutiny);
    if (found.state === 'whole') return found.manifest;
    if (found.state === 'damaged') log(`${folder} is damaged (${found.why}); making it anew`);
    const temporary = `${folder}.part-${randomUUID()}`;
    await mkdir(temporary, { recursive: true });
    try {
      await build(temporary);
      const manifest = await seal(temporary);
      const damaged = `${folder}.part-old-${randomUUID()}`;
      if (found.state === 'damaged') await rename(folder, damaged);
      await rename(temporary, folder);
      await sync(path.dirname(folder));
      await rm(damaged, { recursive: true, force: true });
      return manifest;
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  });
  // A whole folder serves beside what cannot be tidied away (a cache that may only be read).
  return before.state === 'whole' ? tidied.catch(() => before.manifest) : tidied;
}

/** Makes a folder of the cache, and refuses with what mends it where that, or writing into it, is not allowed. */
async function requireWritable(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT'].includes(code)) throw error;
    throw new SetupProblem(
      `The cache cannot be written to: ${folder} (${code}).`,
      'set VIDEO_SSL_CACHE to a folder that can be written to',
      { cause: error },
    );
  }
}

/** Whether `folder` is there and holds exactly what its manifest says (further files are left alone and not an error). */
export async function inspectReadyFolder(
  folder: string,
  scrutiny: Scrutiny,
): Promise<{ state: 'absent' } | { state: 'damaged'; why: string } | { state: 'whole'; manifest: Manifest }> {
  try {
    await stat(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Where nobody may look, nothing is to be had either; making it says so.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return { state: 'absent' };
    throw error;
  }
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(path.join(folder, MANIFEST), 'utf8')) as Manifest;
    if (typeof manifest.files !== 'object' || manifest.files === null) throw new Error('no list of files');
  } catch (error) {
    return { state: 'damaged', why: `no readable ${MANIFEST}: ${(error as Error).message}` };
  }
  for (const [name, { bytes, sha256 }] of Object.entries(manifest.files)) {
    const file = path.join(folder, name);
    const size = await stat(file).then(
      (found) => found.size,
      () => -1,
    );
    if (size < 0) return { state: 'damaged', why: `${name} is missing` };
    if (size !== bytes) return { state: 'damaged', why: `${name} has ${size} bytes instead of ${bytes}` };
    if (scrutiny === 'hashes' && (await hashFile(file)) !== sha256)
      return { state: 'damaged', why: `${name} has another sha256 than when it was made` };
  }
  for (const [name, target] of Object.entries(manifest.links ?? {})) {
    const file = path.join(folder, name);
    if ((await readlink(file).catch(() => undefined)) !== target)
      return { state: 'damaged', why: `${name} is no link to ${target}` };
    if (!existsSync(file)) return { state: 'damaged', why: `${name} points to ${target}, which is missing` };
  }
  return { state: 'whole', manifest };
}

/** sha256 of a file's content, in hex. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Hashes and flushes every file, then writes the manifest last: a folder without one is unfinished. */
async function seal(folder: string): Promise<Manifest> {
  const files: Record<string, { bytes: number; sha256: string }> = {};
  const links: Record<string, string> = {};
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const inside = (file: string): string => path.relative(folder, file).split(path.sep).join('/');
  const pathsOf = (kept: typeof entries): string[] =>
    kept.map(({ parentPath, name }) => path.join(parentPath, name)).sort();
  for (const file of pathsOf(entries.filter((entry) => entry.isFile()))) {
    files[inside(file)] = { bytes: (await stat(file)).size, sha256: await hashFile(file) };
    await sync(file);
  }
  for (const file of pathsOf(entries.filter((entry) => entry.isSymbolicLink())))
    links[inside(file)] = await readlink(file);
  const manifest: Manifest = Object.keys(links).length > 0 ? { files, links } : { files };
  const handle = await open(path.join(folder, MANIFEST), 'w');
  try {
    await handle.writeFile(JSON.stringify(manifest, undefined, 1));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await sync(folder);
  return manifest;
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What lies beside `folder` of set-ups that are at work or were killed: folders in the making, and locks. */
async function leftoversOf(folder: string): Promise<string[]> {
  const [part, lock] = ['.part-', '.lock'].map((ending) => path.basename(folder) + ending);
  return (await readdir(path.dirname(folder))).filter((name) => name.startsWith(part!) || name.startsWith(lock!));
}

/** Under the lock, every `.part-` folder beside `folder` belongs to a set-up that was killed. */
async function clearLeftovers(folder: string): Promise<void> {
  for (const name of await leftoversOf(folder))
    if (name.startsWith(`${path.basename(folder)}.part-`))
      await rm(path.join(path.dirname(folder), name), { recursive: true, force: true });
}
