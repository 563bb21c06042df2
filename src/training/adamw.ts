import { adamUpdate, adamUpdateOfVectors, type AdamStep } from '../runtime/ops/adam-update.js';
import { tf } from '../runtime/tensors.js';
import { makeMoves, type Optimizer } from './optimizer.js';

/** @see adamw */
export type AdamWOptions = {
  /** @default 0.9 */
  readonly beta1?: number;
  /** @default 0.999 */
  readonly beta2?: number;
  /** @default 1e-8 */
  readonly epsilon?: number;
  /** @default 0.01 */
  readonly weightDecay?: number;
};

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2019), as PyTorch's: `w <- w - rate decay w`,
 * `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`, `w <- w - rate / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)`. `t` counts the steps of each variable by itself: one that was held at
 * first begins as all others did.
 */
export const adamw = ({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0.01,
}: AdamWOptions = {}): Optimizer => {
  for (const [name, value] of Object.entries({ beta1, beta2 })) {
    if (!(value >= 0 && value < 1)) {
      throw new RangeError(`Expected \`${name}\` to be a number from 0 to below 1, got \`${value}\` (${typeof value})`);
    }
  }
  return {
    name: 'adamw',
    settings: { beta1, beta2, epsilon, weightDecay },
    init: (variables) => ({
      step: 0,
      missed: new Map(),
      slots: new Map(
        [...variables].flatMap(([name, variable]) =>
          ['mean', 'square'].map((slot) => [
            `${slot}/${name}`,
            tf.tidy(() => tf.variable(tf.zerosLike(variable), false)),
          ]),
        ),
      ),
    }),
    update: (state, variables, gradients, learningRate, rules) => {
      state.step++;
      const moves = [...variables].flatMap(([name, variable]) => {
        const missed = state.missed.get(name) ?? 0;
        const gradient = gradients.get(name);
        if (!gradient) {
          state.missed.set(name, missed + 1);
          return [];
        }
        const step = state.step - missed;
        const meanScale = 1 - beta1 ** step;
        const rootScale = Math.sqrt(1 - beta2 ** step);
        const mean = state.slots.get(`mean/${name}`)!;
        const square = state.slots.get(`square/${name}`)!;
        const { rate, decay } = rules?.get(name) ?? { rate: 1, decay: 1 };
        // `m / (sqrt(v) / rootScale + eps)`, with the scalars gathered into one factor and one summand.
        const numbers: AdamStep = {
          beta1,
          beta2,
          epsilon: epsilon * rootScale,
          size: (learningRate * rate * rootScale) / meanScale,
          kept: 1 - learningRate * rate * weightDecay * decay,
        };
        return [{ variable, mean, square, gradient, numbers }];
      });
      makeMoves(
        moves,
        ({ variable, mean, square, gradient, numbers }) => adamUpdate(variable, mean, square, gradient, numbers),
        adamUpdateOfVectors,
      );
    },
  };
};
