/** Signed orientations of a cell, 20 degrees each. */
const SIGNED: usize = 18;
/** Bytes of a cell's histogram: room for whole vectors, the last two values 0. */
const CELL: usize = 80;
const TRUNCATION: f32 = 0.2;
const TEXTURE_WEIGHT: f32 = 0.2357;
/** Keeps the sensor noise of a flat cell (gradients of about a grey level) from being blown up to a full-size feature. */
const NORM_FLOOR: f32 = 1e-4;
const TAN_10: f32 = 0.17632698;
const TAN_30: f32 = 0.57735026;
const TAN_50: f32 = 1.1917536;
const TAN_70: f32 = 2.7474775;

/**
 * Each pixel of a patch but those at its border votes with its gradient's magnitude for the nearest of 18 directions, bilinearly into the
 * four nearest cells.
 *
 * @param width of the patch, a multiple of four and two more
 * @param cellX offset in bytes of the cell at or left of each pixel, int32, counted with one spare cell before the first; `weightX` its share
 * @param cellY the same of the cell at or above each pixel's row
 * @param histograms `[rows + 2, columns + 2]` cells, which is cleared first
 */
export function voteOrientations(
  patch: usize,
  width: i32,
  height: i32,
  cellX: usize,
  weightX: usize,
  cellY: usize,
  weightY: usize,
  histograms: usize,
  rows: i32,
  columns: i32,
): void {
  const rowBytes = <usize>(columns + 2) * CELL;
  memory.fill(histograms, 0, <usize>(rows + 2) * rowBytes);
  const stride = (<usize>width) << 2;
  const pixels = (<usize>(width - 2)) << 2;
  const one = f32x4.splat(1);
  for (let y = 0; y < height - 2; y++) {
    const top = histograms + <usize>load<i32>(cellY + ((<usize>y) << 2));
    const bottom = top + rowBytes;
    const wy = v128.load32_splat(weightY + ((<usize>y) << 2));
    const above = patch + <usize>y * stride + 4;
    for (let x: usize = 0; x < pixels; x += 16) {
      const at = above + x;
      const gx = f32x4.sub(v128.load(at + stride, 4), v128.load(at + stride - 4));
      const gy = f32x4.sub(v128.load(at + 2 * stride), v128.load(at));
      const bins = i32x4.shl(directionsOf(gx, gy), 2);
      const magnitude = f32x4.sqrt(f32x4.add(f32x4.mul(gx, gx), f32x4.mul(gy, gy)));
      const wx = v128.load(weightX + x);
      const upper = f32x4.mul(magnitude, wy);
      const lower = f32x4.mul(magnitude, f32x4.sub(one, wy));
      const upperLeft = f32x4.mul(upper, wx);
      const lowerLeft = f32x4.mul(lower, wx);
      const upperRight = f32x4.sub(upper, upperLeft);
      const lowerRight = f32x4.sub(lower, lowerLeft);
      const offsets = i32x4.add(bins, v128.load(cellX + x));
      const first = <usize>i32x4.extract_lane(offsets, 0);
      vote(top + first, f32x4.extract_lane(upperLeft, 0), f32x4.extract_lane(upperRight, 0));
      vote(bottom + first, f32x4.extract_lane(lowerLeft, 0), f32x4.extract_lane(lowerRight, 0));
      const second = <usize>i32x4.extract_lane(offsets, 1);
      vote(top + second, f32x4.extract_lane(upperLeft, 1), f32x4.extract_lane(upperRight, 1));
      vote(bottom + second, f32x4.extract_lane(lowerLeft, 1), f32x4.extract_lane(lowerRight, 1));
      const third = <usize>i32x4.extract_lane(offsets, 2);
      vote(top + third, f32x4.extract_lane(upperLeft, 2), f32x4.extract_lane(upperRight, 2));
      vote(bottom + third, f32x4.extract_lane(lowerLeft, 2), f32x4.extract_lane(lowerRight, 2));
      const fourth = <usize>i32x4.extract_lane(offsets, 3);
      vote(top + fourth, f32x4.extract_lane(upperLeft, 3), f32x4.extract_lane(upperRight, 3));
      vote(bottom + fourth, f32x4.extract_lane(lowerLeft, 3), f32x4.extract_lane(lowerRight, 3));
    }
  }
}

