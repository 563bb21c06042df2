import { createHash } from 'node:crypto';
import type { PixelCache } from '../src/images/pixel-cache.js';

/** Rows to fit and rows to test. */
export type Fold = { readonly train: readonly number[]; readonly test: readonly number[] };

/** Folds of labelled rows: the k-th row of a class is tested in fold `k mod folds`. */
export const foldsOf = (labels: ArrayLike<number>, folds: number): Fold[] => {
  const seen = new Map<number, number>();
  const foldOfRow = Array.from(labels, (label) => {
    const count = seen.get(label) ?? 0;
    seen.set(label, count + 1);
    return count % folds;
  });
  const rowsOf = (fold: number, tested: boolean): number[] =>
    Array.from(foldOfRow.keys()).filter((row) => (foldOfRow[row] === fold) === tested);
  return Array.from({ length: folds }, (_, fold) => ({ train: rowsOf(fold, false), test: rowsOf(fold, true) }));
};

/** The one split of a target that brings its own, of the rows of {@link mergePictures}. */
export const givenSplit = (train: number, test: number): Fold => ({
  train: Array.from({ length: train }, (_, i) => i),
  test: Array.from({ length: test }, (_, i) => train + i),
});

/** The pictures of two caches in one. */
export const mergePictures = (first: PixelCache, second: PixelCache): PixelCache => {
  const pixels = new Uint8Array(first.pixels.length + second.pixels.length);
  pixels.set(first.pixels);
  pixels.set(second.pixels, first.pixels.length);
  const digest = createHash('sha256').update(`${first.digest} ${second.digest}`).digest('hex');
  return { count: first.count + second.count, size: first.size, pixels, digest };
};
