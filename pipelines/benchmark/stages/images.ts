import { createHash } from 'node:crypto';
import path from 'node:path';
import { openPictureSet } from '../../../src/images/picture-set.js';
import type { PictureSet } from '../../../src/images/picture-set.js';
import { defineStage } from '../../../src/pipeline/stage.js';
import type { StageOutput } from '../../../src/pipeline/stage.js';
import { imagesParams } from '../params.js';
import type { ImagesParams } from '../params.js';

/** Where pictures to learn from lie: a folder of the user's, or the demo's own. */
export type PictureOrigin = { readonly kind: 'path'; readonly path: string } | { readonly kind: 'demo' };

/** What decoding came to. */
export type DecodedPictures = {
  readonly pictures: number;
  /** Pictures that could not be decoded, with the reason. */
  readonly broken: readonly { readonly picture: string; readonly reason: string }[];
};

/** What finds the pictures again. */
export type PicturesPayload = { readonly folder: string };

/** The set of pictures as the parameters have it. */
export const openPictures = (folder: string, { testShare, seed, maxImages }: ImagesParams): Promise<PictureSet> =>
  openPictureSet(folder, { testShare, seed, ...(maxImages === undefined ? {} : { maxImages }) });

/** The folder `name/` that the stage `synthesize` rendered, found by any file in it. */
export const renderedFolder = ({ items }: StageOutput, name: string): string => {
  const file = items.flatMap(({ artefacts }) => artefacts).find((artefact) => artefact.name.startsWith(`${name}/`));
  if (!file) throw new Error(`Expected the stage \`synthesize\` to have written ${name}/, got no such file`);
  return path.join(file.path.slice(0, -file.name.length), name);
};

/** `images`: decodes the pictures that image-based methods learn from, once. What cannot be decoded is told and left out. */
export const imagesStage = (origin: PictureOrigin) =>
  defineStage({
    name: 'images',
    version: 1,
    summary: 'decode the pictures to learn from',
    params: imagesParams,
    inputs: origin.kind === 'demo' ? ['synthesize'] : [],
    onFailure: 'stop',
    items: async (ctx) => {
      const folder = origin.kind === 'demo' ? renderedFolder(ctx.input('synthesize'), 'objects') : origin.path;
      const { files } = await openPictures(folder, ctx.params);
      const hash = createHash('sha256');
      for (const file of files) {
        hash.update(
          `${createHash('sha256')
            .update(await file.read())
            .digest('hex')}\n`,
        );
      }
      return [
        {
          label: path.basename(path.resolve(folder)),
          content: hash.digest('hex'),
          payload: { folder } satisfies PicturesPayload,
        },
      ];
    },
    work: { module: new URL('./images.work.js', import.meta.url), runs: 'thread' },
    reduce: (ctx) => {
      const [item] = ctx.items;
      return Promise.resolve({ data: item!.data });
    },
  });
