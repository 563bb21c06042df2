import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { loadArrays, saveArrays } from '../../images/array-files.js';
import type { LoadedDetection, LoadedImage } from '../../images/detection-dataset.js';
import { iou, type Box } from '../../numeric/box.js';
import { selectiveSearch } from './selective-search/selective-search.js';

/** Regions proposed for every picture of a detection target: `[n, 4]` each, corners x0 y0 x1 y1 in px of the raster, best first. */
export type Proposals = {
  readonly train: readonly Float32Array[];
  readonly test: readonly Float32Array[];
};

/** Which regions to propose. */
export type ProposalOptions = {
  /** Of selective search (Uijlings et al. 2013). */
  readonly mode: 'fast' | 'quality';
  /** At most that many a picture. */
  readonly maxBoxes: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
};

/** Proposes regions for all pictures of a target. */
export const proposeRegions = async (
  { train, test }: Pick<LoadedDetection, 'train' | 'test'>,
  { mode, maxBoxes, signal, onProgress }: ProposalOptions,
): Promise<Proposals> => {
  const all = [...train, ...test];
  const boxes: Float32Array[] = [];
  for (const { raster } of all) {
    signal?.throwIfAborted();
    boxes.push(selectiveSearch(raster, { mode, maxBoxes }));
    onProgress?.(boxes.length, all.length);
    await yieldToEvents();
  }
  return { train: boxes.slice(0, train.length), test: boxes.slice(train.length) };
};

const boxAt = (boxes: Float32Array, row: number): Box => {
  const at = row * 4;
  const [x, y] = [boxes[at]!, boxes[at + 1]!];
  return { x, y, width: boxes[at + 2]! - x, height: boxes[at + 3]! - y };
};

/**
 * Share of the objects that some region overlaps by at least `least` (IoU), in [0, 1]: what no detector on these regions can exceed.
 * Difficult and crowd objects do not count; NaN where there is no other.
 */
export const recallOf = (images: readonly LoadedImage[], boxes: readonly Float32Array[], least: number): number => {
  let found = 0;
  let objects = 0;
  images.forEach((image, i) => {
    const regions = Array.from({ length: boxes[i]!.length / 4 }, (_, row) => boxAt(boxes[i]!, row));
    for (const { box, difficult, crowd } of image.objects) {
      if (difficult || crowd) continue;
      objects++;
      if (regions.some((region) => iou(region, box) >= least)) found++;
    }
  });
  return found / objects;
};

/** Writes proposals into a folder as `proposals.*`. */
export const saveProposals = async (dir: string, { train, test }: Proposals): Promise<void> => {
  const all = [...train, ...test];
  const boxes = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const own of all) {
    boxes.set(own, at);
    at += own.length;
  }
  const counts = Int32Array.from(all, ({ length }) => length / 4);
  await saveArrays(dir, 'proposals', { train: train.length }, { boxes, counts });
};

/** Reads what {@link saveProposals} wrote. */
export const loadProposals = async (dir: string): Promise<Proposals> => {
  const { about, array } = await loadArrays(dir, 'proposals');
  const boxes = array('boxes', 'Float32Array');
  let at = 0;
  const all = Array.from(array('counts', 'Int32Array'), (count) => boxes.subarray(at, (at += count * 4)));
  const { train } = about as { train: number };
  return { train: all.slice(0, train), test: all.slice(train) };
};
