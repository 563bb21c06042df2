import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Trunk } from '../../src/network/trunk.js';
import type { Tensor4D } from '../../src/runtime/tensors.js';
import type { HistoryEntry } from '../../src/training/train-state.js';
import type { Watch } from '../../src/training/watch.js';
import { knnWatch } from '../../src/transfer/knn/knn-watch.js';
import type { PretrainParams } from './params.js';
import { watchedPictures, watchFile, type WatchedCurve } from './watch-folder.js';

/** The probe `knn` of `transfer`, as it is by default. */
const probe = { pooled: 2, k: 20, sigma: 0.07 };

/** A watch over a training, and what its pictures are. */
export type OpenWatch = { readonly watch: Watch; readonly about: Omit<WatchedCurve, 'knn'> };

/**
 * Opens k-NN on pictures of a folder of classes. `statistics` gives batches of what is learned from, always the same; each is disposed.
 */
export const openWatch = async (
  folder: string,
  { watch: { every, layer, pictures } }: PretrainParams,
  { inputSize }: Trunk,
  statistics: () => Iterable<Tensor4D>,
): Promise<OpenWatch> => {
  const set = await watchedPictures(folder, { pictures, size: inputSize });
  return {
    watch: { every, knn: knnWatch(set, { layer, ...probe, statistics }) },
    about: { layer, pictures: set.pictures.count, classes: set.classes },
  };
};

const write = (dir: string, name: string, value: object): Promise<void> =>
  writeFile(path.join(dir, name), `${JSON.stringify(value)}\n`);

/** Writes a curve as `history.json`, and apart from it, since it is no part of what the training is, what it was watched by. */
export const writeCurves = async (
  dir: string,
  history: readonly HistoryEntry[],
  watched: OpenWatch | undefined,
): Promise<void> => {
  await write(
    dir,
    'history.json',
    history.map(({ knn: _, knnBefore: __, ...entry }) => entry),
  );
  if (!watched) return;
  const knn = history.flatMap(({ step, knn, knnBefore }) => [
    ...(knnBefore === undefined ? [] : [{ step: 0, knn: knnBefore }]),
    ...(knn === undefined ? [] : [{ step, knn }]),
  ]);
  await write(dir, watchFile, { ...watched.about, knn } satisfies WatchedCurve);
};
