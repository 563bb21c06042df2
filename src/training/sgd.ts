import { momentumUpdate, momentumUpdateOfVectors, type MomentumStep } from '../runtime/ops/momentum-update.js';
import { checkMomentum, momentumState } from './momentum.js';
import { makeMoves, type Optimizer } from './optimizer.js';

/** @see sgd */
export type SgdOptions = {
  /** 0 to below 1. @default 0.9 */
  readonly momentum?: number;
  /** @default 0 */
  readonly weightDecay?: number;
};

/**
 * Stochastic gradient descent with momentum, as PyTorch's: `v <- momentum v + (g + decay w)`, `w <- w - rate v`. (Caffe
 * multiplies the rate into `v`; the two differ only at the step where the rate changes.)
 */
export const sgd = ({ momentum = 0.9, weightDecay = 0 }: SgdOptions = {}): Optimizer => {
  checkMomentum(momentum, weightDecay);
  return {
    name: 'sgd',
    settings: { momentum, weightDecay },
    init: momentumState,
    update: (state, variables, gradients, learningRate, rules) => {
      const moves = [...gradients].map(([name, gradient]) => {
        const { rate, decay } = rules?.get(name) ?? { rate: 1, decay: 1 };
        const numbers: MomentumStep = { momentum, decay: weightDecay * decay, rate: learningRate * rate };
        return {
          variable: variables.get(name)!,
          velocity: state.slots.get(`momentum/${name}`)!,
          gradient,
          numbers,
        };
      });
      makeMoves(
        moves,
        ({ variable, velocity, gradient, numbers }) => momentumUpdate(variable, velocity, gradient, numbers),
        momentumUpdateOfVectors,
      );
      state.step++;
    },
  };
};
