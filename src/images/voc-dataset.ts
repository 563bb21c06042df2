import type { RandomStream } from '../numeric/random.js';
import { UsageError } from '../pipeline/usage-error.js';
import { classesIn, findPicture, splitImages, type DetectionListing, type ListedImage } from './detection-listing.js';
import type { DataFile, FileTree } from './file-tree.js';
import { readVocAnnotation } from './voc-annotation.js';
import { maxAnnotationBytes } from './voc-xml.js';

const endings = ['.jpg', '.jpeg', '.png', '.webp', '.JPG', '.JPEG', '.PNG'];

/** Where Pascal VOC's folders begin in a tree, each as a prefix of labels: '' or such as `VOC2007/`. */
export const vocRoots = (tree: FileTree): string[] => [
  ...new Set(
    [...tree.keys()].flatMap((label) => {
      const found = /^((?:.*\/)?)Annotations\/[^/]+\.xml$/.exec(label);
      return found ? [found[1] as string] : [];
    }),
  ),
];

/**
 * Lists a data set in Pascal VOC's layout below `root` (see `openDetectionDataset`): classes in code-unit order of their names.
 *
 * @throws UsageError naming the list, annotation or picture that is not as expected
 */
export const listVocDataset = (
  tree: FileTree,
  root: string,
  folder: string,
  testShare: number,
  random: RandomStream,
): DetectionListing => {
  const cache = new Map<string, ListedImage>();
  const image = (name: string): ListedImage => {
    const image = cache.get(name) ?? readImage(tree, root, folder, name);
    cache.set(name, image);
    return image;
  };
  const lists = namedLists(tree, root, folder);
  const { train, test } = lists
    ? { train: lists.train.map(image), test: lists.test.map(image) }
    : splitImages(annotated(tree, root).map(image), testShare, random, folder);
  const trained = classesIn(train);
  for (const { source, objects } of test) {
    const unknown = objects.find(({ className }) => !trained.has(className));
    if (unknown) {
      throw new UsageError(`${source}: class \`${unknown.className}\` has no box in the train part of ${folder}`);
    }
  }
  return { classes: [...trained].sort(), train, test, remarks: [] };
};

const annotated = (tree: FileTree, root: string): string[] =>
  [...tree.keys()].flatMap((label) => {
    const inside = label.startsWith(`${root}Annotations/`) ? label.slice(root.length + 'Annotations/'.length) : '';
    return /^[^/]+\.xml$/.test(inside) ? [inside.slice(0, -'.xml'.length)] : [];
  });

const readImage = (tree: FileTree, root: string, folder: string, name: string): ListedImage => {
  const label = `${root}Annotations/${name}.xml`;
  const source = `${folder}/${label}`;
  const annotation = readVocAnnotation((tree.get(label) as DataFile).read(maxAnnotationBytes) as Buffer, source);
  const folders = ['JPEGImages', annotation.folder ?? 'images', 'images', 'color', 'Annotations'].map(
    (inside) => `${root}${inside}/`,
  );
  const file = findPicture(tree, [...folders, root], name, endings);
  if (!file) throw new UsageError(`${source}: expected its picture as ${root}JPEGImages/${name}.jpg, got none`);
  const objects = annotation.objects.map((object) => ({ ...object, crowd: false }));
  return { name, source, file, ...(annotation.size ? { size: annotation.size } : {}), objects };
};

/**
 * Names in `ImageSets/Main`, if there is such a folder: `trainval` (else `train`) and `test` where the annotations of `test` are
 * here, else `train` and `val`.
 */
const namedLists = (tree: FileTree, root: string, folder: string): { train: string[]; test: string[] } | undefined => {
  const sets = `${root}ImageSets/Main/`;
  if (![...tree.keys()].some((label) => label.startsWith(sets) && label.endsWith('.txt'))) return undefined;
  const names = (part: string): string[] | undefined => {
    const file = tree.get(`${sets}${part}.txt`);
    return file && linesOf(String(file.read()));
  };
  const known = (name: string): boolean => tree.has(`${root}Annotations/${name}.xml`);
  const published = names('test')?.some(known) ? names('test') : undefined;
  const [train, trainList] =
    published && names('trainval') ? [names('trainval'), 'trainval'] : [names('train'), 'train'];
  const [test, testList] = published ? [published, 'test'] : [names('val'), 'val'];
  if (!test) {
    const why = names('test') ? 'a test.txt without annotated pictures, and no val.txt' : 'neither';
    throw new UsageError(
      `${folder}/${sets}: expected a list to test on, val.txt or a test.txt with annotated pictures, got ${why}`,
    );
  }
  if (!train) {
    const expected = published ? 'train.txt or trainval.txt' : 'train.txt beside val.txt';
    throw new UsageError(`${folder}/${sets}: expected a list to train on, ${expected}, got none`);
  }
  const seen = new Map<string, string>();
  for (const [list, part] of [[trainList, train] as const, [testList, test] as const]) {
    for (const name of part) {
      if (!known(name)) throw new UsageError(`${folder}/${sets}${list}.txt: no annotation Annotations/${name}.xml`);
      const before = seen.get(name);
      if (before !== undefined) {
        const where = before === list ? `twice in ${list}.txt` : `in ${before}.txt and in ${list}.txt`;
        throw new UsageError(`${folder}/${sets}: expected each picture once, got \`${name}\` ${where}`);
      }
      seen.set(name, list);
    }
  }
  return { train, test };
};

/** A line is a name; lists a class have a flag behind it. */
const linesOf = (text: string): string[] =>
  text.split(/\r?\n/).flatMap((line) => (line.trim() === '' ? [] : [line.trim().split(/\s+/)[0] as string]));