/** The nearest of 18 directions: how many of the bounds 10, 30, 50, 70 degrees lie below, mirrored into the right quadrant. */
function directionsOf(gx: v128, gy: v128): v128 {
  const zero = f32x4.splat(0);
  const ax = f32x4.abs(gx);
  const ay = f32x4.abs(gy);
  // A comparison that holds is -1.
  let steps = f32x4.gt(ay, f32x4.mul(ax, f32x4.splat(TAN_10)));
  steps = i32x4.add(steps, f32x4.gt(ay, f32x4.mul(ax, f32x4.splat(TAN_30))));
  steps = i32x4.add(steps, f32x4.gt(ay, f32x4.mul(ax, f32x4.splat(TAN_50))));
  steps = i32x4.add(steps, f32x4.gt(ay, f32x4.mul(ax, f32x4.splat(TAN_70))));
  const leftwards = f32x4.lt(gx, zero);
  const upwards = f32x4.lt(gy, zero);
  const mirrored = v128.xor(leftwards, upwards);
  const turned = v128.bitselect(steps, i32x4.neg(steps), mirrored);
  const signed = i32x4.add(turned, v128.and(leftwards, i32x4.splat(9)));
  return i32x4.add(signed, v128.and(i32x4.lt_s(signed, i32x4.splat(0)), i32x4.splat(18)));
}

function vote(at: usize, left: f32, right: f32): void {
  store<f32>(at, load<f32>(at) + left);
  store<f32>(at, load<f32>(at, CELL) + right, CELL);
}

/** Unsigned orientations 0-3, 4-7 and 8 of a cell. */
function firstUnsigned(cell: usize): v128 {
  return f32x4.add(v128.load(cell), v128.load(cell, 36));
}
function secondUnsigned(cell: usize): v128 {
  return f32x4.add(v128.load(cell, 16), v128.load(cell, 52));
}
function lastUnsigned(cell: usize): v128 {
  return f32x4.add(v128.load32_zero(cell, 32), v128.load32_zero(cell, 68));
}

