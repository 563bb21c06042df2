import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PairCache } from './pair-cache.js';

const describe = (cache: PairCache) => ({
  count: cache.pixels.count,
  size: cache.pixels.size,
  pixelsDigest: cache.pixels.digest,
  digest: cache.digest,
  keys: cache.keys,
  videos: cache.videos,
  video: [...cache.video],
  a: [...cache.a],
  b: [...cache.b],
  u: [...cache.u],
});

/** Names of the two files of a pair cache: the pixels as they are, and what they are. */
export const pairCacheFiles = { pixels: 'pairs.u8', index: 'pairs.index.json' } as const;

/** Writes a pair cache as two files in a folder, so that ten training runs decode no JPEG. */
export const savePairCache = async (dir: string, cache: PairCache): Promise<void> => {
  await writeFile(path.join(dir, pairCacheFiles.pixels), cache.pixels.pixels);
  await writeFile(path.join(dir, pairCacheFiles.index), `${JSON.stringify(describe(cache))}\n`);
};

/** Reads what {@link savePairCache} wrote. Throws where the pixels are not as many as the index says. */
export const loadPairCache = async (dir: string): Promise<PairCache> => {
  const index = JSON.parse(await readFile(path.join(dir, pairCacheFiles.index), 'utf8')) as ReturnType<typeof describe>;
  const pixels = await readFile(path.join(dir, pairCacheFiles.pixels));
  const expected = index.count * index.size * index.size * 3;
  if (pixels.length !== expected) {
    throw new Error(
      `Expected ${pairCacheFiles.pixels} to hold ${expected} bytes for ${index.count} pictures, got ${pixels.length}`,
    );
  }
  return {
    pixels: { count: index.count, size: index.size, pixels, digest: index.pixelsDigest },
    keys: index.keys,
    videos: index.videos,
    video: Int32Array.from(index.video),
    a: Int32Array.from(index.a),
    b: Int32Array.from(index.b),
    u: Int32Array.from(index.u),
    digest: index.digest,
  };
};
