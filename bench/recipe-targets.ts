import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { loadClassDataset, openClassDataset } from '../src/images/class-dataset.js';
import { loadNormals, openRgbdTarget } from '../src/images/rgbd-dataset.js';
import { saveClasses, saveNormals } from '../src/images/target-file.js';

/** What networks are read on: a folder of classes, or of RGB-D frames. */
export type RecipeTarget = { readonly folder: string } & (
  | { readonly kind: 'classes'; readonly trainPerClass?: number; readonly testPerClass?: number }
  | { readonly kind: 'normals' }
);

/** The side of the small trunk's input. */
const inputPx = 96;

/** Decodes a target once, into a folder that every reading then loads. */
export const prepareTarget = async (target: RecipeTarget, folder: string): Promise<void> => {
  if (existsSync(folder)) return;
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  if (target.kind === 'classes') {
    const { trainPerClass, testPerClass } = target;
    const limits = {
      ...(trainPerClass === undefined ? {} : { trainPerClass }),
      ...(testPerClass === undefined ? {} : { testPerClass }),
    };
    await saveClasses(partial, await loadClassDataset(await openClassDataset(target.folder, limits), inputPx));
  } else {
    await saveNormals(partial, await loadNormals(await openRgbdTarget(target.folder), inputPx));
  }
  await mkdir(path.dirname(folder), { recursive: true });
  await rename(partial, folder);
};
