import path from 'node:path';
import { z } from 'zod';
import { arrayFile, checkLength, checkNumbers, loadArrays, saveArrays } from './array-files.js';
import { loadStoredPictures, openStoredPictures, type PictureMemory } from './stored-pictures.js';
import { PairNotes, type EncodedPair, type PairCache, type PairTable } from './pair-cache.js';
import { writePictures } from './picture-writer.js';
import { pictureSide, type EncodedPicture, type PixelCache } from './pixel-cache.js';
import { placeLength } from './track-place.js';

const aboutSchema = z.object({
  ...{ count: z.int().min(0), size: pictureSide, pixelsDigest: z.string(), digest: z.string() },
  ...{ keys: z.array(z.string()), videos: z.array(z.string()) },
});
type About = z.infer<typeof aboutSchema>;

const name = 'pairs';

/** The file of checks that {@link writePairCache} leaves: it repeats what the pixels say. */
export const pairChecksFile = `${name}.checks.bin`;

/**
 * Decodes the pairs of shards at `size` px (`cacheSizeFor(trunk.inputSize)`) into a folder as `pairs.*`, as they come, so that ten
 * training runs decode no JPEG. On disk a picture takes `size^2 * 3` bytes: 49 KB at 128 px, 0.8 GB for 5500 pairs with all three
 * pictures. Memory does not grow with them, but for some hundred bytes a pair.
 *
 * @throws UsageError for a picture that cannot be decoded
 */
export const writePairCache = async (
  dir: string,
  pairs: Iterable<EncodedPair> | AsyncIterable<EncodedPair>,
  size: number,
  options: { readonly concurrency?: number } = {},
): Promise<PairTable> => {
  const notes = new PairNotes();
  const targets = { pixels: arrayFile(dir, name, 'pixels'), checks: path.join(dir, pairChecksFile) };
  const written = await writePictures(targets, picturesOf(pairs, notes), size, options);
  const table = notes.table(written);
  const { a, b, u, video, places } = table;
  const about: About = {
    count: written.count,
    size,
    pixelsDigest: written.digest,
    digest: table.digest,
    keys: [...table.keys],
    videos: [...table.videos],
  };
  await saveArrays(dir, name, about, { pixels: { written: written.bytes }, a, b, u, video, places });
  return table;
};

async function* picturesOf(
  pairs: Iterable<EncodedPair> | AsyncIterable<EncodedPair>,
  notes: PairNotes,
): AsyncGenerator<EncodedPicture> {
  for await (const pair of pairs) yield* notes.add(pair);
}

const readTable = async (dir: string) => {
  const { about, array, length } = await loadArrays(dir, name, { left: ['pixels'], about: aboutSchema });
  const { count, size, pixelsDigest, digest, keys, videos } = about;
  const table: PairTable = {
    keys,
    videos,
    digest,
    a: array('a', 'Int32Array'),
    b: array('b', 'Int32Array'),
    u: array('u', 'Int32Array'),
    video: array('video', 'Int32Array'),
    places: array('places', 'Float32Array'),
  };
  checkLength(length('pixels'), count * size ** 2 * 3, 'bytes of pictures');
  for (const end of ['a', 'b', 'u', 'video'] as const) checkLength(table[end].length, keys.length, `\`${end}\``);
  checkLength(table.places.length, placeLength * keys.length, 'numbers of places');
  for (const end of ['a', 'b', 'u'] as const)
    checkNumbers(table[end], end === 'u' ? -1 : 0, count, `pictures \`${end}\``);
  checkNumbers(table.video, 0, videos.length, 'videos');
  return { table, about: { count, size, digest: pixelsDigest } };
};

/** Reads what {@link writePairCache} wrote into memory. */
export const loadPairCache = async (dir: string): Promise<PairCache<PixelCache>> => {
  const { table, about } = await readTable(dir);
  return { ...table, pixels: await loadStoredPictures(dir, name, about) };
};

/** Opens what {@link writePairCache} wrote: the pixels in memory where they are to fit there, in their file otherwise. */
export const openPairCache = async (dir: string, memory: PictureMemory): Promise<PairCache> => {
  const { table, about } = await readTable(dir);
  return { ...table, pixels: await openStoredPictures(dir, name, about, memory) };
};
