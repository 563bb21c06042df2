import { createHash } from 'node:crypto';
import { open, writeFile, type FileHandle } from 'node:fs/promises';
import { killPoint } from '../pipeline/kill-point.js';
import { UsageError } from '../pipeline/usage-error.js';
import { decodeSquare } from './decode-square.js';
import { checkOf } from './picture-file.js';
import { checkSize, PixelsDigest, type EncodedPicture } from './pixel-cache.js';

/** Where decoded pictures go. */
export type PictureTargets = {
  /** File of `[count, size, size, 3]` bytes. */
  readonly pixels: string;
  /** File of the CRC-32 of each, by which a reader finds out that a file changed. */
  readonly checks: string;
};

/** What was written. */
export type WrittenPictures = {
  readonly count: number;
  readonly size: number;
  /** As of a `PixelCache` of the same pictures. */
  readonly digest: string;
  readonly bytes: number;
};

type Decoded = { readonly pixels: Buffer; readonly hash: string };

/**
 * Decodes pictures into a file as they come, each resized to `size x size` px without keeping its aspect: memory holds `concurrency`
 * of them, however many there are. With `onBroken`, pictures that cannot be decoded are told there and left out; without, the first
 * ends it.
 *
 * @throws UsageError for a picture that cannot be decoded, by its label
 */
export const writePictures = async (
  targets: PictureTargets,
  pictures: Iterable<EncodedPicture> | AsyncIterable<EncodedPicture>,
  size: number,
  {
    concurrency = 4,
    onBroken,
  }: { readonly concurrency?: number; readonly onBroken?: (label: string, reason: string) => void } = {},
): Promise<WrittenPictures> => {
  checkSize(size);
  const decode = async (picture: EncodedPicture): Promise<Decoded | undefined> => {
    const { label } = picture;
    try {
      const encoded = await picture.read();
      const pixels = await decodeSquare(encoded, size, label);
      return { pixels, hash: createHash('sha256').update(encoded).digest('hex') };
    } catch (error) {
      if (!onBroken || !(error instanceof UsageError)) throw error;
      onBroken(label, error.message);
      return undefined;
    }
  };
  const digest = new PixelsDigest(size);
  const checks: number[] = [];
  const handle = await open(targets.pixels, 'w');
  try {
    for await (const decoded of inOrder(pictures, decode, concurrency)) {
      if (!decoded) continue;
      digest.add(decoded.hash);
      checks.push(checkOf(decoded.pixels));
      await writeAll(handle, decoded.pixels);
      if (checks.length === 1) killPoint('within an output file');
    }
  } finally {
    await handle.close();
  }
  await writeFile(targets.checks, Int32Array.from(checks));
  return { count: checks.length, size, digest: digest.digest(), bytes: checks.length * size * size * 3 };
};

/** Results of `work` in the order of what came, with a few under way at a time. */
async function* inOrder<T, R>(
  things: Iterable<T> | AsyncIterable<T>,
  work: (thing: T) => Promise<R>,
  concurrency: number,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  try {
    for await (const thing of things) {
      const result = work(thing);
      result.catch(() => undefined); // seen when it is its turn
      underWay.push(result);
      if (underWay.length >= concurrency) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    await Promise.allSettled(underWay);
  }
}

const writeAll = async (handle: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
};
