import { tf, type Tensor, type Variable } from '../tensors.js';
import { isNative, nativeOp } from './native-op.js';

/** The numbers of one step for one variable. */
export type MomentumStep = {
  /** 0 to below 1. */
  readonly momentum: number;
  /** Weight decay, from 0. */
  readonly decay: number;
  readonly rate: number;
};

/**
 * A step of gradient descent with momentum and weight decay, as PyTorch's: `v <- momentum v + (g + decay w)`, `w <- w - rate v`, in
 * place. Call inside a tidy.
 *
 * Composed, that is six ops and six new arrays of the variable's size, and takes the time of moving those through memory. So large
 * variables are lent to TensorFlow's own in-place ops on the CPU, which need a third of that time and no new array: with
 * `u = momentum v + decay w` written as `momentum (v + decay / momentum w)`, which rounds a little differently.
 */
export function momentumUpdate(variable: Variable, velocity: Variable, gradient: Tensor, step: MomentumStep): void {
  if (variable.size >= lendFrom && step.momentum > 0 && canLend()) updateInPlace(variable, velocity, gradient, step);
  else updateComposed(variable, velocity, gradient, step);
}

/** Below, the handling of handles costs more than the arrays. */
const lendFrom = 1 << 16;

function updateComposed(
  variable: Variable,
  velocity: Variable,
  gradient: Tensor,
  { momentum, decay, rate }: MomentumStep,
): void {
  const push = decay === 0 ? gradient : tf.add(gradient, tf.mul(variable, decay));
  velocity.assign(tf.add(tf.mul(velocity, momentum), push));
  variable.assign(tf.sub(variable, tf.mul(velocity, rate)));
}

const T = { type: 'float32' } as const;
const use_locking = { bool: false } as const;

function updateInPlace(
  variable: Variable,
  velocity: Variable,
  gradient: Tensor,
  { momentum, decay, rate }: MomentumStep,
): void {
  const [w, v] = [lend(variable, 'w'), lend(velocity, 'v')];
  letGo(velocity);
  if (decay !== 0) {
    const alpha = tf.scalar(-decay / momentum);
    nativeOp('ResourceApplyGradientDescent', { T, use_locking }, [v, alpha, variable], 0);
  }
  letGo(variable);
  const numbers = [tf.scalar(rate), gradient, tf.scalar(momentum)];
  nativeOp('ResourceApplyMomentum', { T, use_locking, use_nesterov: { bool: false } }, [w, v, ...numbers], 0);
  takeBack(variable, w);
  takeBack(velocity, v);
}

/** What is used of tfjs-node's backend. */
type Lender = {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { deleteTensor(id: number): void };
  readonly tensorMap: { get(dataId: object): { id: number; values: unknown; refCount: number } };
};

const lender = (): Lender => tf.backend() as unknown as Lender;

/** On a GPU the arrays would have to be lent on its own device, which was not tried. */
const canLend = (): boolean => isNative() && !lender().isUsingGpuDevice;

/** A handle of TensorFlow's that shares the variable's array. */
function lend(variable: Variable, name: string): Tensor {
  const attributes = {
    dtype: T,
    shape: { shape: variable.shape },
    shared_name: { string: `lent-${name}` },
    container: { string: '' },
  };
  const [handle] = nativeOp('VarHandleOp', attributes, []);
  nativeOp('AssignVariableOp', { dtype: T }, [handle!, variable], 0);
  return handle!;
}

/**
 * Ends tfjs's own hold of the array, so that the handle has it alone and writes into it. Where another tensor shares it (a clone that
 * a momentum encoder began from), TensorFlow sees that and writes into a copy.
 */
function letGo({ dataId }: Variable): void {
  const { binding, tensorMap } = lender();
  const info = tensorMap.get(dataId);
  if (info.refCount > 1) return;
  binding.deleteTensor(info.id);
  info.id = -1;
}

/** Makes what stands in the handle the variable's value, and ends the handle. */
function takeBack(variable: Variable, handle: Tensor): void {
  const [value] = nativeOp('ReadVariableOp', { dtype: T }, [handle]);
  variable.assign(value!);
  nativeOp('DestroyResourceOp', { ignore_lookup_error: { bool: false } }, [handle], 0);
}
