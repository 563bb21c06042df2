import { createHash } from 'node:crypto';
import path from 'node:path';
import PQueue from 'p-queue';
import { intersect, type Box } from '../numeric/box.js';
import { RandomStream } from '../numeric/random.js';
import type { Raster } from '../numeric/raster.js';
import { UsageError } from '../pipeline/usage-error.js';
import { cocoParts, listCocoDataset } from './coco-dataset.js';
import type { DetectionListing, ListedImage } from './detection-listing.js';
import { readFolder, type DataFile } from './file-tree.js';
import { openPicture } from './open-picture.js';
import { listVocDataset, vocRoots } from './voc-dataset.js';

/** One object of a picture, in pixels of that picture. */
export type DetectionObject = {
  /** Index into the data set's `classes`. */
  readonly label: number;
  /** Edges in continuous pixels from 0, inside the picture, never empty. */
  readonly box: Box;
  /** VOC: so hard to make out that evaluation neither asks for it nor counts it. */
  readonly difficult: boolean;
  /** COCO: one box around many of a kind; what is found inside is neither right nor wrong. */
  readonly crowd: boolean;
  /** Area of the object itself in square pixels (COCO's segment), by which COCO sorts small from large; that of the box if absent. */
  readonly area?: number;
};

/** A picture with its objects. */
export type DetectionImage = {
  readonly file: DataFile;
  /** The name in the annotations, without folder and ending. */
  readonly name: string;
  /** Size in px, of the picture as its boxes see it (see {@link openDetectionDataset} on cameras' orientation flags). */
  readonly width: number;
  readonly height: number;
  readonly objects: readonly DetectionObject[];
};

/** A detection data set, split for good: nothing of `test` may touch training or the choice of a setting. */
export type DetectionDataset = {
  /** The folder's name, for tables. */
  readonly name: string;
  /** Class names; labels index them. Each has a box in `train`. */
  readonly classes: readonly string[];
  readonly train: readonly DetectionImage[];
  readonly test: readonly DetectionImage[];
  /** Boxes that were left out, and why: one line each, naming the picture by its path in the data set. */
  readonly remarks: readonly string[];
  /** sha256 over contents, boxes, split and order; no paths of the machine. */
  readonly digest: string;
};

/** A decoded picture, no larger than was asked for, with its objects in pixels of the raster. */
export type LoadedImage = {
  readonly name: string;
  readonly raster: Raster;
  /** Raster px per px of the picture, at most 1. */
  readonly scale: number;
  readonly objects: readonly DetectionObject[];
};

/** A detection data set in memory. */
export type LoadedDetection = {
  readonly classes: readonly string[];
  readonly train: readonly LoadedImage[];
  readonly test: readonly LoadedImage[];
  readonly digest: string;
};

/** How to open a data set. */
export type DetectionDatasetOptions = {
  /**
   * Share of the pictures for `test`, where the data set brings no split of its own.
   * @default 0.4
   */
  readonly testShare?: number;
  /**
   * Seed of that split.
   * @default 1
   */
  readonly seed?: number;
};

/**
 * Opens a folder of pictures with boxes. Understood layouts:
 *
 * * Pascal VOC: `Annotations/NAME.xml`, the picture in `JPEGImages/` (or in the folder that the annotation names, `images/`, or
 *   beside it), lists in `ImageSets/Main/`: `trainval.txt` (or `train.txt`) with `test.txt` where test is annotated, else
 *   `train.txt` with `val.txt`. Without lists the pictures are split by the seed. One folder such as `VOC2007/` may stand around
 *   it all. Classes are the names in train; another one in test is an error, for it may be a slip of the pen.
 * * COCO: `annotations/instances_train….json` with `instances_val….json` (or one file, split by the seed), pictures in
 *   `images/<split>/` or `<split>/`. Classes are the categories with a box in train, by number; see `listCocoDataset`.
 *
 * Boxes are clipped to their picture. One that is then empty can be neither found nor learned: it is left out with a remark.
 *
 * A camera's orientation flag is followed where the annotated size agrees with the turned picture, or is not given; where it
 * agrees only with the picture as stored, the boxes were drawn on that, and the flag is passed over. A size that agrees with
 * neither is an error: the boxes belong to another picture.
 *
 * @throws UsageError naming the folder or file that is not as expected
 */
