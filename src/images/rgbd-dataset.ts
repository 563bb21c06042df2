import { createHash } from 'node:crypto';
import path from 'node:path';
import { UsageError } from '../pipeline/usage-error.js';
import { registerDepth, type DepthMap } from './camera.js';
import type { DataFile } from './file-tree.js';
import { gridPixel, gridSize, normalsFromDepth, type NormalFitOptions, type NormalMap } from './normals-from-depth.js';
import { maxFramePixels, openPicture } from './open-picture.js';
import { buildPixelCache, maxBytes, type PixelCache } from './pixel-cache.js';
import { readRooms, readSweep, type RgbdFrame, type RgbdOptions, type RgbdRoom } from './rgbd-frames.js';

/** RGB-D frames of one place or of several, room by room. */
export type RgbdDataset = {
  readonly name: string;
  readonly rooms: readonly RgbdRoom[];
  /** The frames of all rooms, one after the other. */
  readonly frames: readonly RgbdFrame[];
  /** sha256 over contents, cameras and order; no paths of the machine. */
  readonly digest: string;
};

/** Depth from here on is beyond what the sensors measure, and counts as unknown. */
const maxDepth = 10;

/** Raster of normals where pictures differ in size. */
const commonRaster = [160, 120] as const;

/**
 * Opens a folder of RGB-D frames as one sweep through one place; layouts as `readSweep` says, cameras as `viewsOfFolder` says.
 *
 * @throws UsageError naming the folder or file that is not as expected
 */
export const openRgbdDataset = async (folder: string, options: RgbdOptions = {}): Promise<RgbdDataset> =>
  datasetOf(folder, [readSweep(folder, options)]);

/**
 * Opens a folder whose subfolders are rooms, each in a layout of its own: one target across rooms, which is split by room
 * (`splitRooms`). Pictures may differ in size and camera.
 *
 * @throws UsageError naming the folder or file that is not as expected
 */
export const openRgbdCollection = async (folder: string, options: RgbdOptions = {}): Promise<RgbdDataset> => {
  const rooms = readRooms(folder, options);
  if (rooms.length === 0) {
    throw new UsageError(`${folder}: expected folders of RGB-D frames in it, a room each, got none`);
  }
  return datasetOf(folder, rooms);
};

/**
 * Opens whatever a normals target is: a collection of rooms where the folder holds several, one sweep otherwise.
 *
 * @throws UsageError naming the folder or file that is not as expected
 */
export const openRgbdTarget = async (folder: string, options: RgbdOptions = {}): Promise<RgbdDataset> =>
  datasetOf(folder, roomsOf(folder, options));

/**
 * Looks at the names of a target's files and at its cameras, as {@link openRgbdTarget} does, without reading a picture. Returns
 * the number of frames of each room.
 *
 * @throws UsageError naming the folder or file that is not as expected
 */
export const checkRgbdTarget = (folder: string, options: RgbdOptions = {}): number[] =>
  roomsOf(folder, options).map(({ frames }) => frames.length);

/**
 * Looks at a sweep as {@link openRgbdDataset} does, without reading a picture. Returns the number of frames.
 *
 * @throws UsageError naming the folder or file that is not as expected
 */
export const checkRgbdDataset = (folder: string, options: RgbdOptions = {}): number =>
  readSweep(folder, options).frames.length;

const roomsOf = (folder: string, options: RgbdOptions): RgbdRoom[] => {
  const rooms = readRooms(folder, options);
  return rooms.length > 0 ? rooms : [readSweep(folder, options)];
};

const datasetOf = async (folder: string, rooms: readonly RgbdRoom[]): Promise<RgbdDataset> => ({
  name: path.basename(path.resolve(folder)),
  rooms,
  frames: rooms.flatMap(({ frames }) => frames),
  digest: await digestOf(rooms),
});

/** A room of a loaded target: `frames` of them, after those of the rooms before it. */
export type LoadedRoom = {
  readonly name: string;
  readonly frames: number;
  /** Where its camera's numbers come from. */
  readonly camera: string;
};

