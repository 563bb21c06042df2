import { z } from 'zod';
import { checkLength, loadArrays, saveArrays } from './array-files.js';
import { viewSide } from './frame-fingerprint.js';
import type { FramePrint, PictureView } from './frame-fingerprint.js';

const area = viewSide ** 2;
const views = ['whole', 'middle'] as const;

/**
 * Writes fingerprints into a folder as `prints.*`.
 *
 * @param names of the pictures, for messages; of frames none are needed
 */
export const savePrints = async (
  dir: string,
  prints: readonly FramePrint[],
  names: readonly string[] = [],
): Promise<void> => {
  const all = prints.flatMap((print) => views.map((view) => print[view]));
  const detail = new Uint8Array(all.length * area);
  all.forEach((view, i) => detail.set(new Uint8Array(view.detail.buffer, view.detail.byteOffset, area), i * area));
  await saveArrays(
    dir,
    'prints',
    { names: [...names] },
    {
      detail,
      hash: Int32Array.from(all.flatMap(({ hash }) => [...hash])),
      deviation: Float32Array.from(all, ({ deviation }) => deviation),
      time: Float32Array.from(prints, ({ time }) => time),
    },
  );
};

/** Reads what {@link savePrints} wrote. */
export const loadPrints = async (dir: string): Promise<{ prints: FramePrint[]; names: readonly string[] }> => {
  const { about, array, length } = await loadArrays(dir, 'prints', { about: z.object({ names: z.array(z.string()) }) });
  const count = length('time') * views.length;
  checkLength(length('detail'), count * area, 'values of views');
  checkLength(length('hash'), 2 * count, 'words of hashes');
  checkLength(length('deviation'), count, 'deviations');
  const detail = array('detail', 'Uint8Array');
  const hash = array('hash', 'Int32Array');
  const deviation = array('deviation', 'Float32Array');
  const viewAt = (i: number): PictureView => ({
    hash: [hash[2 * i]!, hash[2 * i + 1]!],
    detail: new Int8Array(detail.buffer, detail.byteOffset + i * area, area),
    deviation: deviation[i]!,
  });
  const prints = Array.from(array('time', 'Float32Array'), (time, i) => ({
    ...{ time, whole: viewAt(2 * i), middle: viewAt(2 * i + 1) },
  }));
  return { prints, names: about.names };
};
