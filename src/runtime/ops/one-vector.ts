import { tf, type Tensor, type Tensor1D, type Variable } from '../tensors.js';
import { paysToLend } from './lend-variable.js';

/** Whether a variable is a vector that is not worth lending. */
export const isSmallVector = (variable: Variable): boolean => variable.rank === 1 && !paysToLend(variable);

/**
 * Vectors one after another, as one. What an optimiser does value by value costs as many ops for this as for each of them, and for
 * the few hundred values of a bias it is the ops that cost.
 */
export const joinVectors = (vectors: readonly Tensor[]): Tensor1D => tf.concat1d(vectors as Tensor1D[]);

/** Gives each of the variables its part of what {@link joinVectors} made of them. */
export function assignParts(variables: readonly Variable[], whole: Tensor1D): void {
  const parts = tf.split(
    whole,
    variables.map(({ size }) => size),
  );
  variables.forEach((variable, i) => variable.assign(parts[i]!));
}
