import { tf, type Tensor, type Tensor4D } from '../../runtime/tensors.js';

/**
 * Maps `[batch, height, width, channels]` on a grid of `rows x columns`: averaged along an axis that is finer than the grid (cells
 * as of `averageCells`), bilinear between centres along one that is coarser. Two matrix products, differentiable; as they are
 * where nothing is to be done. The caller disposes.
 */
export const cellMaps = (maps: Tensor4D, rows: number, columns: number): Tensor4D => {
  const [batch, height, width, channels] = maps.shape;
  if (rows === height && columns === width) return maps.clone();
  return tf.tidy(() => {
    const across = resampling(width, columns).tile([batch * height, 1, 1]);
    const narrow = tf.matMul<Tensor>(across, maps.reshape([batch * height, width, channels]));
    const down = resampling(height, rows).tile([batch, 1, 1]);
    const low = tf.matMul<Tensor>(down, narrow.reshape([batch, height, columns * channels]));
    return low.reshape([batch, rows, columns, channels]) as Tensor4D;
  });
};

/** Rows of weights, one a cell, that sum to 1. */
const resampling = (size: number, cells: number): Tensor => {
  const values = new Float32Array(cells * size);
  for (let cell = 0; cell < cells; cell++) {
    if (cells <= size) {
      const from = Math.floor((cell * size) / cells);
      const to = Math.ceil(((cell + 1) * size) / cells);
      values.fill(1 / (to - from), cell * size + from, cell * size + to);
      continue;
    }
    const at = Math.min(Math.max(((cell + 0.5) * size) / cells - 0.5, 0), size - 1);
    const low = Math.floor(at);
    values[cell * size + low]! += 1 - (at - low);
    values[cell * size + Math.min(low + 1, size - 1)]! += at - low;
  }
  return tf.tensor3d(values, [1, cells, size]);
};
