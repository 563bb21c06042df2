import type { ImageMethod } from './image-method.js';
import { jigsawMethod } from './jigsaw.js';
import { rotnetMethod } from './rotnet.js';
import { swavMethod } from './swav.js';

/** Every image-based method, in the order of the tables: by what they learn from, older first. */
export const imageMethods: readonly ImageMethod[] = [swavMethod, rotnetMethod, jigsawMethod];

/** The method of that name. */
export const imageMethodNamed = (name: string): ImageMethod => {
  const found = imageMethods.find((method) => method.name === name);
  if (!found) throw new Error(`Expected an image-based method, got \`${name}\``);
  return found;
};
