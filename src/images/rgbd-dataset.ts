import { createHash } from 'node:crypto';
import path from 'node:path';
import sharp from 'sharp';
import { UsageError } from '../pipeline/usage-error.js';
import { registerDepth, sevenScenesRig, type Camera, type DepthMap } from './camera.js';
import { readFolder, type DataFile, type FileTree } from './file-tree.js';
import { gridPixel, gridSize, normalsFromDepth, type NormalFitOptions, type NormalMap } from './normals-from-depth.js';
import { buildPixelCache, type PixelCache } from './pixel-cache.js';

/** One frame of an RGB-D sweep, by its files. */
export type RgbdFrame = {
  readonly name: string;
  readonly colour: DataFile;
  readonly depth?: DataFile;
  readonly normal?: DataFile;
};

/** An RGB-D sweep of one camera through one place, frames in order of their numbers. */
export type RgbdDataset = {
  readonly name: string;
  /** `7-scenes`: depth of another camera than the colours, brought to them here. `registered`: depth pixel by pixel with the colours. */
  readonly layout: '7-scenes' | 'registered';
  readonly frames: readonly RgbdFrame[];
  readonly camera: Camera;
  /** Units of the depth files a metre. */
  readonly depthScale: number;
  /** sha256 over contents and order; no paths of the machine. */
  readonly digest: string;
};

/** Depth from here on is beyond what the sensors measure, and counts as unknown. */
const maxDepth = 10;

/**
 * Opens a folder of RGB-D frames. Understood layouts: `frame-NNNNNN.color.(jpg|png)` with `frame-NNNNNN.depth.png` (7-Scenes:
 * 16-bit mm, 0 and 65535 unknown, not registered), and `color/N.(png|jpg)` with `depth/N.png` and a `camera.json`
 * (`intrinsic_matrix` of nine numbers column by column as RealSense tools write it, optional `depth_scale`, 1000 a metre by
 * default). Beside the latter, `normal/N.png` holds exact normals, RGB = `round((n + 1) / 2 * 255)`, which then replace the fit.
 *
 * @throws UsageError naming the folder or file that is not as expected
 */
export const openRgbdDataset = async (folder: string): Promise<RgbdDataset> => {
  const { camera, depthScale, ...found } = readRgbdFolder(folder);
  return {
    name: path.basename(path.resolve(folder)),
    layout: found.layout,
    frames: found.frames,
    camera,
    depthScale,
    digest: await digestOf(found.frames, found.text),
  };
};

/**
 * Looks at the names of a folder's files and at its camera, as {@link openRgbdDataset} does, without reading a picture. Returns
 * the number of frames.
 *
 * @throws UsageError naming the folder or file that is not as expected
 */
export const checkRgbdDataset = (folder: string): number => readRgbdFolder(folder).frames.length;

/** A folder's files sorted into frames; `text` is what stands for the camera in the digest. */
const readRgbdFolder = (folder: string): Omit<RgbdDataset, 'name' | 'digest'> & { readonly text: string } => {
  const tree = readFolder(folder);
  const sevenScenes = framesOfSevenScenes(tree, folder);
  if (sevenScenes.length > 0) {
    const { colour: camera } = sevenScenesRig;
    return { layout: '7-scenes', frames: sevenScenes, camera, depthScale: 1000, text: '7-scenes' };
  }
  const camera = tree.get('camera.json');
  const frames = framesOfFolders(tree, folder);
  if (!camera || frames.length === 0) {
    throw new UsageError(
      `${folder}: expected frame-NNNNNN.color.jpg with frame-NNNNNN.depth.png, or color/N.png with depth/N.png and camera.json; got ${frames.length} frame(s) and ${camera ? 'a' : 'no'} camera.json`,
    );
  }
  const text = String(camera.read());
  return { layout: 'registered', frames, ...parseCamera(text, `${folder}/camera.json`), text };
};

