import path from 'node:path';
import { buildPixelCache } from '../../src/images/pixel-cache.js';
import { checkClassDataset, openClassDataset } from '../../src/images/class-dataset.js';
import type { PipelineOption } from '../../src/pipeline/pipeline.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import type { WatchedPictures } from '../../src/transfer/knn/knn-watch.js';
import { checkPath } from './target-folders.js';

/** `--watch`: on a pipeline that trains. */
export const watchOption: PipelineOption = {
  flag: '--watch',
  value: 'DIR',
  help:
    'a folder of classes: some of its training pictures show by k-NN what a network is worth while it is trained (a curve in the report); ' +
    'decides nothing, and what is trained already is not trained again for it',
};

/** Where a training leaves what it was watched by. */
export const watchFile = 'watch.json';

/** What it holds: leave-one-out k-NN accuracy in percent by step, from the first weights (step 0) on, and of what. */
export type WatchedCurve = {
  readonly layer: string;
  readonly pictures: number;
  readonly classes: number;
  readonly knn: readonly { readonly step: number; readonly knn: number }[];
};

/** Reads `--watch`. @throws UsageError where it names no folder of classes */
export const watchedFolder = ({ watch }: Readonly<Record<string, string | undefined>>): string | undefined => {
  if (watch === undefined) return undefined;
  checkPath('--watch', watch);
  try {
    checkClassDataset(watch);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`--watch: ${error.message}`);
    throw error;
  }
  return path.resolve(watch);
};

/**
 * Decodes some training pictures of a folder of classes, as many of each class as go into `pictures`, two at least; nothing of its test
 * part, where it is split as `targets` does by default. `size` is the side the network sees, px.
 */
export const watchedPictures = async (
  folder: string,
  { pictures, size }: { readonly pictures: number; readonly size: number },
): Promise<WatchedPictures> => {
  // A look at the names first: the whole folder may be large.
  const { classes } = await openClassDataset(folder, { trainPerClass: 1, testPerClass: 1 });
  const trainPerClass = Math.max(2, Math.floor(pictures / classes.length));
  const { train } = await openClassDataset(folder, { trainPerClass, testPerClass: 1 });
  return {
    pictures: await buildPixelCache(
      train.map(({ file }) => file),
      size,
    ),
    labels: Int32Array.from(train, ({ label }) => label),
    classes: classes.length,
  };
};
