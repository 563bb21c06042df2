import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { contactSheet } from '../../../src/drawing/contact-sheet.js';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import { buildPixelCache, pictureOf } from '../../../src/images/pixel-cache.js';
import type { PixelCache } from '../../../src/images/pixel-cache.js';
import { savePixelCache } from '../../../src/images/pixel-cache-file.js';
import { RandomStream } from '../../../src/numeric/random.js';
import { printable } from '../../../src/pipeline/printable.js';
import type { Work, WorkContext } from '../../../src/pipeline/stage.js';
import { UsageError } from '../../../src/pipeline/usage-error.js';
import type { ImagesParams } from '../params.js';
import { openPictures } from './images.js';
import type { DecodedPictures, PicturesPayload } from './images.js';

const draw = async (ctx: WorkContext<ImagesParams>, cache: PixelCache): Promise<void> => {
  const { seed, sheetImages } = ctx.params;
  const drawn = RandomStream.of(seed, 'sheet').sample(cache.count, Math.min(sheetImages, cache.count));
  const cells = [...drawn].map((index) => ({ raster: pictureOf(cache, index) }));
  await writeFigure(
    ctx.outputs,
    'figure-pictures',
    {
      kind: 'contact-sheet',
      title: 'Pictures to learn from',
      caption: `${cells.length} of ${cache.count} pictures, drawn by seed, as they are kept (square, ${cache.size} px).`,
    },
    contactSheet(cells, { columns: 10, height: 72 }),
  );
};

/** Decodes a set of pictures; the broken ones are told, counted and left out. */
const work: Work<ImagesParams> = async (item, ctx) => {
  const { files, tested } = await openPictures(item.payload as PicturesPayload, ctx.params);
  const broken: { readonly picture: string; readonly reason: string }[] = [];
  const cache = await buildPixelCache(files, ctx.params.cachePx, {
    remedy: 'lower `images.cachePx`, or `images.maxImages`',
    onBroken: (picture, reason) => broken.push({ picture, reason }),
  });
  broken.sort((a, b) => (a.picture < b.picture ? -1 : 1));
  for (const { reason } of broken.slice(0, 10)) ctx.log(`left out: ${printable(reason)}`);
  if (broken.length > 10) ctx.log(`left out: ${broken.length - 10} more, all of them in broken.json`);
  if (tested > 0) ctx.log(`left out: ${tested} picture(s) that a target tests on`);
  if (cache.count < 2) {
    throw new UsageError(`Expected at least 2 pictures that can be decoded to learn from, got ${cache.count}`);
  }
  await writeFile(path.join(ctx.outputs, 'broken.json'), `${JSON.stringify(broken, null, 1)}\n`);
  await savePixelCache(ctx.outputs, cache);
  await draw(ctx, cache);
  return {
    status: 'done',
    data: {
      pictures: cache.count,
      broken: broken.map(({ picture }) => picture),
      ...(tested > 0 ? { tested } : {}),
    } satisfies DecodedPictures,
    volatile: ['broken.json'],
  };
};

export default work;