export const openDetectionDataset = async (
  folder: string,
  options: DetectionDatasetOptions = {},
): Promise<DetectionDataset> => {
  const { testShare = 0.4, seed = 1 } = options;
  if (!(testShare > 0 && testShare < 1)) {
    throw new RangeError(
      `Expected \`testShare\` to be a number between 0 and 1, got \`${testShare}\` (${typeof testShare})`,
    );
  }
  const listing = readListing(folder, testShare, seed);
  const remarks = [...listing.remarks];
  const numbers = new Map(listing.classes.map((name, i) => [name, i]));
  const hash = createHash('sha256').update(`detection ${JSON.stringify(listing.classes)}\n`);
  const open = async (images: readonly ListedImage[], part: string): Promise<DetectionImage[]> => {
    const opened: DetectionImage[] = [];
    for (const listed of images) {
      const bytes = await listed.file.read();
      const image = await openImage(listed, bytes, numbers, remarks);
      const { name, width, height, objects } = image;
      const content = createHash('sha256').update(bytes).digest('hex');
      hash.update(`${part} ${content} ${JSON.stringify([name, width, height, objects])}\n`);
      opened.push(image);
    }
    return opened;
  };
  const train = await open(listing.train, 'train');
  const test = await open(listing.test, 'test');
  // Again: a box outside its picture is left out only now.
  checkBoxes({ train, test }, folder);
  const name = path.basename(path.resolve(folder));
  return { name, classes: listing.classes, train, test, remarks, digest: hash.digest('hex') };
};

/**
 * Reads a folder's annotations as {@link openDetectionDataset} does, without reading a picture.
 *
 * @throws UsageError naming the folder or file that is not as expected
 */
export const checkDetectionDataset = (folder: string): void => void readListing(folder, 0.4, 1);

const readListing = (folder: string, testShare: number, seed: number): DetectionListing => {
  const tree = readFolder(folder);
  const roots = vocRoots(tree);
  const random = RandomStream.of(seed, 'detection-split');
  const layouts = 'Annotations/*.xml (Pascal VOC) or annotations/instances_*.json (COCO)';
  if (roots.length > 1) {
    throw new UsageError(`${folder}: expected one folder of Annotations/*.xml, got one in each of ${roots.join(', ')}`);
  }
  if (roots.length === 0 && cocoParts(tree).length === 0)
    throw new UsageError(`${folder}: expected ${layouts}, got none`);
  const listing =
    roots.length === 1
      ? listVocDataset(tree, roots[0] as string, folder, testShare, random)
      : listCocoDataset(tree, folder, testShare, random);
  checkBoxes(listing, folder);
  return listing;
};

/** Nothing can be learned, or measured, in a part where no box is left that counts. */
const checkBoxes = (
  parts: Readonly<Record<'train' | 'test', readonly { readonly objects: readonly Pick<DetectionObject, 'difficult' | 'crowd'>[] }[]>>, // prettier-ignore
  folder: string,
): void => {
  for (const part of ['train', 'test'] as const) {
    if (parts[part].some(({ objects }) => objects.some(({ difficult, crowd }) => !difficult && !crowd))) continue;
    const got = parts[part].some(({ objects }) => objects.length > 0) ? 'difficult ones and crowds alone' : 'none';
    throw new UsageError(
      `${folder}: expected boxes in the ${part} part, got ${got} in ${parts[part].length} picture(s)`,
    );
  }
};

const openImage = async (
  { name, source, file, size, objects }: ListedImage,
  bytes: Buffer,
  classes: ReadonlyMap<string, number>,
  remarks: string[],
): Promise<DetectionImage> => {
  const { stored, upright } = await sizesOf(bytes, `${file.label} (annotated in ${source})`);
  const [width, height] = size && !equal(size, upright) && equal(size, stored) ? stored : upright;
  if (size && !equal(size, [width, height])) {
    throw new UsageError(
      `${source}: expected ${file.label} to have the annotated ${size.join(' x ')} px, got ${upright.join(' x ')}`,
    );
  }
  const kept = objects.flatMap(({ className, box, ...flags }): DetectionObject[] => {
    const inside = clip(box, width, height);
    if (inside) return [{ label: classes.get(className) ?? -1, box: inside, ...flags }];
    const numbers = [box.x, box.y, box.x + box.width, box.y + box.height].join(', ');
    remarks.push(
      `${file.label}: left out a box of \`${className}\` with nothing in ${width} x ${height} px: ${numbers}`,
    );
    return [];
  });
  return { file, name, width, height, objects: kept };
};

type Size = readonly [width: number, height: number];

