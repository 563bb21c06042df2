import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { PictureFile } from '../src/images/picture-file.js';
import { RandomStream } from '../src/numeric/random.js';

/** Megabytes a second of the two ways in which samples are read, past the memory of the operating system. */
export type DiskRates = { readonly inSequence: number; readonly atRandom: number };

/**
 * Reads blocks of 4 MiB, and pairs of neighbouring pictures, from places by chance, a second each. Undefined where the file system or the size of a
 * picture does not allow to read past the memory.
 */
export const measureDisk = ({ path, count, size }: PictureFile): DiskRates | undefined => {
  const page = 4096;
  const block = 4 * 2 ** 20;
  const pair = 2 * size * size * 3;
  if (pair % page !== 0) return undefined;
  const total = count * (pair / 2);
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECT);
  } catch {
    return undefined;
  }
  const buffer = alignedBuffer(descriptor, block, page);
  if (!buffer) {
    closeSync(descriptor);
    return undefined;
  }
  const random = RandomStream.of(3, 'bench disk');
  const rate = (bytes: number): number => {
    const began = performance.now();
    let read = 0;
    while (performance.now() - began < 1000) {
      const place = random.integer(Math.floor(total / bytes)) * bytes;
      read += readSync(descriptor, buffer, 0, bytes, place);
    }
    return read / 1e3 / (performance.now() - began);
  };
  try {
    return { inSequence: rate(block), atRandom: rate(pair) };
  } finally {
    closeSync(descriptor);
  }
};

/** Bytes that begin where the system wants them to for such reads, found by trying; undefined where there are none. */
const alignedBuffer = (descriptor: number, length: number, page: number): Uint8Array | undefined => {
  const room = new ArrayBuffer(length + page);
  for (let offset = 0; offset < page; offset += 16) {
    const buffer = new Uint8Array(room, offset, length);
    try {
      readSync(descriptor, buffer, 0, page, 0);
      return buffer;
    } catch {
      // Not there.
    }
  }
  return undefined;
};
