import { tf, type Tensor } from '../tensors.js';
import { defineOp } from './define-op.js';
import { isNative, nativeOp } from './native-op.js';

const attributes = { T: { type: 'float32' }, data_format: { string: 'NHWC' } } as const;

const run = defineOp<'x' | 'bias', object>({
  native: ({ x, bias }) => nativeOp('BiasAdd', attributes, [x, bias]),
  composed: ({ x, bias }) => [tf.add(x, bias)],
  saveInputs: [],
  gradient: ([dy]) => ({
    x: () => dy.clone(),
    bias: () =>
      isNative() ? nativeOp('BiasAddGrad', attributes, [dy])[0] : tf.sum(tf.reshape(dy, [-1, dy.shape.at(-1)!]), 0),
  }),
});

/**
 * Adds a bias a channel: `y = x + bias` over the last axis. The same as `tf.add`, whose gradient sums over the other axes with a
 * general reduction; this one has TensorFlow's own op for it.
 *
 * @param x `[..., channels]`
 * @param bias `[channels]`
 */
export function biasAdd<T extends Tensor>(x: T, bias: Tensor): T {
  return run({ x, bias }, {})[0] as T;
}
