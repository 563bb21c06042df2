import { loadArrays, saveArrays } from './array-files.js';
import type { DetectionObject, LoadedDetection, LoadedImage } from './detection-dataset.js';

type ImageAbout = {
  name: string;
  width: number;
  height: number;
  channels: 1 | 3;
  scale: number;
  objects: DetectionObject[];
};
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
  if (at !== pixels.length) throw new Error(`Expected ${at} bytes of pixels in detection.*, got ${pixels.length}`);
  return images;
};

/** Reads what {@link saveDetection} wrote; rasters are views on one array a part. */
export const loadSavedDetection = async (dir: string): Promise<LoadedDetection> => {
  const { about, array } = await loadArrays(dir, 'detection');
  const { classes, train, test, digest } = about as DetectionAbout;
  return {
    classes,
    train: imagesOf(train, array('train', 'Uint8Array')),
    test: imagesOf(test, array('test', 'Uint8Array')),
    digest,
  };
};
