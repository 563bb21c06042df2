import { readForeignFile } from '../pipeline/foreign-file.js';
import { parseForeignJson } from '../pipeline/parse-json.js';
import { UsageError } from '../pipeline/usage-error.js';
import { sevenScenesRig, type Camera, type DepthRig } from './camera.js';
import type { DataFile, FileTree } from './file-tree.js';

/** How a frame's depth file is to be read. */
export type RgbdView = {
  /** The camera in whose pixels depth and normals are wanted: that of the colours. */
  readonly camera: Camera;
  /** Units of the depth file a metre. */
  readonly depthScale: number;
  /** Where depth was measured by another camera than the colours: what brings it to them. */
  readonly rig?: DepthRig;
  /** Size in px of the pictures that the calibration is for, where it says so; others are refused. */
  readonly size?: readonly [width: number, height: number];
  /** Where the numbers come from, in words: `camera.json`, `published for NYU Depth V2`. */
  readonly origin: string;
};

/** Cameras of data sets by the name of their folder, as the file of {@link readCameras} holds them. */
export type CameraTable = ReadonlyMap<string, RgbdView>;

/** Units of a depth file a metre where nothing says otherwise: millimetres. */
const millimetres = 1000;

/** Cameras are a few numbers; lines for each of a million frames are 100 MB. */
const maxTextBytes = 128 * 1024 ** 2;

/**
 * Calibrations that data sets publish for all of their pictures, recognised by the name of a folder (`nyu-kitchen`,
 * `rgbd_dataset_freiburg2_desk`) and, when a frame is decoded, by the size of its pictures. They serve where the folder itself
 * says nothing.
 *
 * NYU Depth V2 (Silberman et al. 2012): toolbox, colour camera. TUM RGB-D (Sturm et al. 2012): the calibration of each of its three
 * Kinects, 5000 units a metre. ICL-NUIM (Handa et al. 2014): its `fy` is published as -480, for a y axis
 * that points up; rows of a picture run down all the same. Replica as rendered for NICE-SLAM and vMAP (vMAP's millimetres).
 * RealSense: no calibration but the data sheet's view of D415 and D435 colours at 640 x 480 (42.5 degrees high); the principal
 * point of a single camera is up to 20 px (2 degrees) off, so that a `camera.json` is better.
 */
const published: readonly { readonly name: RegExp; readonly view: RgbdView }[] = [
  entry(/(^|[^a-z])nyu/i, 'NYU Depth V2', [518.8579, 519.4696, 325.5824, 253.7362], 1000, [640, 480]),
  entry(/(^|[^a-z])(fr|freiburg)1(?!\d)/i, 'TUM RGB-D, freiburg1', [517.3, 516.5, 318.6, 255.3], 5000, [640, 480]),
  entry(/(^|[^a-z])(fr|freiburg)2(?!\d)/i, 'TUM RGB-D, freiburg2', [520.9, 521, 325.1, 249.7], 5000, [640, 480]),
  entry(/(^|[^a-z])(fr|freiburg)3(?!\d)/i, 'TUM RGB-D, freiburg3', [535.4, 539.2, 320.1, 247.6], 5000, [640, 480]),
  entry(/(^|[^a-z])icl([^a-z]|$)/i, 'ICL-NUIM', [481.2, -480, 319.5, 239.5], 5000, [640, 480]),
  entry(/(^|[^a-z])replica([^a-z]|$)/i, 'Replica at 1200 x 680', [600, 600, 599.5, 339.5], 1000, [1200, 680]),
  entry(/(^|[^a-z])realsense/i, 'RealSense D400 colours, nominal', [617, 617, 319.5, 239.5], 1000, [640, 480]),
];

function entry(
  name: RegExp,
  what: string,
  [fx, fy, cx, cy]: readonly [number, number, number, number],
  depthScale: number,
  size: readonly [number, number],
): { name: RegExp; view: RgbdView } {
  return {
    name,
    view: { camera: cameraOf(fx, fy, cx, cy), depthScale, size, origin: `published for ${what}` },
  };
}

/** A negative focal length is one of a y axis that points up (ICL-NUIM); here, as in the picture, y runs down. */
function cameraOf(fx: number, fy: number, cx: number, cy: number): Camera {
  return { fx, fy: Math.abs(fy), cx, cy };
}

/** The published calibration for a data set of this folder name, if there is one. */
export const publishedView = (name: string): RgbdView | undefined =>
  published.find((candidate) => candidate.name.test(name))?.view;

/**
 * A file of cameras for folders that bring none and must not be written to: an object with an entry for each folder, by its
 * name, in the form of a `camera.json`.
 *
 * @throws UsageError naming the entry that is not as expected
 */
export const readCameras = (file: string): CameraTable =>
  parseCameras(readForeignFile(file, maxTextBytes).toString('utf8'), file);

/** Parses what {@link readCameras} reads; `label` names the file in messages. */
export const parseCameras = (text: string, label: string): CameraTable =>
  new Map(
    Object.entries(parseObject(text, label)).map(([name, value]) => {
      const where = `${label}, entry "${name}"`;
      if (typeof value !== 'object' || value === null)
        throw new UsageError(`${where}: expected an object, got ${String(value)}`);
      return [name, viewOf(value, where, `${label.split(/[\\/]/).at(-1)}`)];
    }),
  );

