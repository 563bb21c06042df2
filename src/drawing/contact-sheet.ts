import type { Box } from '../numeric/box.js';
import type { Raster } from '../numeric/raster.js';
import { createRaster, markColours, outlineBox, pasteRaster, toRgb } from './primitives.js';
import { resizeRaster } from './resize.js';
import { drawText, fitText, lineHeight } from './text.js';

/** One picture of a sheet, or several side by side (the two ends of a pair), with a line below. */
export type SheetCell = { readonly raster: Raster | readonly Raster[]; readonly caption?: string };

/** How a sheet is laid out. */
export type SheetOptions = {
  /** Cells in a row. @default 6 */
  readonly columns?: number;
  /** Height of every picture in pixels; widths follow the aspect. @default the first picture's */
  readonly height?: number;
  /** @default none */
  readonly title?: string;
};

const gap = 6;

/** Scales pictures to one height and puts them side by side with a hair line between. */
export const sideBySide = (rasters: readonly Raster[], height: number): Raster => {
  const scaled = rasters.map((raster) =>
    raster.height === height
      ? raster
      : resizeRaster(raster, Math.max(1, Math.round((raster.width * height) / raster.height)), height),
  );
  const row = createRaster(
    scaled.reduce((sum, raster) => sum + raster.width, 2 * (scaled.length - 1)),
    height,
  );
  let left = 0;
  for (const raster of scaled) {
    pasteRaster(row, raster, left, 0);
    left += raster.width + 2;
  }
  return row;
};

/**
 * A sheet of pictures in rows of `columns`, with captions in the built-in font (cut to the cell's width). Throws a `RangeError`
 * where there is no cell.
 */
export const contactSheet = (
  cells: readonly SheetCell[],
  { columns = 6, height, title }: SheetOptions = {},
): Raster => {
  const rastersOf = (cell: SheetCell): readonly Raster[] => ('data' in cell.raster ? [cell.raster] : cell.raster);
  const first = cells[0] && rastersOf(cells[0])[0];
  if (first === undefined) throw new RangeError('Expected `cells` to hold at least one picture, got none');
  if (!Number.isInteger(columns) || columns < 1) {
    throw new RangeError(`Expected \`columns\` to be an integer from 1, got \`${columns}\` (${typeof columns})`);
  }
  const cellHeight = height ?? first.height;
  const pictures = cells.map((cell) => sideBySide(rastersOf(cell), cellHeight));
  const cellWidth = Math.max(...pictures.map((picture) => picture.width));
  const captions = cells.some((cell) => cell.caption !== undefined) ? lineHeight + 2 : 0;
  const across = Math.min(columns, cells.length);
  const head = title === undefined ? 0 : lineHeight + gap;
  const sheet = createRaster(
    gap + across * (cellWidth + gap),
    gap + head + Math.ceil(cells.length / across) * (cellHeight + captions + gap),
  );
  if (title !== undefined) drawText(sheet, fitText(title, sheet.width - 2 * gap), gap, gap);
  for (const [index, picture] of pictures.entries()) {
    const x = gap + (index % across) * (cellWidth + gap);
    const y = gap + head + Math.floor(index / across) * (cellHeight + captions + gap);
    pasteRaster(sheet, picture, x, y);
    const caption = cells[index]!.caption;
    if (caption !== undefined) drawText(sheet, fitText(caption, cellWidth), x, y + cellHeight + 3, [60, 60, 60]);
  }
  return sheet;
};

/**
 * A strip that shows a track: frames side by side, each with its box outlined. With more than `most` frames (default 6) it shows
 * evenly spread ones, always the first and the last. `frames` and `boxes` have one entry a frame.
 */
export const drawTrack = (
  frames: readonly Raster[],
  boxes: readonly (Box | null)[],
  { most = 6, height = frames[0]?.height ?? 0 }: { readonly most?: number; readonly height?: number } = {},
): Raster => {
  if (frames.length === 0 || frames.length !== boxes.length) {
    throw new RangeError(
      `Expected as many \`boxes\` as \`frames\`, and at least one, got \`${boxes.length}\` and \`${frames.length}\``,
    );
  }
  const shown = Math.max(1, Math.min(most, frames.length));
  const chosen = Array.from({ length: shown }, (_, k) =>
    shown === 1 ? 0 : Math.round((k * (frames.length - 1)) / (shown - 1)),
  );
  return sideBySide(
    chosen.map((index) => {
      const picture = toRgb(frames[index]!);
      const box = boxes[index];
      if (box) outlineBox(picture, box, markColours[0]!, Math.max(2, Math.round(picture.height / 120)));
      return picture;
    }),
    height,
  );
};
