import sharp, { type OutputInfo } from 'sharp';

/** A picture as it stands inside the page: a data address, and the size at which it is shown. */
export type EmbeddedPicture = { readonly src: string; readonly width: number; readonly height: number };

/** From fine to small: the first that keeps all pictures together within the budget is taken. */
const grades = [
  { width: 1280, quality: 84 },
  { width: 1100, quality: 76 },
  { width: 960, quality: 66 },
  { width: 800, quality: 52 },
  { width: 640, quality: 40 },
  // A table with many rows on many data sets: small pictures are better than a run that ends without its report.
  { width: 480, quality: 36 },
  { width: 360, quality: 30 },
] as const;

const maxPixels = 2 ** 26;

type Grade = (typeof grades)[number];

const encode = async (bytes: Buffer, { width, quality }: Grade): Promise<{ data: Buffer; info: OutputInfo }> =>
  sharp(bytes, { limitInputPixels: maxPixels })
    .resize({ width, height: 2 * width, fit: 'inside', withoutEnlargement: true })
    .webp({ quality, effort: 4, smartSubsample: true })
    .toBuffer({ resolveWithObject: true });

/**
 * Pictures (PNG or JPEG) as WebP in data addresses, in the order given, small enough that all of them together stay below
 * `budget` bytes of the page: finer where there are few, coarser where there are many. Throws a `RangeError` where not even the
 * coarsest fits: a page is for small crops.
 */
export const embedPictures = async (pictures: readonly Buffer[], budget = 4_000_000): Promise<EmbeddedPicture[]> => {
  let needed = 0;
  for (const grade of grades) {
    const embedded: EmbeddedPicture[] = [];
    // One after the other: a page has dozens, and their pixels need not lie in memory together.
    for (const bytes of pictures) {
      const { data, info } = await encode(bytes, grade);
      embedded.push({
        src: `data:image/webp;base64,${data.toString('base64')}`,
        width: info.width,
        height: info.height,
      });
    }
    needed = embedded.reduce((sum, { src }) => sum + src.length, 0);
    if (needed <= budget) return embedded;
  }
  throw new RangeError(
    `Expected the ${pictures.length} pictures of the page to take at most ${budget} bytes, got ${needed}: give fewer or smaller figures`,
  );
};