function sumOf(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/**
 * Features of all cells: histograms divided by the energy of each of the four 2x2 blocks a cell belongs to, truncated, and summed, times a
 * window. Border cells see their own neighbours repeated.
 *
 * @param energies room for `[rows, columns]`
 * @param blocks room for `[rows + 1, columns + 1]`
 * @param window `[rows, columns]`
 * @param re signed orientations 0-15
 * @param im signed orientations 16 and 17, 9 unsigned ones, 4 of texture, 0
 * @returns the sum of squares of all features
 */
export function normaliseCells(
  histograms: usize,
  rows: i32,
  columns: i32,
  energies: usize,
  blocks: usize,
  window: usize,
  re: usize,
  im: usize,
): f32 {
  measureBlocks(histograms, rows, columns, energies, blocks);
  const blockRow = (<usize>(columns + 1)) << 2;
  const limit = f32x4.splat(TRUNCATION);
  let total = f32x4.splat(0);
  let cell = histograms + <usize>(columns + 3) * CELL;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const corner = blocks + <usize>row * blockRow + ((<usize>column) << 2);
      const n0 = v128.load32_splat(corner);
      const n1 = v128.load32_splat(corner, 4);
      const n2 = v128.load32_splat(corner + blockRow);
      const n3 = v128.load32_splat(corner + blockRow, 4);
      const weight = v128.load32_splat(window);
      const half = f32x4.mul(weight, f32x4.splat(0.5));
      let t0 = f32x4.splat(0);
      let t1 = t0;
      let t2 = t0;
      let t3 = t0;
      for (let o: usize = 0; o < CELL; o += 16) {
        const value = v128.load(cell + o);
        const a = f32x4.pmin(limit, f32x4.mul(value, n0));
        const b = f32x4.pmin(limit, f32x4.mul(value, n1));
        const c = f32x4.pmin(limit, f32x4.mul(value, n2));
        const d = f32x4.pmin(limit, f32x4.mul(value, n3));
        t0 = f32x4.add(t0, a);
        t1 = f32x4.add(t1, b);
        t2 = f32x4.add(t2, c);
        t3 = f32x4.add(t3, d);
        const feature = f32x4.mul(half, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
        total = f32x4.add(total, f32x4.mul(feature, feature));
        v128.store(o < 64 ? re + o : im, feature);
      }
      const first = blocksOver(firstUnsigned(cell), n0, n1, n2, n3, half);
      const second = blocksOver(secondUnsigned(cell), n0, n1, n2, n3, half);
      const last = blocksOver(lastUnsigned(cell), n0, n1, n2, n3, half);
      const texture = f32x4.mul(
        f32x4.mul(f32x4(sumOf(t0), sumOf(t1), sumOf(t2), sumOf(t3)), f32x4.splat(TEXTURE_WEIGHT)),
        weight,
      );
      v128.store(im, first, 8);
      v128.store(im, second, 24);
      v128.store(im, last, 40);
      v128.store(im, texture, 44);
      store<f32>(im, 0, 60);
      total = f32x4.add(total, f32x4.add(f32x4.mul(first, first), f32x4.mul(second, second)));
      total = f32x4.add(total, f32x4.add(f32x4.mul(last, last), f32x4.mul(texture, texture)));
      cell += CELL;
      window += 4;
      re += 64;
      im += 64;
    }
    cell += 2 * CELL;
  }
  return sumOf(total);
}

/** `half * sum over the four norms of min(value * norm, truncation)` */
function blocksOver(value: v128, n0: v128, n1: v128, n2: v128, n3: v128, half: v128): v128 {
  const limit = f32x4.splat(TRUNCATION);
  const upper = f32x4.add(f32x4.pmin(limit, f32x4.mul(value, n0)), f32x4.pmin(limit, f32x4.mul(value, n1)));
  const lower = f32x4.add(f32x4.pmin(limit, f32x4.mul(value, n2)), f32x4.pmin(limit, f32x4.mul(value, n3)));
  return f32x4.mul(half, f32x4.add(upper, lower));
}

/** `blocks[i, j] = 1 / sqrt(energy of the four cells around the corner (i, j))`, energies over unsigned orientations. */
function measureBlocks(histograms: usize, rows: i32, columns: i32, energies: usize, blocks: usize): void {
  let cell = histograms + <usize>(columns + 3) * CELL;
  let to = energies;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const first = firstUnsigned(cell);
      const second = secondUnsigned(cell);
      const last = lastUnsigned(cell);
      const squares = f32x4.add(f32x4.mul(first, first), f32x4.mul(second, second));
      store<f32>(to, sumOf(f32x4.add(squares, f32x4.mul(last, last))));
      cell += CELL;
      to += 4;
    }
    cell += 2 * CELL;
  }
  const rowBytes = (<usize>columns) << 2;
  for (let i = 0; i <= rows; i++) {
    const above = energies + <usize>max(0, i - 1) * rowBytes;
    const below = energies + <usize>min(rows - 1, i) * rowBytes;
    for (let j = 0; j <= columns; j++) {
      const left = (<usize>max(0, j - 1)) << 2;
      const right = (<usize>min(columns - 1, j)) << 2;
      const upper = load<f32>(above + left) + load<f32>(above + right);
      const lower = load<f32>(below + left) + load<f32>(below + right);
      store<f32>(blocks, <f32>1 / sqrt<f32>(upper + lower + NORM_FLOOR));
      blocks += 4;
    }
  }
}
