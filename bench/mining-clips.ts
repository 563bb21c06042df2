import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { VideoInfo } from '../src/video/probe-video.js';
import { workingSize } from '../src/video/working-size.js';

/** Which files of a folder: those whose name holds one of `only`, and of these `limit`, spread evenly over the folder. */
export type ClipChoice = { readonly only?: readonly string[] | undefined; readonly limit?: number | undefined };

/** Paths of the chosen files of a folder, by name. */
export const chooseClips = (folder: string, { only, limit = Infinity }: ClipChoice): string[] => {
  if (!existsSync(folder)) throw new Error(`Expected clips at ${folder}: name their folder with --videos`);
  if (!(limit >= 1)) throw new RangeError(`Expected \`limit\` to be a number of at least 1, got \`${limit}\``);
  const files = readdirSync(folder)
    .sort()
    .filter((file) => only === undefined || only.some((part) => file.includes(part)));
  const count = Math.min(limit, files.length);
  if (count === 0) throw new Error(`Expected clips in ${folder} that match, got none`);
  return Array.from({ length: count }, (_, i) => path.join(folder, files[Math.floor((i * files.length) / count)]));
};

/** Area of a video's frames where they are shrunk to so many pixels on the shorter side, never enlarged. */
export const areaAtShorterSide = (info: VideoInfo, shorterSide: number): number => {
  const { width, height } = workingSize(info, Infinity);
  const shrink = Math.min(1, shorterSide / Math.min(width, height));
  return Math.max(1, Math.round(width * shrink * (height * shrink)));
};
