import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { contactSheet } from '../../../src/drawing/contact-sheet.js';
import { writeFigure } from '../../../src/drawing/write-figure.js';
import { openPixelCache, pixelChecksFile, writePixelCache } from '../../../src/images/pixel-cache-file.js';
import { pickPictures } from '../../../src/images/pick-pictures.js';
import { pictureOf } from '../../../src/images/pixel-cache.js';
import type { WrittenPictures } from '../../../src/images/picture-writer.js';
import { RandomStream } from '../../../src/numeric/random.js';
import { printable } from '../../../src/pipeline/printable.js';
import type { Work, WorkContext } from '../../../src/pipeline/stage.js';
import { UsageError } from '../../../src/pipeline/usage-error.js';
import type { ImagesParams } from '../params.js';
import { expectUnchanged } from './expect-unchanged.js';
import { contentOfPictures, openPictures } from './images.js';
import type { DecodedPictures, PicturesPayload } from './images.js';

const draw = async (ctx: WorkContext<ImagesParams>, { count, size }: WrittenPictures): Promise<void> => {
  const { seed, sheetImages } = ctx.params;
  const drawn = RandomStream.of(seed, 'sheet').sample(count, Math.min(sheetImages, count));
  const pictures = await openPixelCache(ctx.outputs, { memoryBytes: 1, shuffle: 'uniform' });
  const shown = pickPictures(pictures, drawn);
  const cells = [...drawn.keys()].map((index) => ({ raster: pictureOf(shown, index) }));
  await writeFigure(
    ctx.outputs,
    'figure-pictures',
    {
      kind: 'contact-sheet',
      title: 'Pictures to learn from',
      caption: `${cells.length} of ${count} pictures, drawn by seed, as they are kept (square, ${size} px).`,
    },
    contactSheet(cells, { columns: 10, height: 72 }),
  );
};

/** Decodes a set of pictures; the broken ones are told, counted and left out. */
const work: Work<ImagesParams> = async (item, ctx) => {
  const payload = item.payload as PicturesPayload;
  const { files, tested } = await openPictures(payload, ctx.params);
  const broken: { readonly picture: string; readonly reason: string }[] = [];
  const written = await writePixelCache(ctx.outputs, files, ctx.params.cachePx, {
    onBroken: (picture, reason) => broken.push({ picture, reason }),
  });
  expectUnchanged(payload.folder, item.content, contentOfPictures((await openPictures(payload, ctx.params)).hashes));
  broken.sort((a, b) => (a.picture < b.picture ? -1 : 1));
  for (const { reason } of broken.slice(0, 10)) ctx.log(`left out: ${printable(reason)}`);
  if (broken.length > 10) ctx.log(`left out: ${broken.length - 10} more, all of them in broken.json`);
  if (tested > 0) ctx.log(`left out: ${tested} picture(s) that a target tests on`);
  if (written.count < 2) {
    throw new UsageError(`Expected at least 2 pictures that can be decoded to learn from, got ${written.count}`);
  }
  await writeFile(path.join(ctx.outputs, 'broken.json'), `${JSON.stringify(broken, null, 1)}\n`);
  await draw(ctx, written);
  return {
    status: 'done',
    data: {
      pictures: written.count,
      broken: broken.map(({ picture }) => picture),
      ...(tested > 0 ? { tested } : {}),
    } satisfies DecodedPictures,
    // The checks say again what the pixels say.
    volatile: ['broken.json', pixelChecksFile],
  };
};

export default work;
