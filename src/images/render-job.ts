import type { AugmentationDraw } from './augmentation.js';
import { readPictures, type OpenPictureFile } from './picture-file.js';
import { PictureRenderer } from './render-picture.js';

/** What a network wants to see: side of its input in px, and the normalisation `(pixel / 255 - mean) / std` per channel. A `Trunk` is one. */
export type ImageTarget = {
  readonly inputSize: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** Whether it sees grey pictures, the grey in all channels, whatever is drawn. @default false */
  readonly grey?: boolean;
};

/** What pictures are rendered from: plain data that threads can share, where `pixels` is. */
export type PictureBytes = {
  /** Side of a picture, px. */
  readonly size: number;
  /** `[pictures, size, size, 3]`. */
  readonly pixels: Uint8Array;
  /** Where pictures are that are not in `pixels`. */
  readonly file?: OpenPictureFile;
};

/** Views of one size: plain data over shared memory, so that several threads may work on it at once. */
export type RenderJob = {
  /** Side of the views, px. */
  readonly size: number;
  /** Numbers of pictures in `pixels`, or `~number` of those that are read from the file; and one draw each. */
  readonly pictures: Int32Array;
  readonly draws: readonly AugmentationDraw[];
  readonly mean: ImageTarget['mean'];
  readonly std: ImageTarget['std'];
  /** `[views, size, size, 3]`, where they are rendered to. */
  readonly rendered: Float32Array;
  /** How many views have been taken, how many are done, and whether a thread failed. Read and written by atomic operations only. */
  readonly counts: Int32Array;
};

const taken = 0;
const done = 1;
const failed = 2;

/**
 * Describes the rendering of `pictures` by `draws`. Everything that can be wrong with it is found here, before any thread begins.
 *
 * @param options.size side of the views, px. @default the network's input
 * @param options.shared whether other threads are to work on the job too. @default false
 * @throws RangeError for no views, draws that do not match, pictures that are not there, a size that is none
 */
export const renderJob = (
  from: { readonly count: number; readonly file?: Pick<OpenPictureFile, 'count'> },
  pictures: ArrayLike<number>,
  draws: readonly AugmentationDraw[],
  { inputSize, mean, std, grey = false }: ImageTarget,
  { size = inputSize, shared = false }: { readonly size?: number; readonly shared?: boolean } = {},
): RenderJob => {
  const count = draws.length;
  if (pictures.length !== count || count === 0) {
    throw new RangeError(`Expected one draw a picture, and some, got ${count} draws for ${pictures.length} pictures`);
  }
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`Expected \`size\` to be a whole number of px above 0, got \`${size}\` (${typeof size})`);
  }
  for (let i = 0; i < count; i++) {
    const picture = pictures[i]!;
    const [number, count] = picture < 0 && from.file ? [~picture, from.file.count] : [picture, from.count];
    if (!(Number.isInteger(picture) && number >= 0 && number < count)) {
      throw new RangeError(`Expected a picture number from 0 to ${count - 1}, got \`${number}\``);
    }
  }
  const bytes = count * size * size * 3 * Float32Array.BYTES_PER_ELEMENT;
  return {
    size,
    pictures: Int32Array.from(pictures),
    draws: grey ? draws.map((draw) => ({ ...draw, grey: true })) : draws,
    mean,
    std,
    // New for every job: native TensorFlow takes memory that lies as it likes it for a tensor without a copy.
    rendered: new Float32Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)),
    counts: new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)),
  };
};

/**
 * Takes views of a job that no thread has taken yet, one after the other, and renders them, until there are none. The thread that
 * finishes the last one wakes whoever waits for the job, and so does one that fails.
 *
 * @throws UsageError where a picture cannot be read from the file, or is not what was packed
 */
export const workOn = (job: RenderJob, from: PictureBytes): void => {
  const { counts, draws, pictures } = job;
  const values = job.size * job.size * 3;
  const pictureOf = pictureReader(from);
  let renderer: PictureRenderer | undefined;
  try {
    for (let i = Atomics.add(counts, taken, 1); i < draws.length; i = Atomics.add(counts, taken, 1)) {
      renderer ??= new PictureRenderer(job.size, job.mean, job.std);
      renderer.render(pictureOf(pictures[i]!), from.size, draws[i]!, job.rendered, i * values);
      if (Atomics.add(counts, done, 1) === draws.length - 1) Atomics.notify(counts, done);
    }
  } catch (error) {
    Atomics.store(counts, failed, 1);
    Atomics.notify(counts, done);
    throw error;
  }
};

/** Gives the bytes of one picture after the other; those of a file are good until the next is asked for. */
const pictureReader = ({ size, pixels, file }: PictureBytes): ((picture: number) => Uint8Array) => {
  const bytes = size * size * 3;
  let fromFile: Uint8Array | undefined;
  return (picture) => {
    if (picture >= 0) return pixels.subarray(picture * bytes, (picture + 1) * bytes);
    fromFile ??= new Uint8Array(bytes);
    readPictures(file!, ~picture, [fromFile]);
    return fromFile;
  };
};

/** Renders a job in this thread; its `[views, size, size, 3]`. */
export const renderAlone = (job: RenderJob, from: PictureBytes): Float32Array => {
  workOn(job, from);
  return job.rendered;
};

/** Leaves the views that no thread has taken yet undone. */
export const abandon = ({ counts, draws }: RenderJob): void => {
  Atomics.store(counts, taken, draws.length);
};

/** Waits until all views of a job are done, for as long as one is done every `patienceMs` and no thread fails; whether they are. */
export const waitFor = ({ counts, draws }: RenderJob, patienceMs: number): boolean => {
  for (;;) {
    const before = Atomics.load(counts, done);
    if (before >= draws.length) return true;
    if (Atomics.load(counts, failed) !== 0) return false;
    if (Atomics.wait(counts, done, before, patienceMs) === 'timed-out' && Atomics.load(counts, done) === before) {
      return false;
    }
  }
};
