import { tf, type Tensor4D } from '../runtime/tensors.js';
import { identityDraw, type ViewSpec } from './augmentation.js';
import type { Pictures } from './picture-file.js';
import { openPictureStore } from './picture-store.js';
import { abandon, renderAlone, renderJob, type ImageTarget, type RenderJob } from './render-job.js';
import { RenderThreads } from './render-threads.js';

/**
 * Samples to learn from, as the training loop wants them (`Source<ViewSpec>`, by shape: this room does not know that one).
 * Each sample names one picture a sample end; which pictures those are is the whole difference between tracks, their controls
 * and single images.
 */
export type SampleSource = {
  readonly length: number;
  readonly videos: number;
  readonly digest: string;
  info(index: number): { readonly index: number; readonly video: number; readonly paired: boolean };
  /** Whether two samples of one video surely show different things. */
  apart?(index: number, other: number): boolean;
  render(indices: Int32Array, views: readonly (readonly ViewSpec[])[]): Tensor4D[];
  /** Begins to render, in threads of its own, what `render` will be asked for next, with the same `views`. Changes no result. */
  prepare(indices: Int32Array, views: readonly (readonly ViewSpec[])[]): void;
  /**
   * Where pictures are read through a shuffle buffer: the order in which the samples of an epoch can be read (`bufferedOrder`), a pure
   * function of (seed, epoch); reading is begun from `position` of it on, and the buffer filled.
   */
  follow?(seed: number, epoch: number, position: number): Promise<Int32Array>;
  /** Ends those threads, and closes the file of the pictures; the source may be used on. */
  release(): void;
  plain(indices: Int32Array): Tensor4D;
};

/** The parts of a source: pictures of end `a` and, where samples are pairs, of end `b`, by number in the set. */
export type SampleParts = {
  readonly cache: Pictures;
  readonly a: Int32Array;
  readonly b?: Int32Array;
  /** Number of the video of each sample, from 0. */
  readonly video: Int32Array;
  readonly videos: number;
  readonly apart?: (index: number, other: number) => boolean;
  /** sha256 over what the samples are and their order. */
  readonly digest: string;
  readonly target: ImageTarget;
};

/** Views of fewer pixels in all are rendered before a thread would have heard of them (some 15 views of 96 px). */
const worthThreads = 2 ** 17;

/** The one size of the views of a number. */
const sizeOf = (specs: readonly ViewSpec[], view: number, inputSize: number): number => {
  const size = specs[0]?.size ?? inputSize;
  const other = specs.find((spec) => (spec.size ?? inputSize) !== size);
  if (other) {
    throw new RangeError(
      `Expected view ${view} to have one size in a batch, got ${size} and ${other.size ?? inputSize} px`,
    );
  }
  return size;
};

/** Puts a source together from its parts. Pictures that are in a file stay there: see {@link PictureFile} for how they are read. */
export const sampleSource = ({ cache, a, b, video, videos, apart, digest, target }: SampleParts): SampleSource => {
  const length = a.length;
  const store = openPictureStore(cache, { a, b }, digest);
  const check = (index: number): number => {
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw new RangeError(`Expected a sample number from 0 to ${length - 1}, got \`${index}\``);
    }
    return index;
  };
  const picture = (index: number, end: 'a' | 'b'): number => {
    if (end === 'b' && !b) {
      throw new RangeError('Expected views of end `a`: these samples are single pictures and have no end `b`');
    }
    return store.find(check(index), end);
  };
  /** One job a view number. */
  const jobsOf = (indices: Int32Array, views: readonly (readonly ViewSpec[])[], shared: boolean): RenderJob[] => {
    if (indices.length !== views.length) {
      throw new RangeError(`Expected views for ${indices.length} samples, got ${views.length}`);
    }
    const count = views[0]?.length ?? 0;
    if (views.some((row) => row.length !== count))
      throw new RangeError('Expected the same number of views of every sample');
    const from = { ...store.bytes(), count: store.count };
    return Array.from({ length: count }, (_, v) => {
      const specs = views.map((row) => row[v] as ViewSpec);
      const pictures = Int32Array.from(specs, ({ end }, i) => picture(indices[i] as number, end));
      const draws = specs.map(({ augmentation }) => augmentation);
      const size = sizeOf(specs, v, target.inputSize);
      return renderJob(from, pictures, draws, target, { size, shared });
    });
  };
  let threads: RenderThreads | undefined;
  let begun: { readonly indices: Int32Array; readonly views: unknown; readonly jobs: RenderJob[] } | undefined;
  /** What was begun, if it is this; anything else that was begun is given up. */
  const takeBegun = (indices: Int32Array, views: unknown): RenderJob[] | undefined => {
    const given = begun;
    begun = undefined;
    if (given?.views === views && given?.indices.every((index, i) => index === indices[i])) return given.jobs;
    given?.jobs.forEach(abandon);
    return undefined;
  };
  const endThreads = (): void => {
    takeBegun(new Int32Array(0), undefined);
    threads?.close();
    threads = undefined;
  };
  const follow = async (seed: number, epoch: number, position: number): Promise<Int32Array> => {
    const { pixels } = store.bytes();
    const order = await store.follow!(seed, epoch, position);
    // The buffer is another memory than the threads know, the first time.
    if (store.bytes().pixels !== pixels) endThreads();
    return order;
  };
  const tensorOf = (rendered: Float32Array, { draws, size }: RenderJob): Tensor4D =>
    tf.tensor4d(rendered, [draws.length, size, size, 3]);
  return {
    length,
    videos,
    digest: store.digest,
    ...(apart ? { apart } : {}),
    ...(store.follow ? { follow } : {}),
    info: (index) => ({ index: check(index), video: video[index] as number, paired: b !== undefined }),
    render: (indices, views) => {
      const began = takeBegun(indices, views);
      const jobs = began ?? jobsOf(indices, views, threads !== undefined);
      if (!began) threads?.begin(jobs);
      const rendered = jobs.map((job) => (threads ? threads.finish(job) : renderAlone(job, store.bytes())));
      store.release(indices);
      return rendered.map((values, v) => tensorOf(values, jobs[v]!));
    },
    prepare: (indices, views) => {
      takeBegun(indices, undefined);
      const pixels = (views[0] ?? []).reduce((sum, { size = target.inputSize }) => sum + size * size, 0);
      // What would have to be waited for is better waited for after the step under way.
      if (pixels * views.length < worthThreads || !store.areReady(indices)) return;
      threads ??= new RenderThreads(store.bytes());
      const jobs = jobsOf(indices, views, true);
      threads.begin(jobs);
      begun = { indices: indices.slice(), views, jobs };
    },
    release: () => {
      endThreads();
      store.close();
    },
    plain: (indices) => {
      const from = store.bytes();
      const pictures = Int32Array.from(indices, (index) => store.anywhere(check(index), 'a'));
      const draws = Array.from(indices, () => identityDraw);
      const job = renderJob({ ...from, count: store.count }, pictures, draws, target);
      return tensorOf(renderAlone(job, from), job);
    },
  };
};
