import { tf, type Tensor } from '../runtime/tensors.js';
import { checkMomentum, momentumState } from './momentum.js';
import type { Optimizer } from './optimizer.js';

/** @see lars */
export type LarsOptions = {
  /** 0 to below 1. @default 0.9 */
  readonly momentum?: number;
  /** @default 1.5e-6 */
  readonly weightDecay?: number;
  /** Trust coefficient, eta. @default 1e-3 */
  readonly trust?: number;
};

/**
 * Layer-wise adaptive rate scaling (You et al. 2017), with momentum as in the released BYOL: `g <- g + decay w`,
 * `g <- g eta |w| / |g|` (1 where either norm is 0), `v <- momentum v + rate g`, `w <- w - v`. Variables whose rule has decay 0
 * (biases, batch norm) are neither decayed nor adapted: plain momentum at the full rate.
 */
export const lars = ({ momentum = 0.9, weightDecay = 1.5e-6, trust = 1e-3 }: LarsOptions = {}): Optimizer => {
  checkMomentum(momentum, weightDecay);
  if (!(trust > 0))
    throw new RangeError(`Expected \`trust\` to be a number above 0, got \`${trust}\` (${typeof trust})`);
  const adapt = (gradient: Tensor, variable: Tensor): Tensor => {
    const [weightNorm, gradientNorm] = [tf.norm(variable), tf.norm(gradient)];
    const usable = tf.logicalAnd(tf.greater(weightNorm, 0), tf.greater(gradientNorm, 0));
    const ratio = tf.where(usable, tf.div(tf.mul(weightNorm, trust), gradientNorm), tf.scalar(1));
    return tf.mul(gradient, ratio);
  };
  return {
    name: 'lars',
    settings: { momentum, weightDecay, trust },
    init: momentumState,
    update: (state, variables, gradients, learningRate, rules) => {
      for (const [name, gradient] of gradients) {
        const variable = variables.get(name)!;
        const velocity = state.slots.get(`momentum/${name}`)!;
        const { rate, decay } = rules?.get(name) ?? { rate: 1, decay: 1 };
        let push: Tensor = gradient;
        if (decay !== 0) push = adapt(tf.add(gradient, tf.mul(variable, weightDecay * decay)), variable);
        velocity.assign(tf.add(tf.mul(velocity, momentum), tf.mul(push, learningRate * rate)));
        variable.assign(tf.sub(variable, velocity));
      }
      state.step++;
    },
  };
};