/**
 * How the frames of a folder are to be read, by the first of these that is there: `given` (the entry of a file of cameras);
 * `camera.json` (`intrinsic_matrix`, nine numbers column by column as RealSense's and Open3D's tools write it, or `fx`, `fy`,
 * `cx`, `cy`; `depth_scale` in units a metre, 1000 by default; `width` and `height`); `intrinsics.txt` (SUN RGB-D: nine numbers
 * row by row for all frames, or lines `NAME: nine numbers` for single ones); `camera-intrinsics.txt` (nine numbers row by row);
 * the calibration that is published for data sets of this name ({@link publishedView}). Returns a function of the frame's name.
 *
 * @throws UsageError where none is there, with what to write where
 */
export const viewsOfFolder = (
  tree: FileTree,
  folder: string,
  name: string,
  given: RgbdView | undefined,
): ((frame: string) => RgbdView) => {
  if (given) return () => given;
  const json = tree.get('camera.json');
  if (json) {
    const label = `${folder}/camera.json`;
    const view = viewOf(parseObject(textOf(json), label), label, 'camera.json');
    return () => view;
  }
  const sun = tree.get('intrinsics.txt');
  if (sun) return viewsOfLines(textOf(sun), `${folder}/intrinsics.txt`);
  const matrix = tree.get('camera-intrinsics.txt');
  const view = matrix
    ? viewOfMatrix(textOf(matrix), `${folder}/camera-intrinsics.txt`, 'camera-intrinsics.txt')
    : publishedView(name);
  if (view) return () => view;
  throw new UsageError(
    `${folder}: found no camera.json (nor intrinsics.txt), and no calibration is published for data sets of the name \`${name}\`. ` +
      `Write ${folder}/camera.json, such as {"fx": 525, "fy": 525, "cx": 319.5, "cy": 239.5, "depth_scale": 1000}, ` +
      `or give a file of cameras with an entry "${name}" of this form`,
  );
};

/** The rig of a 7-Scenes folder: the focal lengths of its depth camera are those of its `camera-intrinsics.txt`, if it has one. */
export const sevenScenesView = (tree: FileTree, folder: string, given: RgbdView | undefined): RgbdView => {
  const file = tree.get('camera-intrinsics.txt');
  const depth = file
    ? viewOfMatrix(textOf(file), `${folder}/camera-intrinsics.txt`, 'camera-intrinsics.txt').camera
    : sevenScenesRig.depth;
  const rig = { ...sevenScenesRig, depth, ...(given ? { colour: given.camera } : {}) };
  return {
    camera: rig.colour,
    depthScale: given?.depthScale ?? millimetres,
    rig,
    origin: given?.origin ?? 'published for 7-Scenes',
  };
};

const textOf = (file: DataFile): string => String(file.read(maxTextBytes));

const viewOf = (value: object, label: string, origin: string): RgbdView => {
  const entry = value as Readonly<Record<string, unknown>>;
  const { intrinsic_matrix: matrix, depth_scale: depthScale = millimetres, width, height } = entry;
  const numbers = (values: readonly unknown[]): values is number[] => values.every((v) => Number.isFinite(v));
  let four: readonly unknown[] = [entry['fx'], entry['fy'], entry['cx'], entry['cy']];
  if (Array.isArray(matrix) && matrix.length === 9 && numbers(matrix)) {
    four = [matrix[0], matrix[4], matrix[6], matrix[7]];
  } else if (matrix !== undefined || !numbers(four)) {
    throw new UsageError(
      `${label}: expected \`intrinsic_matrix\` to be nine numbers, column by column, or \`fx\`, \`fy\`, \`cx\` and \`cy\` to be numbers`,
    );
  }
  const [fx, fy, cx, cy] = four as [number, number, number, number];
  if (!(fx > 0 && fy !== 0) || !(typeof depthScale === 'number' && depthScale > 0 && depthScale < Infinity)) {
    throw new UsageError(
      `${label}: expected focal lengths and \`depth_scale\` above 0, got ${fx}, ${fy} and ${String(depthScale)}`,
    );
  }
  const sized = typeof width === 'number' && typeof height === 'number';
  return { camera: cameraOf(fx, fy, cx, cy), depthScale, ...(sized ? { size: [width, height] } : {}), origin };
};

const matrixOf = (text: string, label: string): Camera => {
  const numbers = text.trim().split(/\s+/).map(Number);
  const [fx, , cx, , fy, cy] = numbers as [number, number, number, number, number, number];
  if (numbers.length !== 9 || !numbers.every(Number.isFinite) || !(fx > 0 && fy !== 0)) {
    throw new UsageError(
      `${label}: expected nine numbers row by row, with focal lengths above 0, got \`${text.trim()}\``,
    );
  }
  return cameraOf(fx, fy, cx, cy);
};

const viewOfMatrix = (text: string, label: string, origin: string): RgbdView => ({
  camera: matrixOf(text, label),
  depthScale: millimetres,
  origin,
});

const viewsOfLines = (text: string, label: string): ((frame: string) => RgbdView) => {
  if (!text.includes(':')) {
    const view = viewOfMatrix(text, label, 'intrinsics.txt');
    return () => view;
  }
  const views = new Map<string, RgbdView>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const at = line.indexOf(':');
    if (at < 0) throw new UsageError(`${label}, line ${i + 1}: expected \`NAME: nine numbers\`, got \`${line}\``);
    const view = viewOfMatrix(line.slice(at + 1), `${label}, line ${i + 1}`, 'intrinsics.txt');
    views.set(line.slice(0, at).trim(), view);
  }
  return (frame) => {
    const view = views.get(frame);
    if (!view)
      throw new UsageError(`${label}: expected a line for frame ${frame}, got ${[...views.keys()].join(', ')}`);
    return view;
  };
};

const parseObject = (text: string, label: string): object => {
  const parsed = parseForeignJson(text, label);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new UsageError(`${label}: expected an object with \`intrinsic_matrix\``);
};
