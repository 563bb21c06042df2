import { tf } from './tensors.js';

/**
 * Runs `forward` so that the gradient tape records nothing of it: its result is a constant to the loss, and no intermediate
 * tensor is kept for a backward pass that never comes. For whatever a method must not learn through: momentum encoders, codes,
 * banks. Outside a tape it does nothing.
 */
export function withoutTape<T>(forward: () => T): T {
  // tfjs records an op only at depth 0: the same counter keeps the ops inside a differentiable op off the tape.
  const { state } = tf.engine() as unknown as { readonly state: { kernelDepth: number } };
  state.kernelDepth++;
  try {
    return forward();
  } finally {
    state.kernelDepth--;
  }
}
