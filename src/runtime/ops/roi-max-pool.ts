import { tf, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D } from '../tensors.js';
import { defineOp } from './define-op.js';
import { isNative } from './native-op.js';

const gather = ({ table, rows }: Readonly<Record<'table' | 'rows', Tensor>>): Tensor[] => [tf.gather(table, rows)];

/** Rows of a table by their numbers. The same as `tf.gather`, whose gradient wasm has no op for. */
const gatherRows = defineOp<'table' | 'rows', { readonly count: number }>({
  native: gather,
  composed: gather,
  saveInputs: ['rows'],
  gradient: ([dy], [rows], { count }) => ({
    table: () =>
      isNative()
        ? tf.unsortedSegmentSum(dy!, rows as Tensor1D, count)
        : tf.matMul(tf.cast(tf.oneHot(rows as Tensor1D, count), 'float32') as Tensor2D, dy as Tensor2D, true),
  }),
});

/**
 * RoI pooling (Girshick 2015, section 2.1): each region is cut into `bins x bins` windows of whole cells, and of each window and
 * channel the largest value is kept. Quantised as released: corners are rounded to whole cells `x0 = round(x0)`,
 * `x1 = round(x1)`, both of which belong to the region (so that none is empty), a window reaches from `floor(b size / bins)` to
 * `ceil((b + 1) size / bins)` (neighbours overlap where the size does not divide) and is cut to the map; a window with nothing
 * inside the map gives 0. Differentiable in the map: the gradient goes to one largest cell a window and channel.
 *
 * Any window is the union of four (overlapping) windows whose sides are powers of two; the maxima of those are made once for the
 * whole map, so that a region costs four look-ups a window, however large it is.
 *
 * @param map `[1, height, width, channels]`, of one image
 * @param rois `[regions, 4]`, corners x0 y0 x1 y1 in units of cells, as the released code has them: a pixel's coordinate divided by
 *   the stride, cell i being the one at i
 * @returns `[regions, bins, bins, channels]`
 */
export function roiMaxPool(map: Tensor4D, rois: Float32Array, { bins }: { readonly bins: number }): Tensor4D {
  const [batch, height, width, channels] = map.shape;
  if (batch !== 1)
    throw new Error(`Expected \`map\` to be [1, height, width, channels], got [${map.shape.join(', ')}]`);
  const rows = windowsAlong(rois, 1, height, bins);
  const columns = windowsAlong(rois, 0, width, bins);
  const levels = (largest: number): number => Math.floor(Math.log2(Math.max(1, largest))) + 1;
  const rowLevels = levels(rows.largest);
  const columnLevels = levels(columns.largest);
  // Where the maxima of 2^i x 2^j windows begin in the table of all of them; its row 0 is the value of an empty window.
  const starts: number[] = [];
  let length = 1;
  for (let i = 0; i < rowLevels; i++) {
    for (let j = 0; j < columnLevels; j++) {
      starts.push(length);
      length += (height - 2 ** i + 1) * (width - 2 ** j + 1);
    }
  }
  const regions = rois.length / 4;
  const cells = regions * bins * bins;
  const lookUps = [0, 1, 2, 3].map(() => new Int32Array(cells));
  for (let region = 0; region < regions; region++) {
    for (let by = 0; by < bins; by++) {
      const [top, bottom] = rows.windows(region, by);
      for (let bx = 0; bx < bins; bx++) {
        const [left, right] = columns.windows(region, bx);
        if (bottom <= top || right <= left) continue;
        const [i, j] = [levels(bottom - top) - 1, levels(right - left) - 1];
        const start = starts[i * columnLevels + j]!;
        const stride = width - 2 ** j + 1;
        const [low, far] = [bottom - 2 ** i, right - 2 ** j];
        const at = (region * bins + by) * bins + bx;
        lookUps[0]![at] = start + top * stride + left;
        lookUps[1]![at] = start + top * stride + far;
        lookUps[2]![at] = start + low * stride + left;
        lookUps[3]![at] = start + low * stride + far;
      }
    }
  }
  return tf.tidy(() => {
    const maxima: Tensor2D[] = [tf.zeros([1, channels])];
    let tall = map;
    for (let i = 0; i < rowLevels; i++) {
      if (i > 0) tall = largerOfTwo(tall, 1, 2 ** (i - 1));
      let wide = tall;
      for (let j = 0; j < columnLevels; j++) {
        if (j > 0) wide = largerOfTwo(wide, 2, 2 ** (j - 1));
        maxima.push(wide.reshape([-1, channels]));
      }
    }
    const table = tf.concat2d(maxima, 0);
    const [a, b, c, d] = lookUps.map(
      (numbers) => gatherRows({ table, rows: tf.tensor1d(numbers, 'int32') }, { count: length })[0],
    );
    return tf.maximum(tf.maximum(a!, b!), tf.maximum(c!, d!)).reshape([regions, bins, bins, channels]) as Tensor4D;
  });
}

/** The larger of each cell and the one `step` further along an axis. */
function largerOfTwo(map: Tensor4D, axis: 1 | 2, step: number): Tensor4D {
  const size = map.shape.map((side, i) => (i === axis ? side - step : side)) as Tensor4D['shape'];
  return tf.maximum(
    tf.slice4d(map, [0, 0, 0, 0], size),
    tf.slice4d(map, [0, axis === 1 ? step : 0, axis === 2 ? step : 0, 0], size),
  );
}

/** The window of each region and bin along one axis, `[from, to)` in cells, and the length of the longest. */
function windowsAlong(rois: Float32Array, axis: 0 | 1, side: number, bins: number) {
  const windows = (region: number, bin: number): readonly [number, number] => {
    const first = Math.round(rois[region * 4 + axis]!);
    const size = Math.max(1, Math.round(rois[region * 4 + axis + 2]!) - first + 1);
    const inside = (at: number): number => Math.min(Math.max(at + first, 0), side);
    return [inside(Math.floor((bin * size) / bins)), inside(Math.ceil(((bin + 1) * size) / bins))];
  };
  let largest = 0;
  for (let region = 0; region < rois.length / 4; region++) {
    for (let bin = 0; bin < bins; bin++) {
      const [from, to] = windows(region, bin);
      largest = Math.max(largest, to - from);
    }
  }
  return { windows, largest };
}
