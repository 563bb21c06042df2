import { tf, type Scalar, type Tensor, type Tensor4D, type Variable } from '../runtime/tensors.js';
import type { Batch, Method, StepResult } from './method.js';
import { gradientsByName, type Optimizer, type OptimizerState, type VariableRule } from './optimizer.js';

/** Everything one step needs. */
export type TrainStepInput<V> = {
  readonly method: Method<V>;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly optimizer: Optimizer;
  readonly optimizerState: OptimizerState;
  readonly rules: ReadonlyMap<string, VariableRule>;
  readonly learningRate: number;
  /** Views of the batch; not disposed here. */
  readonly tensors: readonly Tensor4D[];
  readonly batch: Batch;
};

/**
 * Forward, backward, update, commit: one step. Returns the loss and the signals unread; the caller disposes them. Every other
 * tensor made on the way is gone afterwards.
 */
export function trainStep<V>({
  method,
  variables,
  optimizer,
  optimizerState,
  rules,
  learningRate,
  tensors,
  batch,
}: TrainStepInput<V>): { readonly loss: Scalar; readonly signals: StepResult['signals'] } {
  return tf.tidy(() => {
    let result: StepResult | undefined;
    const { value, grads } = tf.variableGrads(() => {
      result = method.step(tensors, batch);
      // The tape's scope would drop them; they are read after the update, if at all.
      for (const signal of Object.values(result.signals)) if (typeof signal === 'object') tf.keep(signal);
      return result.loss;
    }, [...variables.values()]);
    const { signals, commit } = result!;
    optimizer.update(optimizerState, variables, gradientsByName(variables, grads), learningRate, rules);
    commit?.();
    return { loss: tf.keep(value), signals: signals as Record<string, Tensor | number> };
  });
}
