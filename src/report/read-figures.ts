import path from 'node:path';
import { z } from 'zod';
import { canonicalJson, sha256 } from '../pipeline/canonical-json.js';
import { figureKinds, type Figure } from '../pipeline/figure.js';
import { readForeignFile, stayInside } from '../pipeline/foreign-file.js';
import { parseForeignJson } from '../pipeline/parse-json.js';

const schema = z.object({
  kind: z.enum(figureKinds),
  title: z.string(),
  caption: z.string(),
  data: z.json().optional(),
  image: z
    .string()
    .regex(/^[^/\\]+\.(png|jpe?g)$/i)
    .optional(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** A figure as read back, with its picture's bytes where it has one. */
export type ReadFigure = { readonly name: string; readonly figure: Figure; readonly image?: Buffer };

/**
 * Reads `<name>.figure.json` files and the pictures beside them, and checks their hashes: a report must not show a picture that
 * its figure does not name. Errors carry the file.
 */
export const readFigures = (files: readonly string[]): Promise<ReadFigure[]> =>
  Promise.all(
    files.map(async (file) => {
      const name = path.basename(file).replace(/\.figure\.json$/, '');
      const parsed = schema.safeParse(parseForeignJson(readForeignFile(file).toString('utf8'), file));
      if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
      const figure = parsed.data as Figure;
      const image =
        figure.image === undefined
          ? undefined
          : readForeignFile(stayInside(path.dirname(file))(path.join(path.dirname(file), figure.image)));
      const found = sha256(image ?? canonicalJson(figure.data, 'data'));
      if (found !== figure.sha256) throw new Error(`${file}: expected sha256 ${figure.sha256}, got ${found}`);
      return image === undefined ? { name, figure } : { name, figure, image };
    }),
  );