/** Pictures and normals of all frames, in memory. Frame i owns picture i and rows `[i, height, width]` of the maps. */
export type LoadedNormals = {
  readonly frames: readonly string[];
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
 * the original picture: the exact ones where the set has them, fitted ones elsewhere.
 */
export const loadNormals = async (
  dataset: RgbdDataset,
  size: number,
  options: NormalFitOptions = {},
): Promise<LoadedNormals> => {
  const maps: NormalMap[] = [];
  for (const frame of dataset.frames) maps.push(await normalsOf(dataset, frame, options));
  const { width, height } = maps[0] as NormalMap;
  const normals = new Float32Array(maps.length * width * height * 3);
  const valid = new Uint8Array(maps.length * width * height);
  maps.forEach((map, i) => {
    if (map.width !== width || map.height !== height) {
      throw new UsageError(`${dataset.name}, frame ${dataset.frames[i]?.name}: size differs from the first frame's`);
    }
    normals.set(map.normals, i * width * height * 3);
    valid.set(map.valid, i * width * height);
  });
  return {
    frames: dataset.frames.map(({ name }) => name),
    colour: await buildPixelCache(
      dataset.frames.map(({ colour }) => colour),
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
  const { depth } = frame;
  if (!depth) throw new UsageError(`${dataset.name}, frame ${frame.name}: no depth file`);
  const encoded = await depth.read();
  const { data, info } = await decoding(dataset, depth, () =>
    sharp(encoded, { failOn: 'error' })
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true }),
  );
  const values = new Uint16Array(data.buffer, data.byteOffset, info.width * info.height * info.channels);
  const metres = new Float32Array(info.width * info.height);
  for (let i = 0; i < metres.length; i++) {
    const value = values[i * info.channels] as number;
    const depth = value / dataset.depthScale;
    metres[i] = value === 65535 || depth > maxDepth ? 0 : depth;
  }
  const map = { width: info.width, height: info.height, data: metres };
  return dataset.layout === '7-scenes' ? registerDepth(map, sevenScenesRig) : map;
};

const normalsOf = async (dataset: RgbdDataset, frame: RgbdFrame, options: NormalFitOptions): Promise<NormalMap> =>
  frame.normal
    ? decodeNormals(dataset, frame.normal, options.stride ?? 4)
    : normalsFromDepth(await loadDepth(dataset, frame), dataset.camera, options);

/** Does the decoding of a file; an error of it names the file. */
const decoding = async <T>({ name }: RgbdDataset, file: DataFile, decode: () => Promise<T>): Promise<T> => {
  try {
    return await decode();
  } catch (error) {
    throw new UsageError(`Could not decode ${file.label} of ${name}: ${(error as Error).message}`, { cause: error });
  }
};

const decodeNormals = async (dataset: RgbdDataset, file: DataFile, stride: number): Promise<NormalMap> => {
  const encoded = await file.read();
  const { data, info } = await decoding(dataset, file, () =>
    sharp(encoded, { failOn: 'error' }).removeAlpha().raw().toBuffer({ resolveWithObject: true }),
  );
  if (info.channels !== 3) {
    throw new UsageError(`Expected ${file.label} to be an RGB picture, got ${info.channels} channel(s)`);
  }
  const [width, height] = gridSize(info.width, info.height, stride);
  const normals = new Float32Array(width * height * 3);
  const valid = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const pixel = gridPixel(row, stride, info.height) * info.width + gridPixel(column, stride, info.width);
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

const framesOfSevenScenes = (tree: FileTree, folder: string): RgbdFrame[] =>
  [...tree.values()].flatMap((colour) => {
    const name = /^(.*frame-\d+)\.color\.(?:jpg|png)$/.exec(colour.label)?.[1];
    if (name === undefined) return [];
    const depth = tree.get(`${name}.depth.png`);
    if (!depth) throw new UsageError(`${folder}/${colour.label}: expected ${name}.depth.png beside it`);
    return [{ name, colour, depth }];
  });

const framesOfFolders = (tree: FileTree, folder: string): RgbdFrame[] =>
  [...tree.values()]
    .flatMap((colour) => {
      const name = /^color\/([^/]+)\.(?:jpe?g|png)$/.exec(colour.label)?.[1];
      if (name === undefined) return [];
      const depth = tree.get(`depth/${name}.png`);
      const normal = tree.get(`normal/${name}.png`);
      if (!depth && !normal) {
        throw new UsageError(`${folder}/${colour.label}: expected depth/${name}.png or normal/${name}.png`);
      }
      return [{ name, colour, ...(depth ? { depth } : {}), ...(normal ? { normal } : {}) }];
    })
    .sort((a, b) => Number(a.name) - Number(b.name) || (a.name < b.name ? -1 : 1));

const parseCamera = (text: string, label: string): { camera: Camera; depthScale: number } => {
  const parsed = parseObject(text, label) as { intrinsic_matrix?: unknown; depth_scale?: unknown };
  const matrix = parsed.intrinsic_matrix;
  if (!Array.isArray(matrix) || matrix.length !== 9 || !matrix.every((value) => Number.isFinite(value))) {
    throw new UsageError(`${label}: expected \`intrinsic_matrix\` to be nine numbers, column by column`);
  }
  const [fx, , , , fy, , cx, cy] = matrix as number[] as [number, 0, 0, 0, number, 0, number, number];
  const { depth_scale: depthScale = 1000 } = parsed;
  if (!(fx > 0 && fy > 0) || !(typeof depthScale === 'number' && depthScale > 0)) {
    throw new UsageError(
      `${label}: expected focal lengths and \`depth_scale\` above 0, got ${fx}, ${fy} and ${String(depthScale)}`,
    );
  }
  return { camera: { fx, fy, cx, cy }, depthScale };
};

const parseObject = (text: string, label: string): object => {
  try {
    const parsed = JSON.parse(text) as unknown;
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch (error) {
    throw new UsageError(`${label}: expected JSON: ${(error as Error).message}`);
  }
  throw new UsageError(`${label}: expected an object with \`intrinsic_matrix\``);
};

const digestOf = async (frames: readonly RgbdFrame[], camera: string): Promise<string> => {
  const hash = createHash('sha256').update(`rgbd ${camera}\n`);
  for (const { colour, depth, normal } of frames) {
    for (const file of [colour, depth, normal]) {
      hash
        .update(
          file
            ? createHash('sha256')
                .update(await file.read())
                .digest('hex')
            : 'none',
        )
        .update('\n');
    }
  }
  return hash.digest('hex');
};