const equal = (a: Size, b: Size): boolean => a[0] === b[0] && a[1] === b[1];

/** Decoders list every complaint that they have, a line each. */
const firstLine = (error: unknown): string => (error as Error).message.split('\n')[0] as string;

const sizesOf = async (bytes: Buffer, label: string): Promise<{ stored: Size; upright: Size }> => {
  try {
    const { width, height, orientation = 1 } = await openPicture(bytes, { strict: false }).metadata();
    return { stored: [width, height], upright: orientation >= 5 ? [height, width] : [width, height] };
  } catch (error) {
    throw new UsageError(`Could not read ${label}: ${firstLine(error)}`, { cause: error });
  }
};

/** The part of a box inside a picture; `undefined` where there is none. */
const clip = (box: Box, width: number, height: number): Box | undefined => {
  if (!(box.width > 0 && box.height > 0)) return undefined;
  const inside = intersect(box, { x: 0, y: 0, width, height });
  return inside.width > 0 && inside.height > 0 ? inside : undefined;
};

/** As long as an array of bytes can be. */
const maxPixelBytes = 2 ** 32;

/**
 * Decodes both parts, each picture with its long side at most `maxSidePx`, never enlarged, and brings the boxes to that size:
 * `raster px = scale * picture px` on both axes, where the short side is rounded to whole px and boxes are clipped to it.
 *
 * @throws UsageError for a picture that cannot be decoded, by its label, and for more pixels than fit into 4 GiB
 */
export const loadDetection = async (dataset: DetectionDataset, maxSidePx: number): Promise<LoadedDetection> => {
  if (!Number.isInteger(maxSidePx) || maxSidePx < 16 || maxSidePx > 4096) {
    throw new RangeError(
      `Expected \`maxSidePx\` to be an integer from 16 to 4096, got \`${maxSidePx}\` (${typeof maxSidePx})`,
    );
  }
  const { classes, train, test } = dataset;
  for (const part of [train, test]) {
    const bytes = part.reduce((sum, image) => {
      const { width, height } = rasterSize(image, maxSidePx);
      return sum + 3 * width * height;
    }, 0);
    if (bytes > maxPixelBytes) {
      throw new UsageError(
        `${dataset.name}: expected at most 4 GiB of pixels a part, got ${(bytes / 2 ** 30).toFixed(1)} GiB in ${part.length} pictures at ${maxSidePx} px: lower the size, or give fewer pictures`,
      );
    }
  }
  const queue = new PQueue({ concurrency: 4 });
  const load = (images: readonly DetectionImage[]): Promise<LoadedImage[]> =>
    queue.addAll(images.map((image) => () => loadImage(image, maxSidePx)));
  const digest = createHash('sha256').update(`detection ${dataset.digest} ${maxSidePx}\n`).digest('hex');
  return { classes, train: await load(train), test: await load(test), digest };
};

const rasterSize = ({ width, height }: DetectionImage, maxSidePx: number) => {
  const scale = Math.min(1, maxSidePx / Math.max(width, height));
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  return { scale, width: side(width), height: side(height) };
};

const loadImage = async (image: DetectionImage, maxSidePx: number): Promise<LoadedImage> => {
  const { scale, width, height } = rasterSize(image, maxSidePx);
  const data = await decode(image, width, height);
  const objects = image.objects.map(({ box, area, ...rest }): DetectionObject => {
    const scaled = { x: box.x * scale, y: box.y * scale, width: box.width * scale, height: box.height * scale };
    const inside = clip(scaled, width, height) ?? scaled;
    return { ...rest, box: inside, ...(area === undefined ? {} : { area: area * scale * scale }) };
  });
  return { name: image.name, raster: { width, height, channels: 3, data }, scale, objects };
};

const decode = async (image: DetectionImage, width: number, height: number): Promise<Uint8Array> => {
  const { label } = image.file;
  const bytes = await image.file.read();
  const { upright } = await sizesOf(bytes, label);
  try {
    const picture = openPicture(bytes);
    const { data, info } = await (equal(upright, [image.width, image.height]) ? picture.autoOrient() : picture)
      .flatten({ background: '#000' })
      .toColourspace('srgb')
      .resize(width, height, { fit: 'fill', kernel: 'cubic' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`expected three channels, got ${info.channels}`);
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  } catch (error) {
    throw new UsageError(`Could not decode ${label}: ${firstLine(error)}`, { cause: error });
  }
};
