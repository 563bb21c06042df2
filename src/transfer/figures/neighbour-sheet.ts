import { createRaster, fillBox, markColours, outlineBox, pasteRaster } from '../../drawing/primitives.js';
import { resizeRaster } from '../../drawing/resize.js';
import { pictureOf, type PixelCache } from '../../images/pixel-cache.js';
import type { Raster } from '../../numeric/raster.js';
import type { NeighbourRow } from './neighbour-rows.js';

/** How the sheet is laid out. */
export type NeighbourSheetOptions = {
  /** Rows side by side. @default 2 */
  readonly columns?: number;
  /** Side of every picture, px. @default 80 */
  readonly side?: number;
  /** Classes of queries and bank: a neighbour of its query's class gets a frame. @default no frames */
  readonly labels?: { readonly queries: ArrayLike<number>; readonly bank: ArrayLike<number> };
};

const gap = 3;
const apart = 14;

/**
 * Queries with their neighbours as a sheet: the query, a bar, its neighbours, nearest first, those of its class framed in green.
 * Throws a `RangeError` where there is no row.
 */
export const neighbourSheet = (
  rows: readonly NeighbourRow[],
  queries: PixelCache,
  bank: PixelCache,
  { columns = 2, side = 80, labels }: NeighbourSheetOptions = {},
): Raster => {
  if (rows.length === 0) throw new RangeError('Expected at least one row of neighbours, got none');
  const most = Math.max(...rows.map(({ neighbours }) => neighbours.length));
  const pitch = side + gap;
  const width = pitch + apart + most * pitch - gap;
  const across = Math.min(columns, rows.length);
  const sheet = createRaster(
    2 * gap + across * width + (across - 1) * 2 * apart,
    gap + Math.ceil(rows.length / across) * pitch,
  );
  for (const [place, { query, neighbours }] of rows.entries()) {
    const left = gap + (place % across) * (width + 2 * apart);
    const top = gap + Math.floor(place / across) * pitch;
    pasteRaster(sheet, resizeRaster(pictureOf(queries, query), side, side), left, top);
    fillBox(sheet, { x: left + side + apart / 2, y: top, width: 2, height: side }, [120, 120, 120]);
    for (const [k, { index }] of neighbours.entries()) {
      const x = left + pitch + apart + k * pitch;
      pasteRaster(sheet, resizeRaster(pictureOf(bank, index), side, side), x, top);
      if (labels && labels.queries[query] === labels.bank[index]) {
        outlineBox(sheet, { x, y: top, width: side, height: side }, markColours[3]!, 4);
      }
    }
  }
  return sheet;
};
