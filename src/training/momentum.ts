import { tf, type Variable } from '../runtime/tensors.js';
import type { OptimizerState } from './optimizer.js';

/**
 * Refuses what cannot be a momentum or a weight decay.
 *
 * @throws RangeError
 */
export const checkMomentum = (momentum: number, weightDecay: number): void => {
  if (!(momentum >= 0 && momentum < 1)) {
    throw new RangeError(
      `Expected \`momentum\` to be a number from 0 to below 1, got \`${momentum}\` (${typeof momentum})`,
    );
  }
  if (!(weightDecay >= 0)) {
    throw new RangeError(
      `Expected \`weightDecay\` to be a number from 0, got \`${weightDecay}\` (${typeof weightDecay})`,
    );
  }
};

/** The state of an optimiser that remembers one velocity a variable, `momentum/NAME`, at rest. */
export const momentumState = (variables: ReadonlyMap<string, Variable>): OptimizerState => ({
  step: 0,
  missed: new Map(),
  slots: new Map(
    [...variables].map(([name, variable]) => [
      `momentum/${name}`,
      tf.tidy(() => tf.variable(tf.zerosLike(variable), false)),
    ]),
  ),
});
