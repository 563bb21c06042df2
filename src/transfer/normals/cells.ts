/** Normals of a set of images on a coarse grid: `normals[(image * rows + row) * columns + column]`, three values each. */
export type CellNormals = {
  readonly images: number;
  readonly rows: number;
  readonly columns: number;
  /** Unit vectors, `[images, rows, columns, 3]`; zeros where `weight` is 0. */
  readonly normals: Float64Array;
  /** Share of the cell's pixels that are valid, in [0, 1]. */
  readonly weight: Float64Array;
};

/** Normals by pixel, of images of one size; `valid` is 1 or 0. */
export type PixelNormals = {
  readonly width: number;
  readonly height: number;
  /** `[images, height, width, 3]`. */
  readonly normals: Float32Array;
  /** `[images, height, width]`. */
  readonly valid: Uint8Array;
};

/** Mean direction of the valid pixels of each cell; a pixel belongs to the cell that its centre lies in. */
export const poolNormals = (
  { width, height, normals, valid }: PixelNormals,
  images: ArrayLike<number>,
  rows: number,
  columns: number,
): CellNormals => {
  if (!(rows >= 1 && rows <= height && columns >= 1 && columns <= width)) {
    throw new RangeError(`Expected at most ${height} x ${width} cells, got ${rows} x ${columns}`);
  }
  const cells = images.length * rows * columns;
  const sums = new Float64Array(cells * 3);
  const weight = new Float64Array(cells);
  const pixels = new Float64Array(cells);
  for (let i = 0; i < images.length; i++) {
    for (let y = 0; y < height; y++) {
      const row = Math.floor(((y + 0.5) * rows) / height);
      for (let x = 0; x < width; x++) {
        const cell = (i * rows + row) * columns + Math.floor(((x + 0.5) * columns) / width);
        const at = ((images[i] as number) * height + y) * width + x;
        pixels[cell]!++;
        if (!valid[at]) continue;
        weight[cell]!++;
        for (let c = 0; c < 3; c++) sums[cell * 3 + c]! += normals[at * 3 + c]!;
      }
    }
  }
  for (let cell = 0; cell < cells; cell++) {
    const length = Math.hypot(sums[cell * 3]!, sums[cell * 3 + 1]!, sums[cell * 3 + 2]!);
    weight[cell] = length > 0 ? weight[cell]! / pixels[cell]! : 0;
    for (let c = 0; c < 3; c++) sums[cell * 3 + c] = length > 0 ? sums[cell * 3 + c]! / length : 0;
  }
  return { images: images.length, rows, columns, normals: sums, weight };
};

/**
 * Normals by pixel from normals by cell: bilinear between the centres of the cells (the nearest cell beyond the outermost
 * centres), then scaled to length 1. `[images, height, width, 3]`.
 */
export const decodeCells = (
  cells: ArrayLike<number>,
  images: number,
  rows: number,
  columns: number,
  width: number,
  height: number,
): Float32Array => {
  if (cells.length !== images * rows * columns * 3) {
    throw new RangeError(`Expected ${images * rows * columns * 3} values, got ${cells.length}`);
  }
  const between = (i: number, size: number, count: number): [low: number, high: number, share: number] => {
    const at = Math.min(Math.max(((i + 0.5) * count) / size - 0.5, 0), count - 1);
    const low = Math.floor(at);
    return [low, Math.min(low + 1, count - 1), at - low];
  };
  const across = Array.from({ length: width }, (_, x) => between(x, width, columns));
  const result = new Float32Array(images * height * width * 3);
  const value = [0, 0, 0];
  for (let i = 0; i < images; i++) {
    for (let y = 0; y < height; y++) {
      const [top, bottom, down] = between(y, height, rows);
      for (let x = 0; x < width; x++) {
        const [left, right, along] = across[x]!;
        for (let c = 0; c < 3; c++) {
          const cell = (row: number, column: number): number => cells[((i * rows + row) * columns + column) * 3 + c]!;
          const upper = cell(top, left) * (1 - along) + cell(top, right) * along;
          const lower = cell(bottom, left) * (1 - along) + cell(bottom, right) * along;
          value[c] = upper * (1 - down) + lower * down;
        }
        const length = Math.hypot(value[0]!, value[1]!, value[2]!);
        const at = ((i * height + y) * width + x) * 3;
        for (let c = 0; c < 3; c++) result[at + c] = length > 0 ? value[c]! / length : 0;
      }
    }
  }
  return result;
};