/** Pictures and normals of all frames, in memory. Frame i owns picture i and rows `[i, height, width]` of the maps. */
export type LoadedNormals = {
  readonly frames: readonly string[];
  /** In the order of the frames. @default one room of them all */
  readonly rooms?: readonly LoadedRoom[];
  readonly colour: PixelCache;
  readonly width: number;
  readonly height: number;
  /** `[frames, height, width, 3]`; zeros where not valid. */
  readonly normals: Float32Array;
  /** `[frames, height, width]`, 1 or 0. */
  readonly valid: Uint8Array;
  /** sha256 of the data set and of how the normals were made. */
  readonly digest: string;
};

/**
 * Decodes colours at `size` px (a trunk's `inputSize`, without keeping the aspect) and takes normals every `stride` pixels of
 * the original picture, or on a raster of 160 x 120 where pictures differ in size: the exact ones where the set has them, fitted
 * ones elsewhere.
 *
 * @throws UsageError naming the file that cannot be decoded, is of another size than its camera, or not registered
 */
export const loadNormals = async (
  dataset: RgbdDataset,
  size: number,
  options: NormalFitOptions = {},
): Promise<LoadedNormals> => {
  const { frames, rooms } = dataset;
  const [width, height] = options.grid ?? (await rasterOf(dataset, options.stride ?? 4));
  const bytes = frames.length * width * height * 3 * Float32Array.BYTES_PER_ELEMENT;
  if (bytes > maxBytes) {
    throw new UsageError(
      `${dataset.name}: expected at most 4 GiB of normals, got ${(bytes / 2 ** 30).toFixed(1)} GiB: ${frames.length} frames of ${width} x ${height}`,
    );
  }
  const normals = new Float32Array(frames.length * width * height * 3);
  const valid = new Uint8Array(frames.length * width * height);
  for (const [i, frame] of frames.entries()) {
    const map = await normalsOf(dataset, frame, { ...options, grid: [width, height] });
    normals.set(map.normals, i * width * height * 3);
    valid.set(map.valid, i * width * height);
  }
  const several = rooms.length > 1;
  return {
    frames: rooms.flatMap((room) => room.frames.map(({ name }) => (several ? `${room.name}/${name}` : name))),
    rooms: rooms.map((room) => ({
      name: room.name,
      frames: room.frames.length,
      camera: [...new Set(room.frames.map(({ view }) => view.origin))].join(', '),
    })),
    colour: await buildPixelCache(
      frames.map(({ colour }) => colour),
      size,
    ),
    width,
    height,
    normals,
    valid,
    digest: createHash('sha256')
      .update(`normals ${dataset.digest} ${JSON.stringify(options, Object.keys(options).sort())}`)
      .digest('hex'),
  };
};

/** Depth of a frame in metres, in the colour camera's pixels. */
export const loadDepth = async (dataset: RgbdDataset, frame: RgbdFrame): Promise<DepthMap> => {
  const { depth, view } = frame;
  if (!depth) throw new UsageError(`${dataset.name}, frame ${frame.name}: no depth file`);
  const encoded = await depth.read();
  const { depth: kind } = await decoding(dataset, depth, () =>
    openPicture(encoded, { maxPixels: maxFramePixels }).metadata(),
  );
  if (kind !== 'ushort')
    throw new UsageError(
      `${depth.label} of ${dataset.name}: expected depth of 16 bits a pixel, got 8: a picture made to be looked at is no measure`,
    );
  const { data, info } = await decoding(dataset, depth, () =>
    openPicture(encoded, { maxPixels: maxFramePixels })
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true }),
  );
  checkSize(dataset, frame, info);
  const values = new Uint16Array(data.buffer, data.byteOffset, info.width * info.height * info.channels);
  const metres = new Float32Array(info.width * info.height);
  let known = 0;
  let far = 0;
  for (let i = 0; i < metres.length; i++) {
    const value = values[i * info.channels] as number;
    if (value === 0 || value === 65535) continue;
    known++;
    const depth = value / view.depthScale;
    if (depth > maxDepth) far++;
    else metres[i] = depth;
  }
  if (far > known / 2) {
    throw new UsageError(
      `${depth.label} of ${dataset.name}: ${far} of ${known} pixels lie beyond ${maxDepth} m at ${view.depthScale} units a metre (${view.origin}); ` +
        'say in a camera.json what `depth_scale` is right',
    );
  }
  const map = { width: info.width, height: info.height, data: metres };
  return view.rig ? registerDepth(map, view.rig) : map;
};

