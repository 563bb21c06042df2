import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { closestMatch } from 'leven';
import { checkClassDataset } from '../../src/images/class-dataset.js';
import { checkDetectionDataset } from '../../src/images/detection-dataset.js';
import { readCameras } from '../../src/images/rgbd-cameras.js';
import type { RgbdOptions } from '../../src/images/rgbd-frames.js';
import { checkRgbdTarget } from '../../src/images/rgbd-dataset.js';
import { splitTarget } from '../../src/images/room-split.js';
import { architectures } from '../../src/network/build-trunk.js';
import { checkDescription, maxDescriptionBytes, maxWeightsBytes, modelFiles } from '../../src/network/weights.js';
import { hashForeignFile, readForeignFile, stayInside } from '../../src/pipeline/foreign-file.js';
import { parseForeignJson } from '../../src/pipeline/parse-json.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { isEncoderFile, readEncoderFile } from '../../src/transfer/encoder/encoder-file.js';
import { checkOnnxruntime } from '../../src/transfer/encoder/onnx-session.js';

/** Folders to try the features on. */
export type TargetFolders = {
  readonly images: readonly string[];
  readonly detection: readonly string[];
  readonly normals: readonly string[];
  /** A file of cameras for RGB-D folders that bring none. */
  readonly cameras?: string;
};

/**
 * Refuses a path that is empty or not there before anything runs, naming what stands in its place under a similar name.
 *
 * @throws UsageError
 */
export const checkPath = (flag: string, given: string, hint = ''): void => {
  if (given.trim() === '')
    throw new UsageError(`Expected ${flag} to name something that exists, got \`\`: it is empty.`);
  if (existsSync(given)) return;
  let missing = path.resolve(given);
  while (!existsSync(path.dirname(missing))) missing = path.dirname(missing);
  const parent = path.dirname(missing);
  const names = statSync(parent).isDirectory() ? readdirSync(parent) : [];
  const near = closestMatch(path.basename(missing), names, { maxDistance: 2 });
  const meant = near === undefined ? '' : ` Did you mean \`${path.join(parent, near)}\`?`;
  throw new UsageError(
    `Expected ${flag} to name something that exists, got \`${given}\`: there is no \`${missing}\`.${meant}${hint}`,
  );
};

/**
 * Looks into a folder of weights: before an hour of training, not after it.
 *
 * @throws UsageError naming the option and what is wrong
 */
export const checkWeights = (flag: string, folder: string): void => {
  const [about, weights] = [modelFiles.description, modelFiles.weights].map((name) => path.join(folder, name)) as [
    string,
    string,
  ];
  const refuse = (why: string): never => {
    throw new UsageError(
      `Expected ${flag} to name folders with ${modelFiles.description} and ${modelFiles.weights}, got \`${folder}\`: ${why}.`,
    );
  };
  if (!existsSync(about) || !existsSync(weights)) refuse('it has not both');
  const inside = stayInside(folder);
  let description: unknown;
  try {
    const text = readForeignFile(inside(about), maxDescriptionBytes).toString('utf8');
    description = parseForeignJson(text, modelFiles.description);
  } catch (error) {
    refuse((error as Error).message);
  }
  const { architecture, sha256 } = (description ?? {}) as { architecture?: unknown; sha256?: unknown };
  if (typeof architecture !== 'string' || !Object.hasOwn(architectures, architecture)) {
    refuse(`its architecture is \`${String(architecture)}\`, not one of ${Object.keys(architectures).join(', ')}`);
  }
  try {
    checkDescription(description, modelFiles.description);
  } catch (error) {
    refuse((error as Error).message);
  }
  const found = hashForeignFile(inside(weights), createHash('sha256'), maxWeightsBytes).digest('hex');
  if (found !== sha256)
    refuse(`${modelFiles.weights} has sha256 ${found}, ${modelFiles.description} names ${String(sha256)}`);
};

/** Looks into an ONNX encoder, and whether it can be run here. */
const checkEncoder = (file: string): void => {
  readEncoderFile(file);
  checkOnnxruntime();
};

/**
 * Weights to try beside the trained ones: `--weights`. Folders with a `model.json`, or ONNX encoders; a row is named after its folder
 * or file.
 */
export const weightFolders = (options: Readonly<Record<string, string | undefined>>): readonly string[] => {
  const folders = foldersOf('--weights', options['weights']);
  const seen = new Map<string, string>();
  for (const folder of folders) {
    const other = seen.get(nameOf(folder));
    if (other !== undefined) {
      throw new UsageError(
        `Expected --weights of different folder names, since rows go by them, got \`${other}\` and \`${folder}\`.`,
      );
    }
    seen.set(nameOf(folder), folder);
    if (isEncoderFile(folder)) checkEncoder(folder);
    else checkWeights('--weights', folder);
  }
  return folders;
};

/** Folders between commas; a string that is a folder as it stands is that one. */
const foldersOf = (flag: string, list: string | undefined): readonly string[] => {
  if (list === undefined) return [];
  if (existsSync(list)) return [list];
  const folders = list.split(',').map((folder) => folder.trim());
  const hint = folders.length > 1 ? ` Commas separate folders: \`${list}\` is read as ${folders.length} of them.` : '';
  for (const folder of folders) checkPath(flag, folder, hint);
  return folders;
};

/** The name under which a target stands in the tables. */
export const nameOf = (folder: string): string => path.basename(path.resolve(folder));

/** By which option classification targets are named, and which stand before those. */
export type ClassTargets = { readonly flag: '--images' | '--targets'; readonly first: readonly string[] };

/**
 * Reads the options that name targets, and looks into the folders as far as the names of their files go.
 *
 * @throws UsageError for folders that are not there, two of one name, or none that can be evaluated on
 */
export const targetFolders = (
  options: Readonly<Record<string, string | undefined>>,
  { flag, first }: ClassTargets = { flag: '--images', first: [] },
): TargetFolders => {
  const images = [...first, ...foldersOf(flag, options[flag.slice(2)])];
  const detection = foldersOf('--detection', options['detection']);
  const normals = foldersOf('--normals', options['normals']);
  const seen = new Map<string, string>();
  for (const folder of [...images, ...detection, ...normals]) {
    const other = seen.get(nameOf(folder));
    if (other !== undefined) {
      throw new UsageError(
        `Expected targets of different folder names, since results go by them, got \`${other}\` and \`${folder}\`.`,
      );
    }
    seen.set(nameOf(folder), folder);
  }
  for (const folder of images) checkClassDataset(folder);
  for (const folder of detection) checkDetectionDataset(folder);
  const { cameras } = options;
  if (cameras !== undefined) checkPath('--cameras', cameras);
  const table = cameras === undefined ? {} : { cameras: readCameras(cameras) };
  for (const folder of normals) checkNormals(folder, table);
  return { images, detection, normals, ...(cameras === undefined ? {} : { cameras }) };
};

const checkNormals = (folder: string, options: RgbdOptions): void => {
  const rooms = checkRgbdTarget(folder, options);
  try {
    splitTarget({
      frames: rooms.flatMap((frames) => Array.from({ length: frames })),
      rooms: rooms.map((frames, room) => ({ name: String(room), frames })),
    });
  } catch (error) {
    throw new UsageError(`${folder}: too few frames. ${(error as Error).message}`);
  }
};
