import { tf, type Tensor, type Variable } from '../tensors.js';
import { lendVariable, paysToLend } from './lend-variable.js';
import { nativeOp } from './native-op.js';

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
 * `momentum v + decay w` written as `momentum (v + decay / momentum w)`, which rounds a little differently.
 */
export function momentumUpdate(variable: Variable, velocity: Variable, gradient: Tensor, step: MomentumStep): void {
  const { momentum, decay, rate } = step;
  if (momentum > 0 && paysToLend(variable)) return updateInPlace(variable, velocity, gradient, step);
  const push = decay === 0 ? gradient : tf.add(gradient, tf.mul(variable, decay));
  velocity.assign(tf.add(tf.mul(velocity, momentum), push));
  variable.assign(tf.sub(variable, tf.mul(velocity, rate)));
}

const attributes = { T: { type: 'float32' }, use_locking: { bool: false } } as const;

function updateInPlace(
  variable: Variable,
  velocity: Variable,
  gradient: Tensor,
  { momentum, decay, rate }: MomentumStep,
): void {
  const v = lendVariable(velocity, 'velocity');
  if (decay !== 0) {
    nativeOp('ResourceApplyGradientDescent', attributes, [v.handle, tf.scalar(-decay / momentum), variable], 0);
  }
  const w = lendVariable(variable, 'weights');
  const numbers = [tf.scalar(rate), gradient, tf.scalar(momentum)];
  const plain = { ...attributes, use_nesterov: { bool: false } };
  nativeOp('ResourceApplyMomentum', plain, [w.handle, v.handle, ...numbers], 0);
  w.takeBack();
  v.takeBack();
}
