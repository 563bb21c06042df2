import { loadArrays, saveArrays } from './array-files.js';
import type { PixelCache } from './pixel-cache.js';

type About = { count: number; size: number; digest: string };

/** Writes decoded pictures into a folder as `pictures.*`, so that ten training runs decode none. */
export const savePixelCache = async (dir: string, { count, size, digest, pixels }: PixelCache): Promise<void> =>
  saveArrays(dir, 'pictures', { count, size, digest } satisfies About, { pixels });

/** Reads what {@link savePixelCache} wrote. */
export const loadPixelCache = async (dir: string): Promise<PixelCache> => {
  const { about, array } = await loadArrays(dir, 'pictures');
  return { ...(about as About), pixels: array('pixels', 'Uint8Array') };
};
