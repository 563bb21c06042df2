import { isOnGpu } from '../on-gpu.js';
import { tf, type Tensor, type Tensor1D, type Tensor2D } from '../tensors.js';
import { defineOp } from './define-op.js';
import { nativeOp } from './native-op.js';

type Inputs = Readonly<Record<'logits' | 'labels', Tensor>>;

const composed = ({ logits, labels }: Inputs): Tensor[] => {
  const shifted = tf.sub(logits, tf.max(logits, 1, true));
  const logSum = tf.log(tf.sum(tf.exp(shifted), 1, true));
  const logProbability = tf.sub(shifted, logSum);
  const target = tf.cast(tf.oneHot(labels as Tensor1D, logits.shape[1]!), 'float32');
  return [tf.neg(tf.sum(tf.mul(logProbability, target), 1)), tf.sub(tf.exp(logProbability), target)];
};

const fused = ({ logits, labels }: Inputs): Tensor[] => {
  const attributes = { T: { type: 'float32' }, Tlabels: { type: 'int32' } } as const;
  return nativeOp('SparseSoftmaxCrossEntropyWithLogits', attributes, [logits, labels], 2);
};

/** Outputs: the losses, and the gradient of each with respect to its row of logits, which falls out of the same pass. */
const run = defineOp<'logits' | 'labels', object>({
  // TensorFlow's kernel for GPUs adds without order, and refuses to run where the same bytes are asked for each time.
  native: (inputs) => (isOnGpu() ? composed(inputs) : fused(inputs)),
  composed,
  saveInputs: [],
  saveOutputs: [false, true],
  gradient: ([dy], [slope]) => ({ logits: () => tf.mul(slope as Tensor, tf.expandDims(dy, 1)) }),
});

/**
 * Cross-entropy of the softmax against class numbers: `-log(exp(z[label]) / sum exp(z))` a row, safe for large logits.
 * Differentiable in the logits.
 *
 * @param logits `[batch, classes]`
 * @param labels `[batch]`, int32, each in `[0, classes)`
 * @returns the losses `[batch]`; the caller takes the mean or weighs them
 */
export function softmaxCrossEntropy(logits: Tensor2D, labels: Tensor1D): Tensor1D {
  if (labels.dtype !== 'int32') throw new Error(`Expected \`labels\` to be int32, got ${labels.dtype}`);
  if (labels.size !== logits.shape[0])
    throw new Error(`Expected one label a row of [${logits.shape.join(', ')}], got ${labels.size}`);
  return run({ logits, labels }, {})[0] as Tensor1D;
}
