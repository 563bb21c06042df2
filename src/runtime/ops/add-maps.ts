import { tf, type Tensor } from '../tensors.js';
import { defineOp } from './define-op.js';

const sum = ({ a, b }: Readonly<Record<'a' | 'b', Tensor>>): Tensor[] => [tf.add(a, b)];

const run = defineOp<'a' | 'b', object>({
  native: sum,
  composed: sum,
  saveInputs: [],
  gradient: ([dy]) => ({ a: () => dy!.clone(), b: () => dy!.clone() }),
});

/** The sum of two maps of one shape. The same as `tf.add`, which keeps both until the gradient has asked for their shapes. */
export function addMaps<T extends Tensor>(a: T, b: T): T {
  if (a.shape.join() !== b.shape.join())
    throw new Error(`Expected two maps of one shape, got [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`);
  return run({ a, b }, {})[0] as T;
}
