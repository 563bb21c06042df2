import { tf, type NamedTensorMap, type Tensor } from '../tensors.js';

/** What a differentiable op consists of. `I` names its inputs, `A` are its plain-number attributes. */
export type OpDefinition<I extends string, A extends object> = {
  /** Name in tfjs's registry; must be unlike any of TensorFlow's. */
  readonly name: string;
  /** The op in native TensorFlow. */
  readonly native: (inputs: Readonly<Record<I, Tensor>>, attributes: A) => Tensor[];
  /** The op out of ordinary tfjs ops, for wasm. */
  readonly composed: (inputs: Readonly<Record<I, Tensor>>, attributes: A) => Tensor[];
  /** Inputs and outputs that the gradient reads, given to it in this order. */
  readonly saveInputs: readonly I[];
  readonly saveOutputs?: readonly boolean[];
  /**
   * Gradients by input, each a function that is called only if that input's gradient is asked for: the first layer computes none
   * for its images, a frozen layer none for its weights. (`tf.customGrad` would compute all of them.)
   */
  readonly gradient: (
    dys: readonly Tensor[],
    saved: readonly Tensor[],
    attributes: A,
  ) => Partial<Record<I, () => Tensor>>;
};

/**
 * Registers a differentiable op for both backends and returns the function that runs it. Called once an op, as its file is
 * loaded; tfjs keeps the registry.
 */
export function defineOp<I extends string, A extends object>(
  definition: OpDefinition<I, A>,
): (inputs: Readonly<Record<I, Tensor>>, attributes: A) => Tensor[] {
  const { name, native, composed, saveInputs, saveOutputs = [], gradient } = definition;
  for (const [backendName, run] of [
    ['tensorflow', native],
    ['wasm', composed],
  ] as const)
    tf.registerKernel({
      kernelName: name,
      backendName,
      // Intermediate tensors of a composed op would otherwise live until the caller's scope ends.
      kernelFunc: ({ inputs, attrs }) =>
        tf.tidy(
          () => run(inputs as unknown as Readonly<Record<I, Tensor>>, attrs as unknown as A) as unknown as Tensor,
        ),
    });
  tf.registerGradient({
    kernelName: name,
    inputsToSave: [...saveInputs],
    outputsToSave: [...saveOutputs],
    gradFunc: (dy, saved, attrs) =>
      gradient(Array.isArray(dy) ? dy : [dy], saved, attrs as unknown as A) as Record<string, () => Tensor>,
  });
  return (inputs, attributes) => {
    const result = tf.engine().runKernel(name, inputs as unknown as NamedTensorMap, attributes as never) as
      Tensor | Tensor[];
    return Array.isArray(result) ? result : [result];
  };
}
