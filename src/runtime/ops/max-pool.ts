import { tf, type Tensor, type Tensor4D } from '../tensors.js';
import { defineOp } from './define-op.js';
import { isNative, nativeOp } from './native-op.js';
import { hasOnednn, onednnKernel } from './onednn.js';

type Attributes = { readonly size: number; readonly stride: number };

const nativeAttributes = ({ size, stride }: Attributes) =>
  ({
    T: { type: 'float32' },
    ksize: { int: [1, size, size, 1] },
    strides: { int: [1, stride, stride, 1] },
    padding: { string: 'VALID' },
    data_format: { string: 'NHWC' },
  }) as const;

const onednnAttributes = (attributes: Attributes) =>
  ({ ...nativeAttributes(attributes), workspace_enabled: { bool: true }, ...onednnKernel }) as const;

/**
 * Outputs: the maxima and, of oneDNN's op, where each came from. TensorFlow's ordinary gradient searches every window again, in 10 to
 * 20 times the time, and sends the values to the same places.
 */
const run = defineOp<'x', Attributes>({
  native: ({ x }, attributes) =>
    hasOnednn()
      ? nativeOp('_MklNativeMaxPool', onednnAttributes(attributes), [x], 2)
      : nativeOp('MaxPool', nativeAttributes(attributes), [x]),
  composed: ({ x }, { size, stride }) => [tf.maxPool(x as Tensor4D, size, stride, 'valid')],
  saveInputs: ['x'],
  saveOutputs: [true, true],
  gradient: ([dy], [x, y, places], attributes) => ({ x: () => gradient(dy!, x!, y!, places, attributes) }),
});

function gradient(dy: Tensor, x: Tensor, y: Tensor, places: Tensor | undefined, attributes: Attributes): Tensor {
  if (places) return nativeOp('_MklNativeMaxPoolGrad', onednnAttributes(attributes), [x, y, dy, places])[0]!;
  if (isNative()) return nativeOp('MaxPoolGrad', nativeAttributes(attributes), [x, y, dy])[0]!;
  const { size, stride } = attributes;
  // wasm's op looks for values above 0 only (tfjs 4.22): all are lifted until the least of the maxima is 1.
  const input = tf.relu(tf.add(tf.sub(x, tf.min(y)), 1));
  return tf
    .engine()
    .runKernel('MaxPoolGrad', { dy, input, output: y }, { filterSize: size, strides: stride, pad: 'valid' });
}

/**
 * Largest value of each `size x size` window over the map with `pad` empty cells around, which are never the largest. Output side:
 * `floor((side + 2 pad - size) / stride) + 1`. Where a window has several largest values the gradient goes to the first, as in PyTorch.
 *
 * @param x `[batch, height, width, channels]`
 */
export function maxPool(
  x: Tensor4D,
  { size, stride = size, pad = 0 }: { readonly size: number; readonly stride?: number; readonly pad?: number },
): Tensor4D {
  const sides: [number, number] = [pad, pad];
  const padded = pad === 0 ? x : tf.pad(x, [[0, 0], sides, sides, [0, 0]], -Infinity);
  return run({ x: padded }, { size, stride })[0] as Tensor4D;
}
