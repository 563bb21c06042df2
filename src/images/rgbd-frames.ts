import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { stayInside } from '../pipeline/foreign-file.js';
import { UsageError } from '../pipeline/usage-error.js';
import { readFolder, type DataFile, type FileTree } from './file-tree.js';
import { readCameras, sevenScenesView, viewsOfFolder, type CameraTable, type RgbdView } from './rgbd-cameras.js';

/** One frame of an RGB-D sweep, by its files. */
export type RgbdFrame = {
  readonly name: string;
  readonly colour: DataFile;
  readonly depth?: DataFile;
  readonly normal?: DataFile;
  /** How its depth is to be read. */
  readonly view: RgbdView;
};

/** The frames that were taken in one place, in order of their numbers. */
export type RgbdRoom = { readonly name: string; readonly frames: readonly RgbdFrame[] };

/** Settings of opening RGB-D folders. */
export type RgbdOptions = {
  /** Cameras of folders by their name; they stand above whatever a folder says itself. */
  readonly cameras?: CameraTable;
};

const nameOf = (folder: string): string => path.basename(path.resolve(folder));

/**
 * The frames of one sweep. Understood layouts: `frame-NNNNNN.color.(jpg|png)` with `frame-NNNNNN.depth.png`, in the folder or
 * in subfolders (7-Scenes: 16-bit mm, 0 and 65535 unknown, not registered), and `color/N.(png|jpg)` with `depth/N.png`. Beside
 * the latter, `normal/N.png` holds exact normals, RGB = `round((n + 1) / 2 * 255)`.
 *
 * @param within the folder that links may not lead out of
 * @throws UsageError naming the folder or file that is not as expected
 */
export const readSweep = (folder: string, { cameras }: RgbdOptions = {}, within: string = folder): RgbdRoom => {
  const tree = readFolder(folder, within);
  const name = nameOf(folder);
  const sevenScenes = framesOfSevenScenes(tree, folder, cameras?.get(name));
  if (sevenScenes.length > 0) return { name, frames: sevenScenes };
  const colours = [...tree.keys()].some((label) => colourOfFolders.test(label));
  if (!colours) {
    throw new UsageError(
      `${folder}: expected frame-NNNNNN.color.jpg with frame-NNNNNN.depth.png, or color/N.png with depth/N.png and camera.json, or folders of such frames; got 0 frames`,
    );
  }
  return { name, frames: framesOfFolders(tree, folder, cameras?.get(name)) };
};

/**
 * The rooms of a collection: every direct subfolder that holds frames is one, and no two of them show the same place. A file
 * `cameras.json` beside them holds the cameras of those that bring none. Empty where `folder` is no collection: where it holds
 * frames itself, or sequences of one place (`seq-01`, as 7-Scenes stores them).
 *
 * @throws UsageError naming the folder or file that is not as expected
 */
export const readRooms = (folder: string, { cameras }: RgbdOptions = {}): RgbdRoom[] => {
  if (!isFolder(folder)) return [];
  const inside = readdirSync(folder).filter((name) => !name.startsWith('.'));
  if (inside.some((name) => sevenScenesColour.test(name))) return [];
  const rooms = inside
    .sort()
    .filter((name) => !/^(color|depth|normal|seq-?\d+)$/.test(name) && holdsFrames(path.join(folder, name), folder));
  if (rooms.length === 0) return [];
  const beside = path.join(folder, 'cameras.json');
  const table = new Map(inside.includes('cameras.json') ? readCameras(stayInside(folder)(beside)) : []);
  for (const [name, view] of cameras ?? []) table.set(name, view);
  return rooms.map((name) => readSweep(path.join(folder, name), { cameras: table }, folder));
};

const sevenScenesColour = /^(.*frame-\d+)\.color\.(?:jpg|png)$/;
const colourOfFolders = /^color\/([^/]+)\.(?:jpe?g|png)$/;

const isFolder = (place: string): boolean => {
  try {
    return statSync(place).isDirectory();
  } catch {
    return false; // a link to itself, or to nothing
  }
};

/** Whether a folder looks like one sweep, by the names of its files. */
const holdsFrames = (folder: string, within: string): boolean => {
  if (!isFolder(folder)) return false;
  stayInside(within)(folder);
  return readdirSync(folder).some(
    (name) => name === 'color' || /^seq-?\d+$/.test(name) || sevenScenesColour.test(name),
  );
};

const framesOfSevenScenes = (tree: FileTree, folder: string, given: RgbdView | undefined): RgbdFrame[] => {
  const colours = [...tree.values()].filter(({ label }) => sevenScenesColour.test(label));
  if (colours.length === 0) return [];
  const view = sevenScenesView(tree, folder, given);
  return colours.map((colour) => {
    const name = sevenScenesColour.exec(colour.label)?.[1] as string;
    const depth = tree.get(`${name}.depth.png`);
    if (!depth) throw new UsageError(`${folder}/${colour.label}: expected ${name}.depth.png beside it`);
    return { name, colour, depth, view };
  });
};

const framesOfFolders = (tree: FileTree, folder: string, given: RgbdView | undefined): RgbdFrame[] => {
  const files = [...tree.values()]
    .flatMap((colour) => {
      const name = colourOfFolders.exec(colour.label)?.[1];
      if (name === undefined) return [];
      const depth = tree.get(`depth/${name}.png`);
      const normal = tree.get(`normal/${name}.png`);
      if (!depth && !normal) {
        throw new UsageError(`${folder}/${colour.label}: expected depth/${name}.png or normal/${name}.png`);
      }
      return [{ name, colour, ...(depth ? { depth } : {}), ...(normal ? { normal } : {}) }];
    })
    .sort((a, b) => Number(a.name) - Number(b.name) || (a.name < b.name ? -1 : 1));
  const viewOf = viewsOfFolder(tree, folder, nameOf(folder), given);
  return files.map((frame) => ({ ...frame, view: viewOf(frame.name) }));
};
