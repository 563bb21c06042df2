import { tf, type Scalar, type Tensor2D } from '../../../runtime/tensors.js';

/** Spread by which targets are divided, `dx, dy, dw, dh`, so that all are about 1; the values of Fast R-CNN's released code. */
const targetStd = [0.1, 0.1, 0.2, 0.2] as const;

/** Largest `dw` and `dh` that are followed, `ln(1000 / 16)` as in Detectron: `exp` of a wild guess must not overflow. */
const mostGrowth = Math.log(1000 / 16);

/**
 * What moves a proposal onto an object (Girshick et al. 2014, appendix C): `dx = (gx - px) / pw`, `dy` alike, between the middles,
 * and `dw = ln(gw / pw)`, `dh` alike; divided by {@link targetStd}. `target` and `proposal` are corners x0 y0 x1 y1.
 */
export function encodeBox(proposal: ArrayLike<number>, target: ArrayLike<number>): [number, number, number, number] {
  const [pw, ph] = [proposal[2]! - proposal[0]!, proposal[3]! - proposal[1]!];
  const [gw, gh] = [target[2]! - target[0]!, target[3]! - target[1]!];
  const move = (axis: 0 | 1, side: number): number =>
    (target[axis]! + target[axis + 2]! - proposal[axis]! - proposal[axis + 2]!) / 2 / side;
  return [
    move(0, pw) / targetStd[0],
    move(1, ph) / targetStd[1],
    Math.log(gw / pw) / targetStd[2],
    Math.log(gh / ph) / targetStd[3],
  ];
}

/**
 * Moves each proposal by each class's deltas, the inverse of {@link encodeBox}, and clips the result to the picture.
 *
 * @param boxes `[n, 4]`
 * @param deltas `[n, classes, 4]`
 * @returns `[n, classes, 4]`, corners x0 y0 x1 y1
 */
export function decodeBoxes(boxes: Float32Array, deltas: Float32Array, width: number, height: number): Float32Array {
  const count = boxes.length / 4;
  const classes = count === 0 ? 0 : deltas.length / boxes.length;
  const decoded = new Float32Array(deltas.length);
  const limit = [width, height] as const;
  for (let row = 0; row < count * classes; row++) {
    const from = Math.floor(row / classes) * 4;
    for (const axis of [0, 1] as const) {
      const side = boxes[from + axis + 2]! - boxes[from + axis]!;
      const middle = (boxes[from + axis]! + boxes[from + axis + 2]!) / 2;
      const at = middle + deltas[row * 4 + axis]! * targetStd[axis] * side;
      const growth = Math.min(deltas[row * 4 + 2 + axis]! * targetStd[axis === 0 ? 2 : 3], mostGrowth);
      const half = (side * Math.exp(growth)) / 2;
      decoded[row * 4 + axis] = Math.min(Math.max(at - half, 0), limit[axis]);
      decoded[row * 4 + axis + 2] = Math.min(Math.max(at + half, 0), limit[axis]);
    }
  }
  return decoded;
}

/**
 * The loss of box regression (Girshick 2015, equation 3): over the rows with an object, the sum of `smooth(d)` over the four
 * deltas of that object's class, `smooth(d) = d^2 / 2` where `|d| < 1` and `|d| - 1/2` beyond; divided by all rows, background
 * too, as the class loss is.
 *
 * @param deltas `[rows, classes * 4]`
 * @param labels class of each row's object, -1 for background
 * @param targets `[rows, 4]`
 */
export function boxLoss(deltas: Tensor2D, labels: Int32Array, targets: Float32Array): Scalar {
  const [rows, columns] = deltas.shape;
  const mask = new Float32Array(rows * columns);
  const goal = new Float32Array(rows * columns);
  labels.forEach((label, row) => {
    if (label < 0) return;
    mask.fill(1, row * columns + label * 4, row * columns + label * 4 + 4);
    goal.set(targets.subarray(row * 4, row * 4 + 4), row * columns + label * 4);
  });
  const off = tf.mul(tf.abs(tf.sub(deltas, tf.tensor2d(goal, [rows, columns]))), tf.tensor2d(mask, [rows, columns]));
  const near = tf.minimum(off, 1);
  // near^2 / 2 + (off - near): the parabola up to 1, the line beyond.
  return tf.div(tf.sum(tf.add(tf.mul(tf.square(near), 0.5), tf.sub(off, near))), rows);
}