type Size = { readonly width: number; readonly height: number };

const checkSize = ({ name }: RgbdDataset, { name: frame, view }: RgbdFrame, { width, height }: Size): void => {
  if (view.size && (view.size[0] !== width || view.size[1] !== height)) {
    throw new UsageError(
      `${name}, frame ${frame}: expected depth of ${view.size.join(' x ')} px, for which its camera is (${view.origin}), got ${width} x ${height}; ` +
        'write a camera.json for these pictures',
    );
  }
};

const sizeOf = async (dataset: RgbdDataset, file: DataFile): Promise<Size> => {
  const encoded = await file.read();
  return decoding(dataset, file, () => openPicture(encoded, { strict: false }).metadata());
};

/** Size of the raster of normals; looks at the sizes of all pictures, and refuses depth of another shape than its colours. */
const rasterOf = async (dataset: RgbdDataset, stride: number): Promise<readonly [number, number]> => {
  let first: Size | undefined;
  let differ = false;
  for (const { colour, depth, normal } of dataset.frames) {
    const file = (normal ?? depth) as DataFile;
    const [seen, { width, height }] = [await sizeOf(dataset, colour), await sizeOf(dataset, file)];
    if (Math.abs((seen.width * height) / (seen.height * width) - 1) > 0.02) {
      throw new UsageError(
        `${dataset.name}: expected ${file.label} to be registered with its colours, pixel by pixel, got ${width} x ${height} px for ${seen.width} x ${seen.height}`,
      );
    }
    first ??= { width, height };
    differ ||= first.width !== width || first.height !== height;
  }
  return differ || !first ? commonRaster : gridSize(first.width, first.height, stride);
};

const normalsOf = async (dataset: RgbdDataset, frame: RgbdFrame, options: NormalFitOptions): Promise<NormalMap> =>
  frame.normal
    ? decodeNormals(dataset, frame.normal, options.grid as readonly [number, number])
    : normalsFromDepth(await loadDepth(dataset, frame), frame.view.camera, options);

/** Does the decoding of a file; an error of it names the file. */
const decoding = async <T>({ name }: RgbdDataset, file: DataFile, decode: () => Promise<T>): Promise<T> => {
  try {
    return await decode();
  } catch (error) {
    throw new UsageError(`Could not decode ${file.label} of ${name}: ${(error as Error).message}`, { cause: error });
  }
};

const decodeNormals = async (
  dataset: RgbdDataset,
  file: DataFile,
  [width, height]: readonly [number, number],
): Promise<NormalMap> => {
  const encoded = await file.read();
  const { data, info } = await decoding(dataset, file, () =>
    openPicture(encoded, { maxPixels: maxFramePixels }).removeAlpha().raw().toBuffer({ resolveWithObject: true }),
  );
  if (info.channels !== 3) {
    throw new UsageError(`Expected ${file.label} to be an RGB picture, got ${info.channels} channel(s)`);
  }
  const normals = new Float32Array(width * height * 3);
  const valid = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const pixel = gridPixel(row, height, info.height) * info.width + gridPixel(column, width, info.width);
      const [x, y, z] = [0, 1, 2].map((c) => ((data[pixel * 3 + c] as number) / 255) * 2 - 1) as [
        number,
        number,
        number,
      ];
      const length = Math.hypot(x, y, z);
      if (Math.abs(length - 1) > 0.05) continue; // eight bits cost at most 0.007: anything else is no normal
      const at = row * width + column;
      normals.set([x / length, y / length, z / length], at * 3);
      valid[at] = 1;
    }
  }
  return { width, height, normals, valid };
};

const digestOf = async (rooms: readonly RgbdRoom[]): Promise<string> => {
  const hash = createHash('sha256').update('rgbd\n');
  for (const { frames } of rooms) {
    hash.update(`room of ${frames.length}\n`);
    for (const { colour, depth, normal, view } of frames) {
      const { camera, depthScale, rig = null } = view;
      hash.update(JSON.stringify([camera.fx, camera.fy, camera.cx, camera.cy, depthScale, rig]));
      for (const file of [colour, depth, normal]) {
        const content = file
          ? createHash('sha256')
              .update(await file.read())
              .digest('hex')
          : 'none';
        hash.update(`\n${content}`);
      }
    }
  }
  return hash.digest('hex');
};
