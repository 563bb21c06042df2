import { tf, type Tensor, type Tensor4D } from '../runtime/tensors.js';

/**
 * Mean of each cell when `[batch, height, width, channels]` is cut into `rows x columns` cells, cell i of n reaching from
 * `floor(i size / n)` to `ceil((i + 1) size / n)` (PyTorch's adaptive average pooling: neighbours overlap where the size does
 * not divide). `[batch, rows, columns, channels]`; the caller disposes.
 */
export const averageCells = (maps: Tensor4D, rows: number, columns: number): Tensor4D => {
  const [batch, height, width, channels] = maps.shape;
  if (rows > height || columns > width || rows < 1 || columns < 1) {
    throw new RangeError(`Expected at most ${height} x ${width} cells of a map of that size, got ${rows} x ${columns}`);
  }
  if (rows === height && columns === width) return maps.clone();
  return tf.tidy(() => {
    // Two products with averaging matrices, one an axis: exact for any size, and quick.
    const byColumn = averaging(width, columns);
    const byRow = averaging(height, rows);
    const narrow = tf.matMul<Tensor>(
      byColumn.tile([batch * height, 1, 1]),
      maps.reshape([batch * height, width, channels]),
    );
    const low = tf.matMul<Tensor>(byRow.tile([batch, 1, 1]), narrow.reshape([batch, height, columns * channels]));
    return low.reshape([batch, rows, columns, channels]) as Tensor4D;
  });
};

const averaging = (size: number, cells: number): Tensor => {
  const values = new Float32Array(cells * size);
  for (let cell = 0; cell < cells; cell++) {
    const from = Math.floor((cell * size) / cells);
    const to = Math.ceil(((cell + 1) * size) / cells);
    values.fill(1 / (to - from), cell * size + from, cell * size + to);
  }
  return tf.tensor3d(values, [1, cells, size]);
};
