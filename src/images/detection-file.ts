import { z } from 'zod';
import { checkLength, checkNumbers, loadArrays, saveArrays } from './array-files.js';
import type { DetectionObject, LoadedDetection, LoadedImage } from './detection-dataset.js';

const side = z.int().min(1).max(4096);
const place = z.number().min(0);
const box = z.object({ x: place, y: place, width: z.number().positive(), height: z.number().positive() });
const objectSchema = z.object({
  ...{ label: z.int().min(0), box, difficult: z.boolean(), crowd: z.boolean() },
  area: z.number().optional(),
});
const imageSchema = z.object({
  ...{ name: z.string(), width: side, height: side },
  ...{ channels: z.union([z.literal(1), z.literal(3)]), scale: z.number().positive() },
  objects: z.array(objectSchema),
});
const aboutSchema = z.object({
  classes: z.array(z.string()),
  train: z.array(imageSchema),
  test: z.array(imageSchema),
  digest: z.string(),
});

type ImageAbout = Omit<z.infer<typeof imageSchema>, 'objects'> & { objects: DetectionObject[] };
type DetectionAbout = { classes: string[]; train: ImageAbout[]; test: ImageAbout[]; digest: string };

const about = (images: readonly LoadedImage[]): ImageAbout[] =>
  images.map(({ name, raster: { width, height, channels }, scale, objects }) => ({
    name,
    width,
    height,
    channels,
    scale,
    objects: [...objects],
  }));

const pixelsOf = (images: readonly LoadedImage[]): Uint8Array => {
  const pixels = new Uint8Array(images.reduce((sum, { raster }) => sum + raster.data.length, 0));
  let at = 0;
  for (const { raster } of images) {
    pixels.set(raster.data, at);
    at += raster.data.length;
  }
  return pixels;
};

/** Writes a decoded detection target into a folder as `detection.*`. */
export const saveDetection = async (dir: string, loaded: LoadedDetection): Promise<void> => {
  const { classes, train, test, digest } = loaded;
  const described: DetectionAbout = { classes: [...classes], train: about(train), test: about(test), digest };
  await saveArrays(dir, 'detection', described, { train: pixelsOf(train), test: pixelsOf(test) });
};

const imagesOf = (described: readonly ImageAbout[], pixels: Uint8Array): LoadedImage[] => {
  let at = 0;
  const images = described.map(({ name, width, height, channels, scale, objects }) => {
    const data = pixels.subarray(at, (at += width * height * channels));
    return { name, scale, objects, raster: { width, height, channels, data } };
  });
  checkLength(pixels.length, at, 'bytes of pixels in detection.*');
  return images;
};

/** Reads what {@link saveDetection} wrote; rasters are views on one array a part. */
export const loadSavedDetection = async (dir: string): Promise<LoadedDetection> => {
  const { about, array } = await loadArrays(dir, 'detection', { about: aboutSchema });
  const { classes, train, test, digest } = about as DetectionAbout;
  for (const { objects, width, height } of [...train, ...test]) {
    checkNumbers(objects.map(({ label }) => label), 0, classes.length, 'classes of objects'); // prettier-ignore
    checkNumbers(objects.map(({ box }) => box.x + box.width), 0, width + 2, 'right edges of boxes'); // prettier-ignore
    checkNumbers(objects.map(({ box }) => box.y + box.height), 0, height + 2, 'lower edges of boxes'); // prettier-ignore
  }
  return {
    classes,
    train: imagesOf(train, array('train', 'Uint8Array')),
    test: imagesOf(test, array('test', 'Uint8Array')),
    digest,
  };
};
