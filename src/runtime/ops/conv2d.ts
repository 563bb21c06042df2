import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../tensors.js';
import { defineOp } from './define-op.js';
import { isNative, nativeOp } from './native-op.js';
import { hasOnednn } from './onednn.js';
import { winogradConv3x3, winogradTile } from './winograd-conv.js';

/**
 * `same` is what TensorFlow calls `SAME`, used only where it is symmetric. Explicit padding is never asked for: TensorFlow knows it in
 * `Conv2D`, but has only its slow kernels for it in the two gradients (measured: 2 to 3 times the time).
 */
type Attributes = { readonly stride: number; readonly padding: 'same' | 'valid' };

const run = defineOp<'x' | 'weight', Attributes>({
  native: ({ x, weight }, attributes) => nativeOp('Conv2D', nativeAttributes(attributes), [x, weight]),
  composed: ({ x, weight }, { stride, padding }) => [tf.conv2d(x as Tensor4D, weight as Tensor4D, stride, padding)],
  saveInputs: ['x', 'weight'],
  gradient: ([dy], [x, weight], attributes) => ({
    x: () => inputGradient(dy as Tensor4D, x.shape, weight as Tensor4D, attributes),
    weight: () => filterGradient(dy as Tensor4D, x as Tensor4D, weight.shape, attributes),
  }),
});

const nativeAttributes = ({ stride, padding }: Attributes): Parameters<typeof nativeOp>[1] => ({
  T: { type: 'float32' },
  strides: { int: [1, stride, stride, 1] },
  padding: { string: padding.toUpperCase() },
  data_format: { string: 'NHWC' },
  use_cudnn_on_gpu: { bool: true },
  dilations: { int: [1, 1, 1, 1] },
});

function inputGradient(dy: Tensor4D, shape: number[], weight: Tensor4D, attributes: Attributes): Tensor {
  if (isNative()) {
    const sizes = tf.tensor1d(shape, 'int32');
    return nativeOp('Conv2DBackpropInput', nativeAttributes(attributes), [sizes, weight, dy])[0];
  }
  if (attributes.stride === 1) return inputGradientByConvolution(dy, weight, attributes.padding);
  return inputGradientByPhases(dy, shape, weight, attributes.stride);
}

/**
 * `dX[n, y, x, c] = sum over i, j, o of dY[n, y - i, x - j, o] W[i, j, c, o]`: at stride 1 a convolution of dY with the weights turned by half a
 * turn. wasm has vectors and tiles for a convolution and plain loops for its gradient (measured on the trunk `small`: two thirds of a step).
 */
