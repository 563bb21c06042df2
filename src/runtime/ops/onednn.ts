import { isOnGpu } from '../on-gpu.js';
import { tf } from '../tensors.js';
import { isNative, nativeOp, type Attribute } from './native-op.js';

/** What names oneDNN's kernel of an op: TensorFlow registers these under a label, and puts it on by itself when it rewrites an op. */
export const onednnKernel: { readonly [name: string]: Attribute } = { _kernel: { string: 'MklNameChangeOp' } };

const answers = new WeakMap<object, boolean>();

/**
 * Whether TensorFlow's oneDNN kernels can be asked for by their own names (`_MklNative…`), which some need: the gradient of max
 * pooling is rewritten only in graphs, and grouped convolutions have no other. So it is in builds for x86 on the CPU, unless
 * `TF_ENABLE_ONEDNN_OPTS=0`; tried once a backend, with a map of four cells.
 */
export function hasOnednn(): boolean {
  if (!isNative() || isOnGpu()) return false;
  const backend = tf.backend();
  let answer = answers.get(backend);
  if (answer === undefined) {
    answer = process.env['TF_ENABLE_ONEDNN_OPTS'] !== '0' && tryOne();
    answers.set(backend, answer);
  }
  return answer;
}

function tryOne(): boolean {
  const attributes = {
    T: { type: 'float32' },
    ksize: { int: [1, 2, 2, 1] },
    strides: { int: [1, 2, 2, 1] },
    padding: { string: 'VALID' },
    data_format: { string: 'NHWC' },
    workspace_enabled: { bool: true },
    ...onednnKernel,
  } as const;
  const map = tf.tensor4d([1, 4, 2, 3], [1, 2, 2, 1]);
  try {
    const [largest, places] = nativeOp('_MklNativeMaxPool', attributes, [map], 2);
    const found = largest!.dataSync()[0] === 4;
    tf.dispose([largest!, places!]);
    return found;
  } catch {
    // A build without these kernels: the ordinary ones serve.
    return false;
  } finally {
    map.dispose();
  }
}
