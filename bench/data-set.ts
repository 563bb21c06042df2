import { open } from 'node:fs/promises';
import path from 'node:path';
import { sharedBytes } from '../src/images/array-files.js';
import { checkOf, type PictureFile } from '../src/images/picture-file.js';
import type { PixelCache } from '../src/images/pixel-cache.js';
import { RandomStream } from '../src/numeric/random.js';

/** Pictures as photographs are: brightness with all detail and some noise, colours that change more slowly. */
export const drawPictures = (count: number, size: number): PixelCache => {
  const random = RandomStream.of(1, 'bench pictures');
  const pixels = sharedBytes(count * size * size * 3);
  for (let picture = 0, at = 0; picture < count; picture++) {
    const waves = Array.from({ length: 9 }, () => random.uniform(0.02, 0.2));
    for (let i = 0; i < size * size; i++) {
      const [x, y] = [i % size, Math.floor(i / size)];
      const light = 128 + 50 * Math.sin(3 * (x * waves[0]! + y * waves[1]!)) + random.uniform(-8, 8);
      for (let c = 0; c < 3; c++) {
        const colour = 30 * (Math.sin(x * waves[c + 2]! - y * waves[c + 5]!) + Math.cos(y * waves[c + 3]!));
        pixels[at++] = Math.min(255, Math.max(0, light + colour));
      }
    }
  }
  return { count, size, pixels, digest: 'bench' };
};

/** A file of so many pictures, drawn from some by chance, with their checks. */
export const writeRepeated = async (folder: string, from: PixelCache, count: number): Promise<PictureFile> => {
  const bytes = from.size ** 2 * 3;
  const of = (picture: number): Uint8Array => from.pixels.subarray(picture * bytes, (picture + 1) * bytes);
  const known = Int32Array.from({ length: from.count }, (_, i) => checkOf(of(i)));
  const random = RandomStream.of(2, 'bench set');
  const checks = new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
  const file = path.join(folder, 'pixels.bin');
  const handle = await open(file, 'w');
  try {
    const together = 64;
    const piece = new Uint8Array(together * bytes);
    for (let first = 0; first < count; first += together) {
      const filled = Math.min(together, count - first);
      for (let i = 0; i < filled; i++) {
        const picture = random.integer(from.count);
        piece.set(of(picture), i * bytes);
        checks[first + i] = known[picture]!;
      }
      await handle.write(piece, 0, filled * bytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { count, size: from.size, digest: 'bench', path: file, checks };
};
