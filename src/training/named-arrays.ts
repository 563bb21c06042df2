import { tf, type Variable } from '../runtime/tensors.js';
import type { NamedArrays } from './method.js';

/** Copies variables into arrays for a method's `save`, each name behind `prefix`. */
export const namedArraysOf = (variables: ReadonlyMap<string, Variable>, prefix: string): NamedArrays =>
  Object.fromEntries(
    [...variables].map(([name, variable]) => [
      `${prefix}${name}`,
      { shape: variable.shape, data: variable.dataSync().slice() as Float32Array },
    ]),
  );

/**
 * Puts arrays that {@link namedArraysOf} made back into the variables.
 *
 * @throws if one is missing or has another shape
 */
export const assignNamedArrays = (
  variables: ReadonlyMap<string, Variable>,
  state: NamedArrays,
  prefix: string,
): void => {
  for (const [name, variable] of variables) {
    const stored = state[`${prefix}${name}`];
    if (stored?.shape.join() !== variable.shape.join()) {
      const found = stored ? `shape [${stored.shape.join(', ')}]` : 'none';
      throw new Error(
        `Expected \`${prefix}${name}\` of shape [${variable.shape.join(', ')}] in the state, got ${found}`,
      );
    }
    tf.tidy(() => variable.assign(tf.tensor(stored.data, variable.shape, 'float32')));
  }
};
