import path from 'node:path';
import type { Raster } from '../numeric/raster.js';
import { canonicalJson, sha256 } from '../pipeline/canonical-json.js';
import type { Figure } from '../pipeline/figure.js';
import { encodeJpeg, encodePng, writeWhole } from './image-file.js';

/** A figure before it is on disk: its image's name and hash are known once that is written. */
export type FigureDraft = Omit<Figure, 'image' | 'sha256'>;

/**
 * Writes `<name>.figure.json` into `dir`, with the picture beside it (`<name>.png`, or `<name>.jpg` with `format: 'jpeg'`) if there
 * is one. The hash is the image's, or that of the canonical JSON of `data`. Throws where there is neither, or both.
 */
export const writeFigure = async (
  dir: string,
  name: string,
  figure: FigureDraft,
  raster?: Raster,
  { format = 'png' }: { readonly format?: 'png' | 'jpeg' } = {},
): Promise<Figure> => {
  if (!/^[\w.-]+$/.test(name)) {
    throw new TypeError(
      `Expected \`name\` to be made of letters, digits, dots, dashes and underscores, got \`${name}\``,
    );
  }
  if ((raster === undefined) === (figure.data === undefined)) {
    throw new TypeError(
      `Expected figure \`${name}\` to have either data or a picture, got ${raster ? 'both' : 'neither'}`,
    );
  }
  let whole: Figure;
  if (raster === undefined) {
    whole = { ...figure, sha256: sha256(canonicalJson(figure.data, 'data')) };
  } else {
    const bytes = await (format === 'png' ? encodePng(raster) : encodeJpeg(raster));
    const image = `${name}.${format === 'png' ? 'png' : 'jpg'}`;
    await writeWhole(path.join(dir, image), bytes);
    whole = { ...figure, image, sha256: sha256(bytes) };
  }
  await writeWhole(path.join(dir, `${name}.figure.json`), `${JSON.stringify(whole, null, 2)}\n`);
  return whole;
};
