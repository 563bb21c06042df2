import { createHash } from 'node:crypto';
import { sharedBytes } from './array-files.js';
import type { OpenPictureFile, PictureFile } from './picture-file.js';
import { ReadAhead, type ReadRequest } from './read-ahead.js';
import { bufferedOrder, type ShuffleBuffer } from './shuffle-buffer.js';
import { SlotPlan, type SlotRead } from './slot-plan.js';

/** The pictures of samples, by number in the file: of end `a` and, where it is another, of end `b`. */
export type SampleEnds = { readonly a: Int32Array; readonly b?: Int32Array | undefined };

/** How samples lie in a buffer. */
export type BufferLayout = ShuffleBuffer & {
  /** Samples there is room for: those that are shuffled, and those that are read meanwhile. */
  readonly slots: number;
  /** Pictures a sample: 2 where its ends differ. */
  readonly perSample: number;
};

/** Bytes that are read in one go: large enough for a disk that seeks and for a network, small beside a buffer. */
const blockBytes = 4 * 2 ** 20;
/** Of all slots, one in so many is for samples that are read while others are shown. */
const shareAhead = 8;
/** A buffer is of so many blocks at least, or a batch would be of few neighbourhoods. */
const leastBlocks = 16;
/** A buffer holds so many samples at least. */
const leastSlots = 2 * leastBlocks;

/** Bytes that a buffer must have for samples of two pictures of `size` px. */
export const leastBufferBytes = (size: number): number => leastSlots * 2 * size * size * 3;

/**
 * How samples of pictures in a file lie in a buffer of `bufferBytes`.
 *
 * @throws RangeError where it holds fewer than 32 samples
 */
export const layOutBuffer = (
  { count, size }: Pick<PictureFile, 'count' | 'size'>,
  { a, b }: SampleEnds,
  bufferBytes: number,
): BufferLayout => {
  const perSample = b !== undefined && b.some((picture, i) => picture !== a[i]) ? 2 : 1;
  const pictureBytes = size * size * 3;
  const slots = Math.floor(bufferBytes / (perSample * pictureBytes));
  if (slots < leastSlots) {
    throw new RangeError(
      `Expected a shuffle buffer of at least ${Math.ceil((leastSlots * perSample * pictureBytes) / 2 ** 20)} MiB for samples of ${perSample} x ${size} x ${size} px, got one of ${(bufferBytes / 2 ** 20).toFixed(1)} MiB`,
    );
  }
  const bufferSize = slots - Math.ceil(slots / shareAhead);
  const bytesOnTheWay = (count / a.length) * pictureBytes;
  const blockSize = Math.max(1, Math.min(Math.round(blockBytes / bytesOnTheWay), Math.floor(bufferSize / leastBlocks)));
  return { slots, perSample, bufferSize, blockSize };
};

/** The digest of samples that are shown in the order of a buffer. */
export const digestThroughBuffer = (digest: string, { bufferSize, blockSize }: ShuffleBuffer): string =>
  createHash('sha256').update(`through a buffer of ${bufferSize} in blocks of ${blockSize}: ${digest}`).digest('hex');

/**
 * Samples of a file, read in sequence ahead of when they are shown, into memory of one size. A thread of its own reads. What is not
 * there when it is needed is for whoever needs it to read from the file: that costs time, and changes no result.
 */
export class SampleBuffer {
  /** `[slots, perSample, size, size, 3]`, in memory that threads can share. */
  readonly pixels: Uint8Array;
  readonly #ends: SampleEnds;
  readonly #layout: BufferLayout;
  readonly #reader: ReadAhead;
  #seed = NaN;
  #plan: SlotPlan | undefined;

  constructor(file: OpenPictureFile, ends: SampleEnds, layout: BufferLayout) {
    const { slots, perSample } = layout;
    this.#ends = ends;
    this.#layout = layout;
    this.pixels = sharedBytes(slots * perSample * file.size * file.size * 3);
    const states = new Int32Array(new SharedArrayBuffer((slots + 1) * Int32Array.BYTES_PER_ELEMENT));
    this.#reader = new ReadAhead({ file, pixels: this.pixels, states });
  }

  /**
   * Begins to read along an epoch from a position on, and settles when the buffer is full. Going on from the epoch before, it nearly is.
   *
   * @returns the order in which the epoch is shown: `bufferedOrder`
   */
  async follow(seed: number, epoch: number, position: number): Promise<Int32Array> {
    // No slot is given away that something is yet to be read into.
    await this.#reader.settled();
    if (!this.#plan || this.#seed !== seed) {
      const { length } = this.#ends.a;
      this.#plan = new SlotPlan(this.#layout.slots, (of) => bufferedOrder(length, this.#layout, seed, of));
      this.#seed = seed;
    }
    const { shown, reads } = this.#plan.begin(epoch, position);
    this.#request(reads);
    await this.#reader.settled();
    return shown;
  }

  /** The number in `pixels` of a picture of a sample, once it is read; -1 where it is not read ahead. */
  find(sample: number, end: 'a' | 'b'): number {
    const slot = this.#slotOf(sample);
    if (slot < 0 || !this.#reader.waitFor(slot)) return -1;
    const { perSample } = this.#layout;
    return slot * perSample + (end === 'b' ? perSample - 1 : 0);
  }

  /** Whether nothing would have to be waited for. */
  areReady(samples: Int32Array): boolean {
    return samples.every((sample) => {
      const slot = this.#slotOf(sample);
      return slot < 0 || this.#reader.isReady(slot);
    });
  }

  /** Gives up samples that were shown; others are read in their place. */
  release(samples: Int32Array): void {
    if (this.#plan && this.#reader.works) this.#request(this.#plan.release(samples));
  }

  /** Ends the reading. */
  close(): void {
    this.#reader.close();
  }

  #slotOf(sample: number): number {
    return this.#reader.works ? (this.#plan?.slotOf(sample) ?? -1) : -1;
  }

  #request(reads: readonly SlotRead[]): void {
    const { blockSize } = this.#layout;
    for (let from = 0; from < reads.length; from += blockSize) {
      this.#reader.request(this.#requestOf(reads.slice(from, from + blockSize)));
    }
  }

  #requestOf(reads: readonly SlotRead[]): ReadRequest {
    const { perSample } = this.#layout;
    const { a, b } = this.#ends;
    const ends = perSample === 2 ? [a, b!] : [a];
    return {
      pictures: Int32Array.from(reads.flatMap(({ sample }) => ends.map((end) => end[sample]!))),
      places: Int32Array.from(reads.flatMap(({ slot }) => ends.map((_, i) => slot * perSample + i))),
      slots: Int32Array.from(reads, ({ slot }) => slot),
    };
  }
}
