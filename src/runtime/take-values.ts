import { tf, type Tensor } from './tensors.js';

/**
 * Values of the tensor that `make` gives, which must be one that it made; it and all that was made on the way are freed.
 *
 * Typed arrays, and objects that hold some, must not be returned through `tf.tidy` itself: it looks at every value of what is
 * returned, for it might be a tensor to keep (a microsecond each, and memory for a set of all of them).
 */
export const takeValues = <D extends 'float32' | 'int32' = 'float32'>(
  make: () => Tensor,
): { float32: Float32Array; int32: Int32Array }[D] => {
  const tensor = tf.tidy(make);
  const values = tensor.dataSync<D>();
  tensor.dispose();
  return values;
};

/** {@link takeValues} of several float32 tensors that share what was made on the way, in their order. */
export const takeAllValues = (make: () => Tensor[]): Float32Array[] => {
  const tensors = tf.tidy(make);
  const values = tensors.map((tensor) => tensor.dataSync<'float32'>());
  tf.dispose(tensors);
  return values;
};
