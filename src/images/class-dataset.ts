import { createHash } from 'node:crypto';
import path from 'node:path';
import { RandomStream } from '../numeric/random.js';
import { UsageError } from '../pipeline/usage-error.js';
import { readFolder, readZip, type DataFile, type FileTree } from './file-tree.js';
import { buildPixelCache, type PixelCache } from './pixel-cache.js';

/** A picture and the number of its class. */
export type LabelledFile = { readonly file: DataFile; readonly label: number };

/** A classification data set, split for good: nothing of `test` may touch training or the choice of a setting. */
export type ClassDataset = {
  /** The folder's name, for tables. */
  readonly name: string;
  /** Class names in code-unit order; labels index them. */
  readonly classes: readonly string[];
  readonly train: readonly LabelledFile[];
  readonly test: readonly LabelledFile[];
  /** sha256 over contents, labels, split and order; no paths of the machine. */
  readonly digest: string;
};

/** How to open a data set. */
export type ClassDatasetOptions = {
  /**
   * Share of each class for `test`, where the data set brings no split of its own.
   * @default 0.4
   */
  readonly testShare?: number;
  /**
   * Seed of that split and of the choice below.
   * @default 1
   */
  readonly seed?: number;
  /** At most that many pictures a class, chosen by the seed; all if absent. */
  readonly trainPerClass?: number;
  readonly testPerClass?: number;
};

/** Whether a file's name is that of a picture that can be decoded. */
export const isPicture = (name: string): boolean => /\.(jpe?g|png|webp)$/i.test(name);

/**
 * Opens a folder of classes. Understood layouts:
 * `train/<class>/…` with `test/<class>/…` (or `val/`); `train.txt` and `test.txt` with lines `<class>/<file>` beside a folder of
 * classes (Caltech-101); `<class>/…` alone, split here by the seed, class by class; and a folder that holds none of these but
 * one zip archive with one of them inside.
 *
 * @throws UsageError naming the folder, class or file that is not as expected
 */
export const openClassDataset = async (folder: string, options: ClassDatasetOptions = {}): Promise<ClassDataset> => {
  const { testShare = 0.4, seed = 1, trainPerClass, testPerClass } = options;
  if (!(testShare > 0 && testShare < 1)) {
    throw new RangeError(
      `Expected \`testShare\` to be a number between 0 and 1, got \`${testShare}\` (${typeof testShare})`,
    );
  }
  const { split, names } = readSplit(folder, testShare, seed);
  const numbers = new Map(names.map((name, i) => [name, i]));
  const label = (part: readonly Named[], limit: number | undefined, which: string): LabelledFile[] =>
    limited(part, limit, RandomStream.of(seed, 'per-class', which)).map(({ name, file }) => ({
      file,
      label: numbers.get(name) as number,
    }));
  const train = label(split.train, trainPerClass, 'train');
  const test = label(split.test, testPerClass, 'test');
  const hash = createHash('sha256').update(`classes ${names.join('\n')}\n`);
  for (const [which, part] of [['train', train] as const, ['test', test] as const]) {
    for (const { file, label: number } of part) {
      const content = createHash('sha256').update(await file.read());
      hash.update(`${which} ${number} ${content.digest('hex')}\n`);
    }
  }
  return { name: path.basename(path.resolve(folder)), classes: names, train, test, digest: hash.digest('hex') };
};

/**
 * Looks at the names of a folder's files, as {@link openClassDataset} does, without reading a picture.
 *
 * @throws UsageError naming the folder, class or file that is not as expected
 */
export const checkClassDataset = (folder: string): void => void readSplit(folder, 0.5, 1);

/** A data set in memory: pixels of both parts at one size, and their labels. */
export type LoadedClasses = {
  readonly classes: readonly string[];
  readonly train: PixelCache;
  readonly trainLabels: Int32Array;
  readonly test: PixelCache;
  readonly testLabels: Int32Array;
  readonly digest: string;
};

/** Decodes both parts at `size` px (a trunk's `inputSize`, when nothing is to be cropped). */
export const loadClassDataset = async (dataset: ClassDataset, size: number): Promise<LoadedClasses> => ({
  classes: dataset.classes,
  train: await buildPixelCache(
    dataset.train.map(({ file }) => file),
    size,
  ),
  trainLabels: Int32Array.from(dataset.train, ({ label }) => label),
  test: await buildPixelCache(
    dataset.test.map(({ file }) => file),
    size,
  ),
  testLabels: Int32Array.from(dataset.test, ({ label }) => label),
  digest: dataset.digest,
});

type Named = { readonly name: string; readonly file: DataFile };
type Split = { readonly train: readonly Named[]; readonly test: readonly Named[] };

const readSplit = (folder: string, testShare: number, seed: number): { split: Split; names: string[] } => {
  const tree = enterFolder(folder);
  refuseForeignPictures(tree, folder);
  const split = splitOf(tree, testShare, seed, folder);
  const names = [...new Set([...split.train, ...split.test].map(({ name }) => name))].sort();
  const trained = new Set(split.train.map(({ name }) => name));
  const untrained = names.filter((name) => !trained.has(name));
  if (untrained.length > 0) {
    throw new UsageError(`${folder}: classes without training pictures: ${untrained.join(', ')}`);
  }
  if (names.length < 2 || split.test.length === 0) {
    throw new UsageError(
      `${folder}: expected at least 2 classes and a test part, got ${names.length} and ${split.test.length}`,
    );
  }
  return { split, names };
};

