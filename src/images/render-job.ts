import type { AugmentationDraw } from './augmentation.js';
import type { PixelCache } from './pixel-cache.js';
import { PictureRenderer } from './render-picture.js';

/** What a network wants to see: side of its input in px, and the normalisation `(pixel / 255 - mean) / std` per channel. A `Trunk` is one. */
export type ImageTarget = {
  readonly inputSize: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
};

/** Views of one size: plain data over shared memory, so that several threads may work on it at once. */
export type RenderJob = {
  /** Side of the views, px. */
  readonly size: number;
  /** Picture numbers in the cache, and one draw each. */
  readonly pictures: Int32Array;
  readonly draws: readonly AugmentationDraw[];
  readonly mean: ImageTarget['mean'];
  readonly std: ImageTarget['std'];
  /** `[views, size, size, 3]`, where they are rendered to. */
  readonly rendered: Float32Array;
  /** How many views have been taken, and how many are done. Read and written by atomic operations only. */
  readonly counts: Int32Array;
};

const taken = 0;
const done = 1;

/**
 * Describes the rendering of `pictures` by `draws`. Everything that can be wrong with it is found here, before any thread begins.
 *
 * @param options.size side of the views, px. @default the network's input
 * @param options.shared whether other threads are to work on the job too. @default false
 * @throws RangeError for no views, draws that do not match, pictures that the cache has not, a size that is none
 */
export const renderJob = (
  cache: Pick<PixelCache, 'count'>,
  pictures: ArrayLike<number>,
  draws: readonly AugmentationDraw[],
  { inputSize, mean, std }: ImageTarget,
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
    if (!(Number.isInteger(picture) && picture >= 0 && picture < cache.count)) {
      throw new RangeError(`Expected a picture number from 0 to ${cache.count - 1}, got \`${picture}\``);
    }
  }
  const bytes = count * size * size * 3 * Float32Array.BYTES_PER_ELEMENT;
  return {
    size,
    pictures: Int32Array.from(pictures),
    draws,
    mean,
    std,
    // New for every job: native TensorFlow takes memory that lies as it likes it for a tensor without a copy.
    rendered: new Float32Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)),
    counts: new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)),
  };
};

/**
 * Takes views of a job that no thread has taken yet, one after the other, and renders them, until there are none. The thread that
 * finishes the last one wakes whoever waits for the job.
 */
export const workOn = (job: RenderJob, { size, pixels }: Pick<PixelCache, 'size' | 'pixels'>): void => {
  const { counts, draws, pictures } = job;
  const bytes = size * size * 3;
  const values = job.size * job.size * 3;
  let renderer: PictureRenderer | undefined;
  for (let i = Atomics.add(counts, taken, 1); i < draws.length; i = Atomics.add(counts, taken, 1)) {
    renderer ??= new PictureRenderer(job.size, job.mean, job.std);
    const source = pixels.subarray(pictures[i]! * bytes, (pictures[i]! + 1) * bytes);
    renderer.render(source, size, draws[i]!, job.rendered, i * values);
    if (Atomics.add(counts, done, 1) === draws.length - 1) Atomics.notify(counts, done);
  }
};

/** Renders a job in this thread; its `[views, size, size, 3]`. */
export const renderAlone = (job: RenderJob, cache: Pick<PixelCache, 'size' | 'pixels'>): Float32Array => {
  workOn(job, cache);
  return job.rendered;
};

/** Leaves the views that no thread has taken yet undone. */
export const abandon = ({ counts, draws }: RenderJob): void => {
  Atomics.store(counts, taken, draws.length);
};

/** Waits until all views of a job are done, for as long as one is done every `patienceMs`; whether they are. */
export const waitFor = ({ counts, draws }: RenderJob, patienceMs: number): boolean => {
  for (;;) {
    const before = Atomics.load(counts, done);
    if (before >= draws.length) return true;
    if (Atomics.wait(counts, done, before, patienceMs) === 'timed-out' && Atomics.load(counts, done) === before) {
      return false;
    }
  }
};