function inputGradientByConvolution(dy: Tensor4D, weight: Tensor4D, padding: Attributes['padding']): Tensor {
  const turned = tf.transpose(tf.reverse(weight, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(dy, turned as Tensor4D, 1, padding === 'same' ? 'same' : weight.shape[0] - 1);
}

/**
 * The same at a stride `s`, without padding: input row `s a + p` meets only the weights of rows `s b + p`, so each of the `s x s` phases is a
 * convolution at stride 1 of dY with its part of the weights. All are computed as channels of one, and put between each other by
 * `depthToSpace`. (wasm's own op for it took 23 of 41 s in steps of the demo's trunk.)
 */
function inputGradientByPhases(dy: Tensor4D, shape: number[], weight: Tensor4D, stride: number): Tensor {
  const [size, , channels, outputs] = weight.shape;
  const rows = Math.ceil(size / stride);
  const further = rows * stride - size;
  const whole = tf.pad(weight, [
    [0, further],
    [0, further],
    [0, 0],
    [0, 0],
  ]);
  const phases = tf.reshape(whole, [rows, stride, rows, stride, channels * outputs]);
  const turned = tf.reverse(tf.transpose(phases, [0, 2, 1, 3, 4]), [0, 1]);
  const filter = tf.transpose(tf.reshape(turned, [rows * rows, stride * stride * channels, outputs]), [0, 2, 1]);
  const shaped = tf.reshape(filter, [rows, rows, outputs, stride * stride * channels]) as Tensor4D;
  const gradient = tf.depthToSpace(tf.conv2d(dy, shaped, 1, rows - 1), stride);
  return fitTo(gradient, shape[1]!, shape[2]!);
}

/** Rows and columns that only weights of zero reached are cut off; those of the input that no window reached are zero. */
function fitTo(maps: Tensor4D, height: number, width: number): Tensor {
  const [batch, h, w, channels] = maps.shape;
  const cut = tf.slice(maps, [0, 0, 0, 0], [batch, Math.min(h, height), Math.min(w, width), channels]);
  const below = Math.max(0, height - h);
  const beside = Math.max(0, width - w);
  return below + beside === 0
    ? cut
    : tf.pad(cut, [
        [0, 0],
        [0, below],
        [0, beside],
        [0, 0],
      ]);
}

/**
 * `dW[i, j, c, o] = sum over n, y, x of X[n, y stride + i, x stride + j, c] dY[n, y, x, o]`: a convolution of X with dY, in which
 * batch and channels change places and the stride becomes the dilation. wasm has no op of its own for it.
 */
function filterGradient(dy: Tensor4D, x: Tensor4D, shape: number[], attributes: Attributes): Tensor {
  const { stride, padding } = attributes;
  if (isNative()) {
    if (shape[2] === x.shape[3] && paysByPatches(dy, shape)) return filterGradientByPatches(dy, x, shape, attributes);
    const sizes = tf.tensor1d(shape, 'int32');
    return nativeOp('Conv2DBackpropFilter', nativeAttributes(attributes), [x, sizes, dy])[0];
  }
  const channelsAsBatch = tf.transpose(x, [3, 1, 2, 0]);
  const dyAsFilter = tf.transpose(dy, [1, 2, 0, 3]);
  const wide = tf.conv2d(channelsAsBatch, dyAsFilter, 1, padding === 'same' ? (shape[0] - 1) / 2 : 0, 'NHWC', stride);
  // Rows of the input that no window reached (a stride that does not divide) show up as further filter rows.
  const exact = tf.slice(wide, [0, 0, 0, 0], [shape[2], shape[0], shape[1], shape[3]]);
  return tf.transpose(exact, [1, 2, 0, 3]);
}

/**
 * Many weights over few cells, as in the last stage of a ResNet on 32 px: oneDNN's kernel loops over cells and is at 40 % of a matrix
 * product's speed there (measured: 200 ms for 113 with 512 channels on maps of 4 x 4, 95 for 90 on maps of 7 x 7).
 */
const paysByPatches = ({ shape: [, height, width] }: Tensor4D, [size, , channels, outputs]: number[]): boolean =>
  hasOnednn() && height * width <= 16 && size! > 1 && size! * size! * channels! * outputs! >= 1 << 19;

/** `dW = P^T dY`, a product of two matrices: row r of P is what the window of output cell r sees, in the order of the weights. */
function filterGradientByPatches(
  dy: Tensor4D,
  x: Tensor4D,
  [size, , channels, outputs]: number[],
  { stride, padding }: Attributes,
): Tensor {
  const windows = {
    T: { type: 'float32' },
    ksizes: { int: [1, size!, size!, 1] },
    strides: { int: [1, stride, stride, 1] },
    rates: { int: [1, 1, 1, 1] },
    padding: { string: padding.toUpperCase() },
  } as const;
  const perGroup = size! * size! * channels!;
  return tf.tidy(() => {
    const [patches] = nativeOp('ExtractImagePatches', windows, [x]);
    const rows = tf.reshape(patches!, [-1, perGroup]) as Tensor2D;
    return tf.reshape(tf.matMul(rows, tf.reshape(dy, [-1, outputs!]) as Tensor2D, true), [
      size!,
      size!,
      channels!,
      outputs!,
    ]);
  });
}

/** How a convolution moves over its input. */
export type Conv2dOptions = {
  /** Step of the window, in pixels. @default 1 */
  readonly stride?: number;
  /** Zeros added on every side, in pixels, as in PyTorch (TensorFlow's `same` is lop-sided for even sizes and strides). @default 0 */
  readonly pad?: number;
  /** Groups of channels that do not see each other; divides both channel counts. @default 1 */
  readonly groups?: number;
};

/**
 * Convolution (cross-correlation, as everywhere in deep learning) without bias. Output side:
 * `floor((side + 2 pad - size) / stride) + 1`. Differentiable in both; the gradient of an input that nobody asks for is not computed.
 *
 * @param x `[batch, height, width, channels]`
 * @param weight `[size, size, channels / groups, outputs]`
 * @returns `[batch, height', width', outputs]`
 */
export function conv2d(
  x: Tensor4D,
  weight: Tensor4D,
  { stride = 1, pad = 0, groups = 1 }: Conv2dOptions = {},
): Tensor4D {
  const [, , inputs, outputs] = weight.shape;
  if (x.shape[3] !== inputs * groups || outputs % groups !== 0)
    throw new Error(
      `Expected \`weight\` to be [size, size, channels / groups, outputs] for ${x.shape[3]} channels in ${groups} groups, got [${weight.shape.join(', ')}]`,
    );
  const symmetricSame = pad > 0 && stride === 1 && weight.shape[0] === 2 * pad + 1 && weight.shape[1] === 2 * pad + 1;
  if (symmetricSame && pad === 1 && groups === 1 && hasOnednn()) {
    const tile = winogradTile(x.shape, outputs);
    if (tile) return winogradConv3x3(x, weight, tile);
  }
  const attributes: Attributes = { stride, padding: symmetricSame ? 'same' : 'valid' };
  const sides: [number, number] = [pad, pad];
  const padded = pad === 0 || symmetricSame ? x : tf.pad(x, [[0, 0], sides, sides, [0, 0]]);
  // oneDNN's kernels read from the shape of the weights that there are groups; the ordinary ones have no gradient for them.
  if (groups === 1 || hasOnednn()) return run({ x: padded, weight }, attributes)[0] as Tensor4D;
  const parts = tf.split(weight, groups, 3);
  const slices = tf.split(padded, groups, 3);
  return tf.concat(
    slices.map((slice, i) => run({ x: slice, weight: parts[i] }, attributes)[0] as Tensor4D),
    3,
  );
}
