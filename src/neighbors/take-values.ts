import { tf, type Tensor } from '../runtime/tensors.js';

/**
 * Values of the tensor that `make` gives; it and all that was made on the way are freed. The array must not be returned through
 * `tf.tidy` itself, which looks at every value of an array for tensors in it (a microsecond each).
 */
export const takeValues = <D extends 'float32' | 'int32'>(
  make: () => Tensor,
): { float32: Float32Array; int32: Int32Array }[D] => {
  const tensor = tf.tidy(make);
  const values = tensor.dataSync<D>();
  tensor.dispose();
  return values;
};
