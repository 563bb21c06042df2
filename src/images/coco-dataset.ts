import { z } from 'zod';
import type { RandomStream } from '../numeric/random.js';
import { parseForeignJson } from '../pipeline/parse-json.js';
import { UsageError } from '../pipeline/usage-error.js';
import { classesIn, findPicture, splitImages, type DetectionListing, type ListedImage } from './detection-listing.js';
import type { DataFile, FileTree } from './file-tree.js';

/** As long as a string can be in Node; instances_train2017.json, the largest of COCO, has 448 MiB. */
const maxBytes = 500 * 1024 * 1024;

const number = z.number();
const listedPicture = z.object({ id: number, file_name: z.string(), width: number, height: number });
const listedBox = z.object({
  image_id: number,
  category_id: number,
  bbox: z.tuple([number, number, number, number]),
  area: number.optional(),
  iscrowd: z.union([z.literal(0), z.literal(1), z.boolean()]).optional(),
});
const listedCategory = z.object({ id: number, name: z.string() });

type Instances = {
  readonly images: z.infer<typeof listedPicture>[];
  readonly annotations: z.infer<typeof listedBox>[];
  readonly categories: z.infer<typeof listedCategory>[];
};
type Part = { readonly label: string; readonly split: string };

/** The files of instances that a tree holds. */
export const cocoParts = (tree: FileTree): Part[] =>
  [...tree.keys()].flatMap((label) => {
    const split = /^annotations\/instances_([A-Za-z]+\d*)[^/]*\.json$/.exec(label)?.[1];
    return split === undefined ? [] : [{ label, split }];
  });

/**
 * Lists a data set in COCO's layout (see `openDetectionDataset`): classes in the order of their category numbers, those alone that
 * have a box which is no crowd in train. Boxes of others in test are left out with a remark: categories are declared for all of
 * COCO, and a sample of it never has them all.
 *
 * @throws UsageError naming the file, picture or annotation that is not as expected
 */
export const listCocoDataset = (
  tree: FileTree,
  folder: string,
  testShare: number,
  random: RandomStream,
): DetectionListing => {
  const parts = cocoParts(tree);
  const only = (kind: string): Part | undefined => {
    const found = parts.filter(({ split }) => split.startsWith(kind));
    if (found.length < 2) return found[0];
    const labels = found.map(({ label }) => label).join(', ');
    throw new UsageError(`${folder}: expected one file of instances for ${kind}, got ${labels}`);
  };
  const [train, test] = [only('train'), only('val') ?? only('test')];
  if (train && test) {
    const [first, second] = [readPart(tree, train, folder), readPart(tree, test, folder)];
    if (namesOf(first.categories) !== namesOf(second.categories)) {
      throw new UsageError(`${folder}: expected the same categories in ${train.label} and ${test.label}, got others`);
    }
    return withKnownClasses(first.categories, first.images, second.images);
  }
  if (parts.length !== 1) {
    const labels = parts.map(({ label }) => label).join(', ');
    throw new UsageError(
      `${folder}: expected annotations/instances_train….json and instances_val….json, or a single one, got ${labels}`,
    );
  }
  const { images, categories } = readPart(tree, parts[0] as Part, folder);
  const split = splitImages(images, testShare, random, folder);
  return withKnownClasses(categories, split.train, split.test);
};

const namesOf = (categories: Instances['categories']): string => JSON.stringify(inOrder(categories));

const inOrder = (categories: Instances['categories']): [number, string][] =>
  categories.map(({ id, name }): [number, string] => [id, name]).sort((a, b) => a[0] - b[0]);

const withKnownClasses = (
  categories: Instances['categories'],
  train: readonly ListedImage[],
  test: readonly ListedImage[],
): DetectionListing => {
  const remarks: string[] = [];
  const trained = classesIn(train.map((image) => ({ ...image, objects: image.objects.filter(({ crowd }) => !crowd) })));
  const keep = (image: ListedImage, part: string): ListedImage => ({
    ...image,
    objects: image.objects.filter(({ className }) => {
      if (!trained.has(className)) {
        remarks.push(`${image.file.label}: left out a box of \`${className}\` (${part}), which train has none of`);
      }
      return trained.has(className);
    }),
  });
  return {
    classes: inOrder(categories).flatMap(([, name]) => (trained.has(name) ? [name] : [])),
    train: train.map((image) => keep(image, 'train')),
    test: test.map((image) => keep(image, 'test')),
    remarks,
  };
};

const readPart = (
  tree: FileTree,
  { label, split }: Part,
  folder: string,
): { images: ListedImage[]; categories: Instances['categories'] } => {
  const source = `${folder}/${label}`;
  const { images, annotations, categories } = parse((tree.get(label) as DataFile).read() as Buffer, source);
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  if (names.size !== categories.length || new Set(names.values()).size !== categories.length) {
    throw new UsageError(`${source}: expected every category once, got a number or a name twice`);
  }
  const folders = [`images/${split}/`, `${split}/`, 'images/', 'JPEGImages/', ''];
  const objects = new Map<number, ListedImage['objects'][number][]>();
  const listed = images.map(({ id, file_name: name, width, height }): ListedImage => {
    if (objects.has(id)) throw new UsageError(`${source}: expected every picture once, got number ${id} twice`);
    const own: ListedImage['objects'][number][] = [];
    objects.set(id, own);
    const file = findPicture(tree, folders, name);
    if (!file) throw new UsageError(`${source}: expected picture \`${name}\` in images/${split}/, got none`);
    return {
      name: name.replace(/^.*\//, '').replace(/\.[^.]*$/, ''),
      source,
      file,
      size: [width, height],
      objects: own,
    };
  });
  for (const [i, { image_id: image, category_id: category, bbox, area, iscrowd }] of annotations.entries()) {
    const own = objects.get(image);
    const className = names.get(category);
    if (!own || className === undefined) {
      const what = own ? `category ${category}` : `picture ${image}`;
      throw new UsageError(`${source}, annotation ${i}: ${what} is not listed`);
    }
    const [x, y, width, height] = bbox;
    const crowd = Boolean(iscrowd);
    own.push({
      className,
      box: { x, y, width, height },
      difficult: false,
      crowd,
      ...(area === undefined ? {} : { area }),
    });
  }
  return { images: listed, categories };
};

const parse = (bytes: Buffer, source: string): Instances => {
  if (bytes.length > maxBytes) {
    throw new UsageError(`${source}: expected at most ${maxBytes} bytes, got ${bytes.length}`);
  }
  const json = parseForeignJson(bytes.toString('utf8'), source);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UsageError(`${source}: expected an object with images, annotations and categories, got something else`);
  }
  // One by one, up to the first that is wrong: a schema of the whole would list every one of millions.
  const list = <T>(name: keyof Instances, schema: z.ZodType<T>): T[] => {
    const entries: unknown = Object.hasOwn(json, name) ? (json as Record<string, unknown>)[name] : undefined;
    if (!Array.isArray(entries)) throw new UsageError(`${source}: expected a list \`${name}\`, got none`);
    return entries.map((entry: unknown, i) => {
      const parsed = schema.safeParse(entry);
      if (parsed.success) return parsed.data;
      const issue = parsed.error.issues[0]!;
      throw new UsageError(`${source}: at \`${[name, i, ...issue.path].join('.')}\`: ${issue.message}`);
    });
  };
  return {
    images: list('images', listedPicture),
    annotations: list('annotations', listedBox),
    categories: list('categories', listedCategory),
  };
};
