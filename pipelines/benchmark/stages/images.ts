import { createHash } from 'node:crypto';
import path from 'node:path';
import { openClassDataset } from '../../../src/images/class-dataset.js';
import type { DataFile } from '../../../src/images/file-tree.js';
import { openPictureSet, whyNoClasses } from '../../../src/images/picture-set.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { StageOutput } from '../../../src/pipeline/stage.js';
import { imagesParams } from '../params.js';
import type { ImagesParams } from '../params.js';

/** Where pictures to learn from lie: a folder of the user's, or the demo's own. */
export type PictureOrigin = { readonly kind: 'path'; readonly path: string } | { readonly kind: 'demo' };

/** What decoding came to. */
export type DecodedPictures = {
  readonly pictures: number;
  /** Pictures that could not be decoded, by name; the decoder's words on each, which are its own affair, stand in `broken.json`. */
  readonly broken: readonly string[];
  /** Pictures that a target tests on, byte for byte, and that are therefore not learned from; absent where there are none. */
  readonly tested?: number;
};

/** What finds the pictures again. */
export type PicturesPayload = { readonly folder: string; readonly targets: readonly string[] };

const hashOf = async (file: DataFile): Promise<string> =>
  createHash('sha256')
    .update(await file.read())
    .digest('hex');

/** The set of pictures as the parameters have it, without those that a target tests on, and their hashes. */
export const openPictures = async (
  { folder, targets }: PicturesPayload,
  { testShare, seed, maxImages }: ImagesParams,
): Promise<{ readonly files: readonly DataFile[]; readonly hashes: readonly string[]; readonly tested: number }> => {
  const { files } = await openPictureSet(folder, {
    testShare,
    seed,
    ...(maxImages === undefined ? {} : { maxImages }),
  });
  const forbidden = new Set<string>();
  for (const target of targets) {
    for (const { file } of (await openClassDataset(target, { testShare })).test) forbidden.add(await hashOf(file));
  }
  const kept: { file: DataFile; hash: string }[] = [];
  for (const file of files) {
    const hash = await hashOf(file);
    if (!forbidden.has(hash)) kept.push({ file, hash });
  }
  return {
    files: kept.map(({ file }) => file),
    hashes: kept.map(({ hash }) => hash),
    tested: files.length - kept.length,
  };
};

/** What a set of pictures is, as an item: the sha256 over their hashes. */
export const contentOfPictures = (hashes: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const one of hashes) hash.update(`${one}\n`);
  return hash.digest('hex');
};

/** The folder `name/` that the stage `synthesize` rendered, found by any file in it. */
export const renderedFolder = ({ items }: StageOutput, name: string): string => {
  const file = items.flatMap(({ artefacts }) => artefacts).find((artefact) => artefact.name.startsWith(`${name}/`));
  if (!file) throw new Error(`Expected the stage \`synthesize\` to have written ${name}/, got no such file`);
  return path.join(file.path.slice(0, -file.name.length), name);
};

/**
 * `images`: decodes the pictures that image-based methods learn from, once. What cannot be decoded is told and left out, and so
 * is what one of `targets` (folders of classes) tests on.
 */
export const imagesStage = (origin: PictureOrigin, targets: readonly string[]) =>
  defineStage({
    name: 'images',
    version: 1,
    summary: 'decode the pictures to learn from',
    params: imagesParams,
    inputs: origin.kind === 'demo' ? ['synthesize'] : [],
    onFailure: 'stop',
    items: async (ctx) => {
      const folder = origin.kind === 'demo' ? renderedFolder(ctx.input('synthesize'), 'objects') : origin.path;
      const payload: PicturesPayload = {
        folder,
        targets: targets.filter((target) => path.resolve(target) !== path.resolve(folder)),
      };
      const reason = whyNoClasses(folder);
      if (reason !== undefined)
        ctx.log(`learning from every picture below ${folder}: it is no folder of classes (${reason})`);
      const { hashes } = await openPictures(payload, ctx.params);
      return [{ label: path.basename(path.resolve(folder)), content: contentOfPictures(hashes), payload }];
    },
    work: { module: new URL('./images.work.js', import.meta.url), runs: 'thread' },
    reduce: (ctx) => {
      const [item] = ctx.items;
      return Promise.resolve({ data: item!.data });
    },
  });
