import type { CellMap } from './hog-cells.js';

/** Bins of L (0 to 100) and of a and b (-60 to 60; an odd number, so that grey is the middle of a bin). */
const lightnessBins = 4;
const chromaBins = 5;
const chromaReach = 60;

/** Bins of a joint histogram: lightness, a, b. */
export const colourChannels = lightnessBins * chromaBins * chromaBins;

/** sRGB to linear light, by 8-bit level. */
const linear = Float64Array.from({ length: 256 }, (_, level) => {
  const value = level / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

const cubic = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);

/** CIELAB (D65) of an sRGB colour of 8-bit levels. */
export const labOf = (red: number, green: number, blue: number): readonly [l: number, a: number, b: number] => {
  const r = linear[red]!;
  const g = linear[green]!;
  const b = linear[blue]!;
  const x = cubic((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = cubic(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = cubic((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
};

/** Where a share from 0 to 1 of a scale falls among `bins` bin centres: the number of the one below plus the share of the one above; ends are held. */
const place = (share: number, bins: number): number => Math.min(bins - 1.000001, Math.max(0, share * bins - 0.5));

/**
 * Joint Lab histograms of the cells of a picture, `floor(height / cell) x floor(width / cell)` of them: each pixel votes
 * trilinearly for the bins around its colour, so that a small change of light moves little. Counts; they sum to `cell^2`.
 *
 * @param rgb `[height, width, 3]`, 8-bit levels
 */
export const colourCells = (rgb: ArrayLike<number>, width: number, height: number, cell = 8): CellMap => {
  const rows = Math.floor(height / cell);
  const columns = Math.floor(width / cell);
  if (rgb.length !== width * height * 3 || rows < 1 || columns < 1) {
    throw new RangeError(
      `Expected an RGB picture of at least ${cell} x ${cell}, got ${rgb.length} values for ${width} x ${height}`,
    );
  }
  const data = new Float32Array(rows * columns * colourChannels);
  for (let y = 0; y < rows * cell; y++) {
    for (let x = 0; x < columns * cell; x++) {
      const from = (y * width + x) * 3;
      const [l, a, b] = labOf(rgb[from]!, rgb[from + 1]!, rgb[from + 2]!);
      const to = (Math.floor(y / cell) * columns + Math.floor(x / cell)) * colourChannels;
      vote(data, to, l, a, b);
    }
  }
  return { rows, columns, channels: colourChannels, data };
};

const vote = (data: Float32Array, to: number, l: number, a: number, b: number): void => {
  const atL = place(l / 100, lightnessBins);
  const atA = place((a + chromaReach) / (2 * chromaReach), chromaBins);
  const atB = place((b + chromaReach) / (2 * chromaReach), chromaBins);
  const [i, j, k] = [Math.floor(atL), Math.floor(atA), Math.floor(atB)];
  const [wl, wa, wb] = [atL - i, atA - j, atB - k];
  const low = to + (i * chromaBins + j) * chromaBins + k;
  const high = low + chromaBins * chromaBins;
  data[low]! += (1 - wl) * (1 - wa) * (1 - wb);
  data[low + 1]! += (1 - wl) * (1 - wa) * wb;
  data[low + chromaBins]! += (1 - wl) * wa * (1 - wb);
  data[low + chromaBins + 1]! += (1 - wl) * wa * wb;
  data[high]! += wl * (1 - wa) * (1 - wb);
  data[high + 1]! += wl * (1 - wa) * wb;
  data[high + chromaBins]! += wl * wa * (1 - wb);
  data[high + chromaBins + 1]! += wl * wa * wb;
};
