import type { Box } from '../numeric/box.js';
import type { RandomStream } from '../numeric/random.js';
import { UsageError } from '../pipeline/usage-error.js';
import type { DataFile, FileTree } from './file-tree.js';

/** An object as a file of annotations has it: the box may still reach beyond the picture, or be empty. */
export type ListedObject = {
  readonly className: string;
  readonly box: Box;
  readonly difficult: boolean;
  readonly crowd: boolean;
  readonly area?: number;
};

/** A picture as annotations list it; no picture was read for it. */
export type ListedImage = {
  readonly name: string;
  /** Where it is annotated, for messages. */
  readonly source: string;
  readonly file: DataFile;
  /** Width and height in px as annotated. */
  readonly size?: readonly [number, number];
  readonly objects: readonly ListedObject[];
};

/** A data set as its annotations list it. */
export type DetectionListing = {
  readonly classes: readonly string[];
  readonly train: readonly ListedImage[];
  readonly test: readonly ListedImage[];
  readonly remarks: readonly string[];
};

/** The picture `<folder><name>` in the first of the folders (each with its `/`, or empty) that has it. */
export const findPicture = (
  tree: FileTree,
  folders: readonly string[],
  name: string,
  endings: readonly string[] = [''],
): DataFile | undefined => {
  for (const folder of folders) {
    for (const ending of endings) {
      const file = tree.get(`${folder}${name}${ending}`);
      if (file) return file;
    }
  }
  return undefined;
};

/** The names of the classes that have a box in some pictures. */
export const classesIn = (images: readonly ListedImage[]): Set<string> =>
  new Set(images.flatMap(({ objects }) => objects.map(({ className }) => className)));

/**
 * Splits pictures for a data set that brings no split: a share of them, drawn by the stream, to test on. A picture with the only
 * boxes of a class goes to train: what is never seen cannot be learned.
 */
export const splitImages = (
  images: readonly ListedImage[],
  testShare: number,
  random: RandomStream,
  folder: string,
): { train: readonly ListedImage[]; test: readonly ListedImage[] } => {
  if (images.length < 2) {
    throw new UsageError(`${folder}: expected at least 2 annotated pictures to split, got ${images.length}`);
  }
  const count = Math.min(images.length - 1, Math.max(1, Math.round(images.length * testShare)));
  const inTest = new Set(random.sample(images.length, count));
  const byClass = new Map<string, number[]>();
  for (const [i, { objects }] of images.entries()) {
    for (const className of new Set(objects.map((object) => object.className))) {
      const holding = byClass.get(className);
      if (holding) holding.push(i);
      else byClass.set(className, [i]);
    }
  }
  for (const className of [...byClass.keys()].sort()) {
    const holding = byClass.get(className)!;
    if (holding.every((i) => inTest.has(i))) inTest.delete(holding[0] as number);
  }
  if (inTest.size === 0) {
    throw new UsageError(
      `${folder}: expected pictures to test on whose classes other pictures show too, got none among ${images.length}`,
    );
  }
  const part = (test: boolean): ListedImage[] => images.filter((_, i) => inTest.has(i) === test);
  return { train: part(false), test: part(true) };
};
