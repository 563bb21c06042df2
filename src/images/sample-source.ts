import type { Tensor4D } from '../runtime/tensors.js';
import type { ViewSpec } from './augmentation.js';
import type { PixelCache } from './pixel-cache.js';
import { renderPlain, renderViews, type ImageTarget } from './render-views.js';

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
  render(indices: Int32Array, views: readonly (readonly ViewSpec[])[]): Tensor4D[];
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
  /** sha256 over what the samples are and their order. */
  readonly digest: string;
  readonly target: ImageTarget;
};

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
export const sampleSource = ({ cache, a, b, video, videos, digest, target }: SampleParts): SampleSource => {
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
  return {
    length,
    videos,
    digest,
    info: (index) => ({ index: check(index), video: video[index] as number, paired: b !== undefined }),
    render: (indices, views) => {
      if (indices.length !== views.length) {
        throw new RangeError(`Expected views for ${indices.length} samples, got ${views.length}`);
      }
      const count = views[0]?.length ?? 0;
      if (views.some((row) => row.length !== count))
        throw new RangeError('Expected the same number of views of every sample');
      return Array.from({ length: count }, (_, v) => {
        const specs = views.map((row) => row[v] as ViewSpec);
        const pictures = Int32Array.from(specs, ({ end }, i) => picture(indices[i] as number, end));
        return renderViews(
          cache,
          pictures,
          specs.map(({ augmentation }) => augmentation),
          target,
          sizeOf(specs, v, target.inputSize),
        );
      });
    },
    plain: (indices) =>
      renderPlain(
        cache,
        Int32Array.from(indices, (index) => picture(index, 'a')),
        target,
      ),
  };
};
