import { closePictureFile, openPictureFile, type PictureFile, type Pictures, areInFile } from './picture-file.js';
import type { PixelCache } from './pixel-cache.js';
import type { PictureBytes } from './render-job.js';
import {
  digestThroughBuffer,
  layOutBuffer,
  SampleBuffer,
  type BufferLayout,
  type SampleEnds,
} from './sample-buffer.js';

/** Where a source finds the pictures of its samples: in memory, in a file, or on the way from there. */
export type PictureStore = {
  /** sha256 over what the samples are and the order they are shown in. */
  readonly digest: string;
  /** What views are rendered from, until `close`. */
  bytes(): PictureBytes;
  /** Pictures in `bytes().pixels`. */
  readonly count: number;
  /** The number of an end of a sample, as a render job has it; waits for it where it is being read. */
  find(sample: number, end: 'a' | 'b'): number;
  /** The same for a sample that nobody announced. */
  anywhere(sample: number, end: 'a' | 'b'): number;
  /** Whether nothing would have to be waited for. */
  areReady(samples: Int32Array): boolean;
  /** Told of samples that were rendered. */
  release(samples: Int32Array): void;
  /** The order in which an epoch can be read, which is begun from a position on; absent where any order costs the same. */
  follow?(seed: number, epoch: number, position: number): Promise<Int32Array>;
  /** Ends what was begun. The store may be used on. */
  close(): void;
};

/** Opens the store of samples whose ends are pictures of a set. `digest` is that of the samples. */
export const openPictureStore = (pictures: Pictures, ends: SampleEnds, digest: string): PictureStore =>
  areInFile(pictures) ? fileStore(pictures, ends, digest) : memoryStore(pictures, ends, digest);

const memoryStore = (cache: PixelCache, { a, b }: SampleEnds, digest: string): PictureStore => {
  const find = (sample: number, end: 'a' | 'b'): number => (end === 'a' ? a : b!)[sample]!;
  return {
    digest,
    count: cache.count,
    bytes: () => ({ size: cache.size, pixels: cache.pixels }),
    find,
    anywhere: find,
    areReady: () => true,
    release: () => undefined,
    close: () => undefined,
  };
};

const fileStore = (pictures: PictureFile, ends: SampleEnds, digest: string): PictureStore => {
  const layout = pictures.bufferBytes === undefined ? undefined : layOutBuffer(pictures, ends, pictures.bufferBytes);
  const state = new OpenStore(pictures, ends, layout);
  const anywhere = (sample: number, end: 'a' | 'b'): number => ~(end === 'a' ? ends.a : ends.b!)[sample]!;
  return {
    digest: layout && layout.bufferSize < ends.a.length ? digestThroughBuffer(digest, layout) : digest,
    count: layout ? layout.slots * layout.perSample : 0,
    bytes: () => state.bytes(),
    find: (sample, end) => {
      const found = state.buffer?.find(sample, end) ?? -1;
      return found < 0 ? anywhere(sample, end) : found;
    },
    anywhere,
    areReady: (samples) => state.buffer?.areReady(samples) ?? true,
    release: (samples) => state.buffer?.release(samples),
    ...(layout ? { follow: (seed, epoch, position) => state.open().follow(seed, epoch, position) } : {}),
    close: () => state.close(),
  };
};

/** The file of a store, and its buffer, while they are open. */
class OpenStore {
  buffer: SampleBuffer | undefined;
  #bytes: PictureBytes | undefined;

  constructor(
    readonly pictures: PictureFile,
    readonly ends: SampleEnds,
    readonly layout: BufferLayout | undefined,
  ) {}

  /** What views are rendered from; opens the file where it is not. */
  bytes(): PictureBytes {
    return (this.#bytes ??= {
      size: this.pictures.size,
      pixels: new Uint8Array(new SharedArrayBuffer(0)),
      file: openPictureFile(this.pictures),
    });
  }

  /** The buffer; opens it where it is not. */
  open(): SampleBuffer {
    if (this.buffer) return this.buffer;
    const { file, size } = this.bytes();
    this.buffer = new SampleBuffer(file!, this.ends, this.layout!);
    this.#bytes = { size, file: file!, pixels: this.buffer.pixels };
    return this.buffer;
  }

  close(): void {
    this.buffer?.close();
    this.buffer = undefined;
    if (this.#bytes) closePictureFile(this.#bytes.file!);
    this.#bytes = undefined;
  }
}
