import { tf, type Tensor4D } from '../runtime/tensors.js';
import type { ViewSpec } from './augmentation.js';
import type { PixelCache } from './pixel-cache.js';
import { abandon, renderAlone, renderJob, type ImageTarget, type RenderJob } from './render-job.js';
import { RenderThreads } from './render-threads.js';
import { renderPlain } from './render-views.js';

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
  /** Ends those threads; the source may be used on. */
  release(): void;
  plain(indices: Int32Array): Tensor4D;
};

/** The parts of a source: pictures of end `a` and, where samples are pairs, of end `b`, by number in the cache. */
export type SampleParts = {
  readonly cache: PixelCache;
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

/** Puts a source together from its parts. */
export const sampleSource = ({ cache, a, b, video, videos, apart, digest, target }: SampleParts): SampleSource => {
  const length = a.length;
  const check = (index: number): number => {
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw new RangeError(`Expected a sample number from 0 to ${length - 1}, got \`${index}\``);
    }
    return index;
  };
  const picture = (index: number, end: 'a' | 'b'): number => {
    const ends = end === 'a' ? a : b;
    if (!ends) throw new RangeError('Expected views of end `a`: these samples are single pictures and have no end `b`');
    return ends[check(index)] as number;
  };
  /** One job a view number. */
  const jobsOf = (indices: Int32Array, views: readonly (readonly ViewSpec[])[], shared: boolean): RenderJob[] => {
    if (indices.length !== views.length) {
      throw new RangeError(`Expected views for ${indices.length} samples, got ${views.length}`);
    }
    const count = views[0]?.length ?? 0;
    if (views.some((row) => row.length !== count))
      throw new RangeError('Expected the same number of views of every sample');
    return Array.from({ length: count }, (_, v) => {
      const specs = views.map((row) => row[v] as ViewSpec);
      const pictures = Int32Array.from(specs, ({ end }, i) => picture(indices[i] as number, end));
      const draws = specs.map(({ augmentation }) => augmentation);
      const size = sizeOf(specs, v, target.inputSize);
      return renderJob(cache, pictures, draws, target, { size, shared });
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
  const tensorOf = (rendered: Float32Array, { draws, size }: RenderJob): Tensor4D =>
    tf.tensor4d(rendered, [draws.length, size, size, 3]);
  return {
    length,
    videos,
    digest,
    ...(apart ? { apart } : {}),
    info: (index) => ({ index: check(index), video: video[index] as number, paired: b !== undefined }),
    render: (indices, views) => {
      const began = takeBegun(indices, views);
      const jobs = began ?? jobsOf(indices, views, threads !== undefined);
      if (!began) threads?.begin(jobs);
      return jobs.map((job) => tensorOf(threads ? threads.finish(job) : renderAlone(job, cache), job));
    },
    prepare: (indices, views) => {
      takeBegun(indices, undefined);
      const pixels = (views[0] ?? []).reduce((sum, { size = target.inputSize }) => sum + size * size, 0);
      if (pixels * views.length < worthThreads) return;
      threads ??= new RenderThreads(cache);
      const jobs = jobsOf(indices, views, true);
      threads.begin(jobs);
      begun = { indices: indices.slice(), views, jobs };
    },
    release: () => {
      takeBegun(new Int32Array(0), undefined);
      threads?.close();
      threads = undefined;
    },
    plain: (indices) =>
      renderPlain(
        cache,
        Int32Array.from(indices, (index) => picture(index, 'a')),
        target,
      ),
  };
};