/** The files of a folder, or of the one zip archive in it, where it holds nothing else of use. */
export const enterFolder = (folder: string): FileTree => {
  const tree = readFolder(folder);
  const top = [...tree.keys()];
  const plain = top.some((name) => /^(train\/|train\.txt$)/.test(name));
  const zips = top.filter((name) => !name.includes('/') && name.toLowerCase().endsWith('.zip'));
  return !plain && zips.length === 1 ? readZip(path.join(folder, zips[0] as string)) : tree;
};

/** A folder of pictures of which none can be read would silently be no class. */
const refuseForeignPictures = (tree: FileTree, folder: string): void => {
  const folderOf = (label: string): string => path.posix.dirname(label);
  const labels = [...tree.keys()];
  const good = new Set(labels.filter(isPicture).map(folderOf));
  const foreign = labels.find(
    (label) => /\.(bmp|tiff?|gif|heic|avif)$/i.test(label) && folderOf(label) !== '.' && !good.has(folderOf(label)),
  );
  if (foreign === undefined) return;
  throw new UsageError(
    `${folder}: expected pictures as .jpg, .png or .webp in ${folderOf(foreign)}, got only others, such as ${foreign}`,
  );
};

const splitOf = (tree: FileTree, testShare: number, seed: number, folder: string): Split => {
  const files = [...tree.values()].filter(({ label }) => isPicture(label));
  const below = (root: string): Named[] =>
    files
      .filter(({ label }) => label.startsWith(root) && label.slice(root.length).split('/').length === 2)
      .map((file) => ({ name: file.label.slice(root.length).split('/')[0] as string, file }));
  const train = below('train/');
  if (train.length > 0) {
    const test = below('test/');
    return { train, test: test.length > 0 ? test : below('val/') };
  }
  if (tree.has('train.txt') && tree.has('test.txt')) {
    return { train: listed(tree, 'train.txt', folder), test: listed(tree, 'test.txt', folder) };
  }
  const roots = [...new Set(files.map(({ label }) => label.split('/').slice(0, -2).join('/')))];
  if (roots.length !== 1 || files.some(({ label }) => !label.includes('/'))) {
    throw new UsageError(
      `${folder}: expected train/<class>/… and test/<class>/…, or train.txt and test.txt, or <class>/… alone, got ${files.length} picture(s) in another layout`,
    );
  }
  const all = below(roots[0] === '' ? '' : `${roots[0]}/`);
  return seededSplit(all, testShare, RandomStream.of(seed, 'class-split'), folder);
};

const listed = (tree: FileTree, list: string, folder: string): Named[] => {
  const text = String((tree.get(list) as DataFile).read());
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  // Below any of the folders, the first that has it.
  const below = new Map<string, DataFile>();
  for (const [label, file] of tree) {
    const inside = label.slice(label.indexOf('/') + 1);
    if (label.includes('/') && !below.has(inside)) below.set(inside, file);
  }
  return lines.flatMap((line, i) => {
    if (line === '') return [];
    const file = tree.get(line) ?? below.get(line);
    if (!file || !line.includes('/'))
      throw new UsageError(`${folder}/${list}, line ${i + 1}: no picture \`${line}\` in the folder`);
    return [{ name: line.split('/').at(-2) as string, file }];
  });
};

const byClass = (part: readonly Named[]): Map<string, Named[]> => {
  const groups = new Map<string, Named[]>();
  for (const item of part) {
    const group = groups.get(item.name);
    if (group) group.push(item);
    else groups.set(item.name, [item]);
  }
  return groups;
};

const seededSplit = (all: readonly Named[], testShare: number, random: RandomStream, folder: string): Split => {
  const train: Named[] = [];
  const test: Named[] = [];
  for (const [name, group] of byClass(all)) {
    if (group.length < 2) {
      throw new UsageError(
        `${folder}: expected at least 2 pictures of class \`${name}\` to split, got ${group.length}`,
      );
    }
    const count = Math.min(group.length - 1, Math.max(1, Math.round(group.length * testShare)));
    const chosen = new Set(random.sample(group.length, count));
    group.forEach((item, i) => (chosen.has(i) ? test : train).push(item));
  }
  return { train, test };
};

const limited = (part: readonly Named[], limit: number | undefined, random: RandomStream): readonly Named[] => {
  if (limit === undefined) return part;
  if (!Number.isInteger(limit) || limit < 1) {
    throw new RangeError(`Expected a number of pictures a class from 1, got \`${limit}\` (${typeof limit})`);
  }
  return [...byClass(part).values()].flatMap((group) =>
    group.length <= limit
      ? group
      : random
          .sample(group.length, limit)
          .sort((a, b) => a - b)
          .map((i) => group[i] as Named),
  );
};
