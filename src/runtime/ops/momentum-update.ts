import { tf, type Tensor, type Variable } from '../tensors.js';
import { lendVariable, paysToLend } from './lend-variable.js';
import { nativeOp } from './native-op.js';
import { assignParts, joinVectors } from './one-vector.js';

/** The numbers of one step for one variable. */
export type MomentumStep = {
  /** 0 to below 1. */
  readonly momentum: number;
  /** Weight decay, from 0. */
  readonly decay: number;
  readonly rate: number;
};

/** A variable with its velocity and its gradient. */
export type MovedVariable = { readonly variable: Variable; readonly velocity: Variable; readonly gradient: Tensor };

/**
 * A step of gradient descent with momentum and weight decay, as PyTorch's: `v <- momentum v + (g + decay w)`, `w <- w - rate v`, in
 * place. Call inside a tidy.
 *
 * Composed, that is six ops and six new arrays of the variable's size, and takes the time of moving those through memory. So large
 * variables are lent to TensorFlow's own in-place ops on the CPU, which need a third of that time and no new array: with
 * `momentum v + decay w` written as `momentum (v + decay / momentum w)`, which rounds a little differently.
 */
export function momentumUpdate(variable: Variable, velocity: Variable, gradient: Tensor, step: MomentumStep): void {
  if (step.momentum > 0 && paysToLend(variable)) return updateInPlace(variable, velocity, gradient, step);
  const moved = move(variable, velocity, gradient, step);
  velocity.assign(moved.velocity);
  variable.assign(moved.variable);
}

/** {@link momentumUpdate} of several vectors at once: the same values. */
export function momentumUpdateOfVectors(vectors: readonly MovedVariable[], step: MomentumStep): void {
  const [variables, velocities] = [vectors.map(({ variable }) => variable), vectors.map(({ velocity }) => velocity)];
  const gradient = joinVectors(vectors.map((vector) => vector.gradient));
  const moved = move(joinVectors(variables), joinVectors(velocities), gradient, step);
  assignParts(velocities, moved.velocity);
  assignParts(variables, moved.variable);
}

function move<T extends Tensor>(
  variable: T,
  velocity: T,
  gradient: T,
  { momentum, decay, rate }: MomentumStep,
): { readonly variable: T; readonly velocity: T } {
  const push = decay === 0 ? gradient : tf.add<T>(gradient, tf.mul(variable, decay));
  const faster = tf.add<T>(tf.mul(velocity, momentum), push);
  return { velocity: faster, variable: tf.sub<T>(variable, tf.mul(faster, rate)) };
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
