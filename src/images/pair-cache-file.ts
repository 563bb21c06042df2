import { loadArrays, saveArrays } from './array-files.js';
import type { PairCache } from './pair-cache.js';

type About = { count: number; size: number; pixelsDigest: string; digest: string; keys: string[]; videos: string[] };

/** Writes a pair cache into a folder as `pairs.*`, so that ten training runs decode no JPEG. */
export const savePairCache = async (dir: string, cache: PairCache): Promise<void> => {
  const { pixels, keys, videos, digest, a, b, u, video, places } = cache;
  const about: About = {
    count: pixels.count,
    size: pixels.size,
    pixelsDigest: pixels.digest,
    digest,
    keys: [...keys],
    videos: [...videos],
  };
  await saveArrays(dir, 'pairs', about, { pixels: pixels.pixels, a, b, u, video, places });
};

/** Reads what {@link savePairCache} wrote. */
export const loadPairCache = async (dir: string): Promise<PairCache> => {
  const { about, array } = await loadArrays(dir, 'pairs');
  const { count, size, pixelsDigest, digest, keys, videos } = about as About;
  return {
    pixels: { count, size, pixels: array('pixels', 'Uint8Array'), digest: pixelsDigest },
    keys,
    videos,
    digest,
    a: array('a', 'Int32Array'),
    b: array('b', 'Int32Array'),
    u: array('u', 'Int32Array'),
    video: array('video', 'Int32Array'),
    places: array('places', 'Float32Array'),
  };
};
