/** The three linear maps of a Winograd convolution, each a matrix in rows. */
export type WinogradTransforms = {
  /** Products of each pair of one input and one output channel in a tile. */
  readonly points: number;
  /** Tiles of a map. */
  readonly tiles: number;
  /** `[points tiles, height width]`: what is multiplied with the filters, point by point, of a map's cells. */
  readonly input: Float32Array;
  /** `[points, 9]`: what of a filter's weights. */
  readonly filter: Float32Array;
  /** `[height width, points tiles]`: the cells of the output, of the products. */
  readonly output: Float32Array;
};

/** How many outputs a side a tile may have. More spare more products, and round more. */
export type TileSide = 3 | 4;

/**
 * Where polynomials are evaluated, besides infinity: small whole numbers and halves that round little. Measured on 64 channels, these
 * round 2.7 and 3.3 times as much as the plain sum of products; 0, 1, -1, 0.5 3.2 times and 0, 1, -1, 2, -2 five times (Barabasz et
 * al. 2020, arXiv:1803.10986, compare many).
 */
const pointsOf: Readonly<Record<TileSide, readonly number[]>> = { 3: [0, 1, -1, 2], 4: [0, 1, -1, 0.5, -2] };

/** Points a side: those at which a tile's outputs and a filter's three weights are multiplied. */
export const pointsPerSide = (tile: TileSide): number => tile + 2;

/** Coefficients of `prod (x - root)`, the constant first. */
const polynomial = (roots: readonly number[]): number[] =>
  roots.reduce<number[]>(
    (product, root) => [0, ...product].map((shifted, i) => shifted - root * (product[i] ?? 0)),
    [1],
  );

/**
 * The maps of one dimension, F(m, 3): `y = output [(filter g) * (input d)]`, y the m sums `y_k = sum_j d_(k + j) g_j` of m + 2 values d.
 * The transpose of Toom and Cook's product of two polynomials (evaluate both, multiply, interpolate).
 */
const oneTile = (tile: TileSide): { input: number[][]; filter: number[][]; output: number[][] } => {
  const points = pointsOf[tile];
  const count = pointsPerSide(tile);
  const input: number[][] = [];
  const filter: number[][] = [];
  for (const point of points) {
    const others = points.filter((other) => other !== point);
    const scale = others.reduce((product, other) => product * (point - other), 1);
    // Lagrange's polynomial without its divisor, which the filter's side takes: it is transformed once for all tiles.
    input.push([...polynomial(others), 0]);
    filter.push([1, point, point ** 2].map((power) => power / scale));
  }
  input.push(polynomial(points));
  filter.push([0, 0, 1]);
  const output = Array.from({ length: tile }, (_, k) =>
    Array.from({ length: count }, (_, i) => (i < points.length ? points[i]! ** k : Number(k === tile - 1))),
  );
  return { input, filter, output };
};

/** What of a side's cells goes into point `a` of tile `t`, and what of those comes into a cell, `[a][t][cell]`: zeros around the map. */
const alongSide = (side: number, tile: TileSide, { input, output }: ReturnType<typeof oneTile>) => {
  const tiles = Math.ceil(side / tile);
  const place = (coefficient: (a: number, t: number, cell: number) => number | undefined): number[][][] =>
    input.map((_, a) =>
      Array.from({ length: tiles }, (_, t) => Array.from({ length: side }, (_, cell) => coefficient(a, t, cell) ?? 0)),
    );
  return {
    tiles,
    input: place((a, t, cell) => input[a]![cell + 1 - t * tile]),
    output: place((a, t, cell) => output[cell - t * tile]?.[a]),
  };
};

/**
 * Winograd's minimal filtering for a 3 x 3 window with one zero around the map (Lavin & Gray 2016, arXiv:1509.09308), as matrices over
 * whole maps: of small maps these are small, and borders and incomplete tiles are zeros in them.
 *
 * `Y = output M`, `M[p] = (input X)[p] (filter W)[p]` for each of the `(tile + 2)^2` points p. Points are the outer, tiles the inner number.
 */
export function winogradTransforms(height: number, width: number, tile: TileSide): WinogradTransforms {
  const one = oneTile(tile);
  const [down, across] = [alongSide(height, tile, one), alongSide(width, tile, one)];
  const count = pointsPerSide(tile);
  const [points, tiles, cells] = [count ** 2, down.tiles * across.tiles, height * width];
  const input = new Float32Array(points * tiles * cells);
  const output = new Float32Array(points * tiles * cells);
  const filter = new Float32Array(points * 9);
  let row = 0;
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < count; b++) {
      for (let i = 0; i < 9; i++) {
        filter[(a * count + b) * 9 + i] = one.filter[a]![Math.floor(i / 3)]! * one.filter[b]![i % 3]!;
      }
      for (let ty = 0; ty < down.tiles; ty++) {
        for (let tx = 0; tx < across.tiles; tx++, row++) {
          for (let cell = 0; cell < cells; cell++) {
            const [y, x] = [Math.floor(cell / width), cell % width];
            input[row * cells + cell] = down.input[a]![ty]![y]! * across.input[b]![tx]![x]!;
            output[cell * points * tiles + row] = down.output[a]![ty]![y]! * across.output[b]![tx]![x]!;
          }
        }
      }
    }
  }
  return { points, tiles, input, filter, output };
}
