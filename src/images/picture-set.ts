import { RandomStream } from '../numeric/random.js';
import { UsageError } from '../pipeline/usage-error.js';
import { checkClassDataset, enterFolder, isPicture, openClassDataset } from './class-dataset.js';
import type { DataFile } from './file-tree.js';

/** Pictures to learn from without labels. */
export type PictureSet = {
  readonly files: readonly DataFile[];
  /** Whether the folder has classes, whose test part is left out. */
  readonly hasClasses: boolean;
};

/** How a set is opened. */
export type PictureSetOptions = {
  /** As for {@link openClassDataset}: with the same share and seed, the same pictures are left out as are tested on. */
  readonly testShare: number;
  /** At most so many, drawn by `seed`; of classes alike where there are some. @default all */
  readonly maxImages?: number;
  readonly seed: number;
};

/**
 * Whether a folder is laid out in classes, so that what is learned from it can be tried on it. One with a training part of its
 * own is, and where something is wrong with it that is said; folders in a folder may be classes or an album, and where they do
 * not do as classes they are taken for an album.
 *
 * @throws UsageError for what is no folder, for a training part without a test part that fits it, and for parts in other letters (`Train`)
 */
export const hasClasses = (folder: string): boolean => whyNoClasses(folder) === undefined;

/** Why a folder is not taken as one of classes, in words; `undefined` where it is. Throws as {@link hasClasses} does. */
export const whyNoClasses = (folder: string): string | undefined => {
  const names = [...enterFolder(folder).keys()];
  const odd = names
    .filter(isPicture)
    .map((name) => /^(train|test)(?=\/[^/]+\/)/i.exec(name)?.[0])
    .find((part) => part && part !== part.toLowerCase());
  if (odd !== undefined)
    throw new UsageError(
      `${folder}: expected the parts of a folder of classes to be named train and test, got \`${odd}\``,
    );
  try {
    checkClassDataset(folder);
    return undefined;
  } catch (error) {
    const isSplit = names.some((name) => name === 'train.txt' || /^train\/[^/]+\/[^/]+$/.test(name));
    if (isSplit || !(error instanceof UsageError)) throw error;
    return error.message;
  }
};

/**
 * Looks at the names of a folder's files, as {@link openPictureSet} does, without reading a picture.
 *
 * @throws UsageError where there are not two pictures to learn from
 */
export const checkPictureSet = (folder: string): void => {
  if (!hasClasses(folder)) picturesBelow(folder);
};

const picturesBelow = (folder: string): DataFile[] => {
  const files = [...enterFolder(folder).values()].filter(({ label }) => isPicture(label));
  if (files.length >= 2) return files;
  throw new UsageError(
    `${folder}: expected a folder with at least 2 pictures as .jpg, .png or .webp to learn from (or with one zip archive of them), got ${files.length}`,
  );
};

/**
 * Every picture below a folder, or in the one zip archive in it, to learn from without labels. Where the folder is laid out in
 * classes with or without a test part, the training part alone: what features are measured on is never learned from.
 *
 * @throws UsageError where there is no picture
 */
export const openPictureSet = async (
  folder: string,
  { testShare, maxImages, seed }: PictureSetOptions,
): Promise<PictureSet> => {
  if (hasClasses(folder)) {
    const { train } = await openClassDataset(folder, { testShare });
    return { files: drawAlike(train, maxImages, seed), hasClasses: true };
  }
  const files = picturesBelow(folder);
  const random = RandomStream.of(seed, 'pictures');
  return { files: draw(files, maxImages, random), hasClasses: false };
};

/** Some of a list by chance, in its order. */
const draw = <T>(list: readonly T[], most: number | undefined, random: RandomStream): readonly T[] =>
  most === undefined || most >= list.length
    ? list
    : [...random.sample(list.length, most)].sort((a, b) => a - b).map((i) => list[i] as T);

/** As many of each class as go, one more of the first classes where they do not go evenly. */
const drawAlike = (
  part: readonly { readonly file: DataFile; readonly label: number }[],
  most: number | undefined,
  seed: number,
): DataFile[] => {
  if (most === undefined || most >= part.length) return part.map(({ file }) => file);
  const labels = [...new Set(part.map(({ label }) => label))].sort((a, b) => a - b);
  // Round by round, a picture of each class, so that a small class gives its place to the others.
  const queues = labels.map((label) => {
    const own = part.filter((entry) => entry.label === label);
    return RandomStream.of(seed, 'pictures', label)
      .shuffle([...own.keys()])
      .map((i) => own[i]!);
  });
  const drawn = new Set<object>();
  for (let round = 0; drawn.size < most; round++) {
    for (const queue of queues) if (drawn.size < most && queue[round]) drawn.add(queue[round]!);
  }
  return part.filter((entry) => drawn.has(entry)).map(({ file }) => file);
};
