import { sortedMedian } from './point-list.js';
import type { GreyImage } from './grey-image.js';

/** Cells along each side over which brightness is compared. */
const CELLS = 12;
/** Luma of black in the limited range; light is what stands above it. */
const BLACK = 16;
/** Cells darker than this above black say nothing of a factor. */
const DARK = 8;
/** Share of the cells that must have changed by about the same factor: where the camera moves, cells change, but not alike. */
const AGREE = 0.6;
/** Smaller changes are left: objects that come and go make them. */
const NOTICEABLE = 0.01;

const cellLight = ({ width, height, data }: GreyImage): Float64Array => {
  const cells = new Float64Array(CELLS * CELLS);
  for (let row = 0; row < CELLS; row++) {
    const [top, bottom] = [Math.floor((row * height) / CELLS), Math.floor(((row + 1) * height) / CELLS)];
    for (let column = 0; column < CELLS; column++) {
      const [left, right] = [Math.floor((column * width) / CELLS), Math.floor(((column + 1) * width) / CELLS)];
      let sum = 0;
      for (let y = top; y < bottom; y += 2) for (let x = left; x < right; x += 2) sum += data[y * width + x];
      const count = Math.ceil((bottom - top) / 2) * Math.ceil((right - left) / 2);
      cells[row * CELLS + column] = count > 0 ? sum / count - BLACK : 0;
    }
  }
  return cells;
};

/**
 * The factor by which the light of a whole picture changed, `median over cells of light(second) / light(first)`: a flicker or a
 * fade, but not an object that comes or goes. 1 where it is within one percent, too dark to say, or not one factor for most cells.
 */
export const brightnessGain = (first: GreyImage, second: GreyImage): number => {
  const before = cellLight(first);
  const after = cellLight(second);
  const ratios: number[] = [];
  for (let i = 0; i < before.length; i++) if (before[i] > DARK) ratios.push(Math.max(0, after[i]) / before[i]);
  if (ratios.length < before.length / 4) return 1;
  const gain = sortedMedian(Float64Array.from(ratios));
  const about = Math.max(2 * NOTICEABLE, Math.abs(gain - 1) / 4);
  const agree = ratios.filter((ratio) => Math.abs(ratio - gain) <= about).length;
  return Math.abs(gain - 1) < NOTICEABLE || agree < AGREE * ratios.length ? 1 : gain;
};

/** The picture with its light (luma above black) times a factor; itself where that is 1. */
export const withGain = (image: GreyImage, gain: number): GreyImage => {
  if (gain === 1 || !Number.isFinite(gain)) return image;
  const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => BLACK + (value - BLACK) * gain);
  return { ...image, data: image.data.map((value) => table[value]) };
};
