import { closeSync, openSync, readSync, readvSync, statSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { UsageError } from '../pipeline/usage-error.js';
import type { PixelCache } from './pixel-cache.js';

/** Decoded square RGB pictures that stay in their file, since there are more than memory is to hold. */
export type PictureFile = {
  readonly count: number;
  /** Side of every picture, px. */
  readonly size: number;
  /** As of a `PixelCache` of the same pictures. */
  readonly digest: string;
  /** `[count, size, size, 3]` bytes. */
  readonly path: string;
  /** CRC-32 of every picture, as int32, in memory that threads can share; absent where none were written down. */
  readonly checks?: Int32Array;
  /** Bytes that a source may hold to shuffle what it reads in sequence; absent = any order, by reads at random. */
  readonly bufferBytes?: number;
};

/** Pictures in memory or in a file. */
export type Pictures = PixelCache | PictureFile;

/** Whether pictures stay in their file. */
export const areInFile = (pictures: Pictures): pictures is PictureFile => 'path' in pictures;

/** A picture file that is open: plain data, the same in all threads of the process. */
export type OpenPictureFile = Pick<PictureFile, 'count' | 'size' | 'path' | 'checks'> & {
  readonly descriptor: number;
};

/** What one call of the system may be given to read into. */
const mostBuffers = 256;

const mend = 'run again with `--verify`, which finds files that changed and makes them again';

/**
 * Opens a picture file.
 *
 * @throws UsageError where it is gone, or not as long as its pictures are
 */
export const openPictureFile = ({ count, size, path, checks }: PictureFile): OpenPictureFile => {
  const expected = count * size * size * 3;
  const bytes = statSync(path, { throwIfNoEntry: false })?.size;
  if (bytes !== expected) {
    throw new UsageError(
      `Expected ${path} to hold ${expected} bytes (${count} pictures of ${size} x ${size} px), got ${bytes ?? 'no file'}: ${mend}`,
    );
  }
  return { count, size, path, descriptor: openSync(path, 'r'), ...(checks ? { checks } : {}) };
};

/** Closes it. */
export const closePictureFile = ({ descriptor }: OpenPictureFile): void => closeSync(descriptor);

/**
 * Reads pictures that follow each other in the file, from number `first` on, each into bytes of its own; `null` for one that is only
 * on the way.
 *
 * @throws UsageError where the file ends early or a picture is not what was packed
 */
export const readPictures = (file: OpenPictureFile, first: number, into: readonly (Uint8Array | null)[]): void => {
  const bytes = file.size * file.size * 3;
  let unwanted: Uint8Array | undefined;
  for (let from = 0; from < into.length; from += mostBuffers) {
    const buffers = into.slice(from, from + mostBuffers).map((own) => own ?? (unwanted ??= new Uint8Array(bytes)));
    const start = (first + from) * bytes;
    let got = readvSync(file.descriptor, buffers, start);
    // The system may stop short; the rest is read picture by picture.
    while (got < buffers.length * bytes) {
      const buffer = buffers[Math.floor(got / bytes)]!;
      const within = got % bytes;
      const more = readSync(file.descriptor, buffer, within, bytes - within, start + got);
      if (more === 0) {
        throw new UsageError(`Expected ${file.path} to go on, got its end at byte ${start + got}: ${mend}`);
      }
      got += more;
    }
  }
  into.forEach((own, i) => own && checkPicture(file, first + i, own));
};

/** The check of a picture: its CRC-32 as int32. */
export const checkOf = (bytes: Uint8Array): number => crc32(bytes) | 0;

/**
 * Compares a picture with what was packed.
 *
 * @throws UsageError where it is another
 */
export const checkPicture = (
  { path, checks }: Pick<OpenPictureFile, 'path' | 'checks'>,
  number: number,
  bytes: Uint8Array,
): void => {
  if (!checks || checks[number] === checkOf(bytes)) return;
  throw new UsageError(`Expected picture ${number} of ${path} to be as it was packed, got other bytes: ${mend}`);
};

/**
 * Reads pictures from anywhere in the file, in the order in which they lie there, so that neighbours (and those with one between them)
 * are read in one go.
 *
 * @param numbers of the pictures
 * @param into bytes of each
 * @throws UsageError as {@link readPictures}
 */
export const readScattered = (
  file: OpenPictureFile,
  numbers: Int32Array,
  into: (position: number) => Uint8Array,
): void => {
  const order = Int32Array.from(numbers.keys()).sort((i, j) => numbers[i]! - numbers[j]!);
  let first = 0;
  let run: (Uint8Array | null)[] = [];
  for (const position of order) {
    const number = numbers[position]!;
    const gap = number - (first + run.length);
    if (run.length > 0 && (gap < 0 || gap > 1)) {
      readPictures(file, first, run);
      run = [];
    }
    if (run.length === 0) first = number;
    else if (gap === 1) run.push(null);
    run.push(into(position));
  }
  if (run.length > 0) readPictures(file, first, run);
};
