import { isSmallVector } from '../runtime/ops/one-vector.js';
import type { NamedTensorMap, Tensor, Variable } from '../runtime/tensors.js';

/** What the learning rate and the weight decay are multiplied with for one variable; 1 and 1 where none is named. */
export type VariableRule = { readonly rate: number; readonly decay: number };

/** What an optimiser remembers between steps. Saved with the train state. */
export type OptimizerState = {
  /** Updates made. */
  step: number;
  /** Of how many of them a variable had no part, having no gradient (a head that is held at first); absent for none. */
  readonly missed: Map<string, number>;
  /** Arrays by name (`momentum/features.0.weight`). */
  readonly slots: Map<string, Variable>;
};

/**
 * An optimiser without memory of its own: `init` makes the state, `update` changes variables and state in place.
 * A variable without a gradient is left alone. Call `update` inside a tidy.
 */
export type Optimizer = {
  readonly name: string;
  /** What it was made with: part of the configuration that a resumed run must share. */
  readonly settings: Readonly<Record<string, number>>;
  init(variables: ReadonlyMap<string, Variable>): OptimizerState;
  update(
    state: OptimizerState,
    variables: ReadonlyMap<string, Variable>,
    gradients: ReadonlyMap<string, Tensor>,
    learningRate: number,
    rules?: ReadonlyMap<string, VariableRule>,
  ): void;
};

/** What moves one variable in a step: the variable with what belongs to it, and the numbers of the rule. */
export type Move<N extends object> = { readonly variable: Variable; readonly numbers: N };

/** Makes the moves of a step: one by one, but those of small vectors with the same numbers at once. */
export function makeMoves<N extends object, M extends Move<N>>(
  moves: readonly M[],
  one: (move: M) => void,
  vectors: (moves: readonly M[], numbers: N) => void,
): void {
  const alike = new Map<string, M[]>();
  for (const move of moves) {
    if (!isSmallVector(move.variable)) {
      one(move);
      continue;
    }
    const numbers = JSON.stringify(move.numbers);
    alike.set(numbers, [...(alike.get(numbers) ?? []), move]);
  }
  for (const group of alike.values()) vectors(group, group[0]!.numbers);
}

/** The gradients of `tf.variableGrads`, whose names are tfjs's own, by the names of `variables`. */
export function gradientsByName(variables: ReadonlyMap<string, Variable>, grads: NamedTensorMap): Map<string, Tensor> {
  const result = new Map<string, Tensor>();
  for (const [name, variable] of variables) {
    const gradient = grads[variable.name];
    if (gradient) result.set(name, gradient);
  }
  return result;
}
