import { imageMethods } from '../methods/index.js';
import { imageRow, rowsOnPairs } from './image-rows.js';
import { randomRow, rankingRows } from './ranking-rows.js';
import type { Row } from './row.js';

/** How a method's row on single patches is named where its row on pictures has its name. */
export const patchesName = (method: string): string => `${method}-patches`;

/** Rows that learn from mined pairs, in the order of the tables. */
export const pairRows: readonly Row[] = [
  randomRow('pairs'),
  ...rankingRows,
  ...imageMethods.flatMap((method) => rowsOnPairs(method)),
];

/** Rows that learn from single pictures. */
export const pictureRows: readonly Row[] = [
  randomRow('images'),
  ...imageMethods.map((method) => imageRow(method, 'images')),
];

/** Rows of both kinds in one table: a method on patches has a name of its own there. */
export const comparedRows: readonly Row[] = [
  ...pictureRows,
  ...rankingRows,
  ...imageMethods.flatMap((method) => rowsOnPairs(method, patchesName(method.name))),
];

/** The row of that name on that kind of samples, whichever table it stands in. */
export const findRow = (name: string, learnsFrom: Row['learnsFrom']): Row => {
  const found = [...pairRows, ...comparedRows].find((row) => row.name === name && row.learnsFrom === learnsFrom);
  if (!found) throw new Error(`Expected a row on ${learnsFrom}, got \`${name}\``);
  return found;
};
