import { statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { maxLinkedFolders, maxLinksDeep, readForeignFile, stayInside } from '../pipeline/foreign-file.js';
import { UsageError } from '../pipeline/usage-error.js';
import { isAddress, parseAddress } from './video-address.js';
import type { VideoAddress } from './video-address.js';

/** The file name endings that count as videos when a folder is searched. A list may name anything: probing decides. */
export const videoExtensions: ReadonlySet<string> = new Set(
  (
    '3g2 3gp amv asf avi divx dv f4v flv gif gxf h261 h263 h264 hevc ivf m1v m2t m2ts m2v m4v mjpeg mjpg mkv mov mp2v mp4 mpe mpeg mpg mts mxf ' +
    'nut obu ogg ogm ogv qt rm rmvb ts vob vvc webm wmv wtv y4m'
  )
    .split(' ')
    .map((name) => `.${name}`),
);

/** A file that may be a video. */
export type FoundVideo = {
  /** Absolute. */
  readonly path: string;
  /** How a person knows it: the path within the folder, or the line of the list. With `/` on every system. */
  readonly label: string;
};

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const searchFolder = async (folder: string): Promise<string[]> => {
  const found: string[] = [];
  const inside = stayInside(folder);
  let linked = 0;
  const visit = async (here: string, above: ReadonlySet<string>, linksDeep: number): Promise<void> => {
    // Real paths of the folders above: a link to one of them would be walked forever.
    const real = await realpath(here);
    if (above.has(real)) return;
    const holding = new Set(above).add(real);
    const entries = await readdir(here, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => byName(a.name, b.name))) {
      const { name } = entry;
      if (name.startsWith('.')) continue;
      const file = path.join(here, name);
      const isLink = entry.isSymbolicLink();
      const kind = await stat(file).catch(() => null);
      const isFolder = kind?.isDirectory() === true;
      const isVideo = videoExtensions.has(path.extname(name).toLowerCase());
      if (isLink && (isFolder || (isVideo && kind?.isFile() === true))) inside(file);
      if (isLink && isFolder && (linksDeep >= maxLinksDeep || ++linked > maxLinkedFolders)) {
        throw new UsageError(
          `${folder}: expected at most ${maxLinkedFolders} links to folders, at most ${maxLinksDeep} in one another, got more at ${file}`,
        );
      }
      if (isFolder) await visit(file, holding, linksDeep + (isLink ? 1 : 0));
      // Also links that lead nowhere, pipes and devices: who named them so meant a video, and is told what is wrong with it.
      // So is a folder whose name is no UTF-8, which is not to be reached.
      else if (isVideo || (kind === null && name.includes('\ufffd') && entry.isDirectory())) found.push(file);
    }
  };
  await visit(folder, new Set(), 0);
  // One file reached by two links counts once, under the first name in order.
  const seen = new Set<string>();
  const kept: string[] = [];
  for (const file of found.sort(byName)) {
    const real = await realpath(file).catch(() => file);
    if (!seen.has(real)) kept.push(file);
    seen.add(real);
  }
  return kept;
};

const utf8Of = (bytes: Uint8Array): string | null => {
  if (bytes.includes(0)) return null; // UTF-16, or no text at all
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
};

/** What a list may name: files, and addresses to fetch. */
export type ListedVideo = FoundVideo | VideoAddress;

/**
 * The entries of a list file: one path or address a line, paths relative to the list; empty lines and lines that start with `#` count for nothing, and what
 * is named twice counts once.
 */
export const parseVideoList = (text: string, folder: string): ListedVideo[] => {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const files = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  const found = new Map<string, ListedVideo>();
  for (const file of files) {
    const named = isAddress(file) ? parseAddress(file) : { path: path.resolve(folder, file), label: file };
    const key = 'path' in named ? named.path : named.address;
    if (!found.has(key)) found.set(key, named);
  }
  return [...found.values()];
};

/** Most bytes of a list of videos: two million long addresses. */
const maxListBytes = 256 * 1024 ** 2;

const expected = 'Expected `--videos` to be a folder of videos or a list of them (.txt, one path or address a line)';

/** Whether `--videos` names a list, and no folder. */
export const isVideoList = (source: string): boolean =>
  path.extname(source).toLowerCase() === '.txt' && statSync(source, { throwIfNoEntry: false })?.isFile() === true;

/**
 * Reads a list of videos, in its order.
 *
 * @throws UsageError where it is not UTF-8 text, or names nothing
 */
export const readVideoList = (source: string): ListedVideo[] => {
  const text = utf8Of(readForeignFile(source, maxListBytes));
  if (text === null) throw new UsageError(`${expected}, got \`${source}\`: the list is not UTF-8 text`);
  const found = parseVideoList(text, path.dirname(path.resolve(source)));
  if (found.length === 0) throw new UsageError(`${expected}, got \`${source}\`: the list names no file`);
  return found;
};

/**
 * The videos that a folder (searched in depth, hidden names left out, links followed within the folder and into what `stayInside` allows, never in circles) or a list (`.txt`, one path or address a line) names: a folder's in order of their names, a list's in its order. What a list names is not looked at here: `probeVideo` rejects what is missing, no file or no video, with its reason; so it does with what in a folder is only named like a video.
 *
 * @throws UsageError where the path leads nowhere, is neither, holds a link that leads out, is a list that is not UTF-8 text, or yields nothing
 */
export const findVideos = async (source: string): Promise<ListedVideo[]> => {
  const target = path.resolve(source);
  const kind = await stat(target).catch((error: NodeJS.ErrnoException) => error);
  if (kind instanceof Error) {
    throw new UsageError(
      `${expected}, got \`${source}\`: ${kind.code === 'ENOENT' ? 'there is no such file or folder' : kind.message}`,
    );
  }
  if (kind.isDirectory()) {
    const found = await searchFolder(target);
    const label = (file: string): string => path.relative(target, file).split(path.sep).join('/');
    if (found.length > 0) return found.map((file) => ({ path: file, label: label(file) }));
    throw new UsageError(
      `${expected}, got \`${source}\`: no file in it ends like a video (${[...videoExtensions].slice(0, 8).join(', ')}, …); a list may name files with any ending`,
    );
  }
  if (!kind.isFile() || path.extname(target).toLowerCase() !== '.txt') {
    const hint = videoExtensions.has(path.extname(target).toLowerCase())
      ? '; name its folder, or write it into a list'
      : '';
    throw new UsageError(`${expected}, got \`${source}\`: it is neither${hint}`);
  }
  return readVideoList(source);
};
