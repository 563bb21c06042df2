import { tf, type DataType, type Tensor } from '../tensors.js';

/** A value of a TensorFlow op's attribute, tagged with its kind, since JavaScript does not tell an int from a float. */
export type Attribute =
  | { readonly int: number | readonly number[] }
  | { readonly float: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly type: DataType }
  | { readonly shape: readonly number[] };

/** What is used of tfjs-node's backend. */
type NodeBackend = {
  readonly binding: Readonly<
    Record<
      'TF_ATTR_INT' | 'TF_ATTR_FLOAT' | 'TF_ATTR_BOOL' | 'TF_ATTR_STRING' | 'TF_ATTR_TYPE' | 'TF_ATTR_SHAPE',
      number
    >
  >;
  getDTypeInteger(type: DataType): number;
  executeMultipleOutputs(name: string, attributes: object[], inputs: readonly Tensor[], outputs: number): Tensor[];
};

/** Whether ops run in native TensorFlow (else in wasm). */
export function isNative(): boolean {
  return tf.getBackend() === 'tensorflow';
}

/**
 * Runs any op of TensorFlow's registry by name: the only doorway to ops that tfjs does not wrap. It has no gradient of its own
 * (what it gives is a constant to the tape); `defineOp` gives it one.
 *
 * @param outputs how many tensors the op gives
 * @throws Error on another backend, and whatever TensorFlow says about the op's inputs
 */
export function nativeOp(
  name: string,
  attributes: { readonly [name: string]: Attribute },
  inputs: readonly Tensor[],
  outputs = 1,
): Tensor[] {
  if (!isNative())
    throw new Error(
      `Expected the native TensorFlow backend for the op ${name}, got \`${tf.getBackend()}\`: open the runtime first`,
    );
  const backend = tf.backend() as unknown as NodeBackend;
  const { binding } = backend;
  const list = Object.entries(attributes).map(([key, value]) => {
    if ('int' in value) return { name: key, type: binding.TF_ATTR_INT, value: value.int };
    if ('float' in value) return { name: key, type: binding.TF_ATTR_FLOAT, value: value.float };
    if ('bool' in value) return { name: key, type: binding.TF_ATTR_BOOL, value: value.bool };
    if ('string' in value) return { name: key, type: binding.TF_ATTR_STRING, value: value.string };
    if ('shape' in value) return { name: key, type: binding.TF_ATTR_SHAPE, value: value.shape };
    return { name: key, type: binding.TF_ATTR_TYPE, value: backend.getDTypeInteger(value.type) };
  });
  return backend.executeMultipleOutputs(name, list, inputs, outputs);
}
