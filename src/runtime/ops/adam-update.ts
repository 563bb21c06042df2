import { tf, type Tensor, type Variable } from '../tensors.js';
import { lendVariable, paysToLend } from './lend-variable.js';
import { nativeOp } from './native-op.js';
import { assignParts, joinVectors } from './one-vector.js';

/** The numbers of one step for one variable. */
export type AdamStep = {
  /** Share of the old mean that is kept, 0 to below 1. */
  readonly beta1: number;
  /** Share of the old mean of squares that is kept, 0 to below 1. */
  readonly beta2: number;
  /** Added to the root of the mean of squares as it is: `epsilon sqrt(1 - beta2^t)` where Adam's is meant. */
  readonly epsilon: number;
  /** What the direction is multiplied with: `rate sqrt(1 - beta2^t) / (1 - beta1^t)` where Adam's is meant. */
  readonly size: number;
  /** What the variable is multiplied with before it moves: `1 - rate decay`. */
  readonly kept: number;
};

/** A variable with the means of its gradients and of their squares, and its gradient. */
export type AdamVariable = {
  readonly variable: Variable;
  readonly mean: Variable;
  readonly square: Variable;
  readonly gradient: Tensor;
};

/**
 * A step of Adam with decoupled weight decay, in place: `m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`,
 * `w <- kept w - size m / (sqrt(v) + epsilon)`. Call inside a tidy. Large variables are lent to TensorFlow's one op for it on the CPU,
 * which spares a dozen new arrays of their size; it takes `1 - beta2` in float32 (of 0.999 off by 1.3e-5 of itself).
 */
export function adamUpdate(
  variable: Variable,
  mean: Variable,
  square: Variable,
  gradient: Tensor,
  step: AdamStep,
): void {
  const state = { variable, mean, square, gradient };
  if (paysToLend(variable)) return updateInPlace(state, step);
  const moved = move<Tensor>(state, step);
  mean.assign(moved.mean);
  square.assign(moved.square);
  variable.assign(moved.variable);
}

/** {@link adamUpdate} of several vectors at once: the same values. */
export function adamUpdateOfVectors(vectors: readonly AdamVariable[], step: AdamStep): void {
  const all = <K extends keyof AdamVariable>(name: K): AdamVariable[K][] => vectors.map((vector) => vector[name]);
  const [variables, means, squares] = [all('variable'), all('mean'), all('square')];
  const [variable, mean, square, gradient] = [variables, means, squares, all('gradient')].map(joinVectors);
  const moved = move({ variable: variable!, mean: mean!, square: square!, gradient: gradient! }, step);
  assignParts(means, moved.mean);
  assignParts(squares, moved.square);
  assignParts(variables, moved.variable);
}

function move<T extends Tensor>(
  { variable, mean, square, gradient }: Readonly<Record<keyof AdamVariable, T>>,
  { beta1, beta2, epsilon, size, kept }: AdamStep,
): Readonly<Record<'variable' | 'mean' | 'square', T>> {
  const newMean = tf.add<T>(tf.mul(mean, beta1), tf.mul(gradient, 1 - beta1));
  const newSquare = tf.add<T>(tf.mul(square, beta2), tf.mul(tf.square(gradient), 1 - beta2));
  const direction = tf.div(newMean, tf.add(tf.sqrt(newSquare), epsilon));
  return { mean: newMean, square: newSquare, variable: tf.sub<T>(tf.mul(variable, kept), tf.mul(direction, size)) };
}

function updateInPlace(
  { variable, mean, square, gradient }: AdamVariable,
  { beta1, beta2, epsilon, size, kept }: AdamStep,
): void {
  if (kept !== 1) tf.tidy(() => variable.assign(tf.mul(variable, kept)));
  const [w, m, v] = [lendVariable(variable, 'weights'), lendVariable(mean, 'mean'), lendVariable(square, 'square')];
  // The op corrects the size by powers of the betas: 0 leaves it as it is given.
  const numbers = [0, 0, size, beta1, beta2, epsilon].map((value) => tf.scalar(value));
  const attributes = { T: { type: 'float32' }, use_locking: { bool: false }, use_nesterov: { bool: false } } as const;
  nativeOp('ResourceApplyAdam', attributes, [w.handle, m.handle, v.handle, ...numbers, gradient], 0);
  w.takeBack();
  m.takeBack();
  v.takeBack();
}
