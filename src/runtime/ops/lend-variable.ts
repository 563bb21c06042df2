import { isOnGpu } from '../on-gpu.js';
import { tf, type Tensor, type Variable } from '../tensors.js';
import { isNative, nativeOp } from './native-op.js';

/** Below so many values, the handling of handles costs more than moving arrays through memory. */
const lendFrom = 1 << 16;

const dtype = { type: 'float32' } as const;

/** What is used of tfjs-node's backend. */
type Lender = {
  readonly binding: { deleteTensor(id: number): void };
  readonly tensorMap: { get(dataId: object): { id: number; refCount: number } };
};

const lender = (): Lender => tf.backend() as unknown as Lender;

/** Whether it pays to lend a variable, and can be done. On a GPU arrays would have to be lent on its own device, which was not tried. */
export const paysToLend = ({ size }: Variable): boolean => size >= lendFrom && isNative() && !isOnGpu();

/** A variable's array in the hands of TensorFlow, whose in-place ops (`ResourceApply…`) take it by its handle. */
export type Loan = {
  readonly handle: Tensor;
  /** Makes what stands in the handle the variable's value, and ends the handle. */
  takeBack(): void;
};

/**
 * Lends a variable's array to TensorFlow, without a copy. From here to `takeBack` the variable has no value. Where another tensor
 * shares the array (a clone that a momentum encoder began from, a reshaped view), TensorFlow sees that and writes into a copy.
 * Call inside a tidy.
 *
 * @param name unlike that of any other variable that is lent at the time
 */
export function lendVariable(variable: Variable, name: string): Loan {
  const attributes = {
    dtype,
    shape: { shape: variable.shape },
    shared_name: { string: `lent/${name}` },
    container: { string: '' },
  };
  const handle = nativeOp('VarHandleOp', attributes, [])[0]!;
  nativeOp('AssignVariableOp', { dtype }, [handle, variable], 0);
  letGo(variable);
  return {
    handle,
    takeBack: () => {
      variable.assign(nativeOp('ReadVariableOp', { dtype }, [handle])[0]!);
      nativeOp('DestroyResourceOp', { ignore_lookup_error: { bool: false } }, [handle], 0);
    },
  };
}

/** Ends tfjs's own hold of the array, if no tensor but the variable has it: only what has one owner is changed in place. */
function letGo({ dataId }: Variable): void {
  const { binding, tensorMap } = lender();
  const info = tensorMap.get(dataId);
  if (info.refCount > 1) return;
  binding.deleteTensor(info.id);
  info.id = -1;
}
