import { RandomStream } from '../../../../src/numeric/random.js';
import type { Raster } from '../../../../src/numeric/raster.js';

/** An RGB image whose pixels a function gives. */
export const paint = (width: number, height: number, colourAt: (x: number, y: number) => readonly number[]): Raster => {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set(colourAt(i % width, Math.floor(i / width)), 3 * i);
  return { width, height, channels: 3, data };
};

/** The same with normal noise of the given deviation on every channel. */
export const withNoise = (image: Raster, deviation: number, seed = 1): Raster => {
  const random = RandomStream.of(seed, 'noise');
  const data = image.data.map((value) => Math.min(255, Math.max(0, Math.round(value + random.normal(0, deviation)))));
  return { ...image, data };
};

/** Soft blobs of colour with noise: something to segment that looks like nothing. */
export const clutter = (width: number, height: number, seed: number): Raster => {
  const random = RandomStream.of(seed, 'clutter');
  const blobs = Array.from({ length: 12 }, () => ({
    x: random.uniform(0, width),
    y: random.uniform(0, height),
    reach: random.uniform(4, 14),
    colour: [random.integer(256), random.integer(256), random.integer(256)],
  }));
  const plain = paint(width, height, (x, y) => {
    const hit = blobs.findLast((blob) => (x - blob.x) ** 2 + (y - blob.y) ** 2 < blob.reach ** 2);
    return hit?.colour ?? [90, 100, 110];
  });
  return withNoise(plain, 8, seed);
};
