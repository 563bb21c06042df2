import { tf, type Tensor } from '../../runtime/tensors.js';

/** The order that undoes an order. */
export const inverseOrder = (order: Int32Array): Int32Array => {
  const back = new Int32Array(order.length);
  order.forEach((from, to) => (back[from] = to));
  return back;
};

/**
 * Rows in another order, row `i` being `x[order[i]]`; each stands in it once, so that the gradient is a reordering as well (and runs on
 * every backend, which the general gradient of a gather does not).
 *
 * @param x `[rows, ...]`
 */
export const permuteRows = <T extends Tensor>(x: T, order: Int32Array): T => {
  const gather = (rows: Tensor, by: Int32Array): Tensor => tf.tidy(() => tf.gather(rows, tf.tensor1d(by, 'int32')));
  const permute = tf.customGrad((rows) => ({
    value: gather(rows as Tensor, order),
    gradFunc: (dy: Tensor) => gather(dy, inverseOrder(order)),
  }));
  return permute(x) as T;
};
