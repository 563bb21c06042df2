import { tf, type NamedTensorMap, type Tensor } from '../tensors.js';
import { isNative } from './native-op.js';

type Gradients<I extends string> = Partial<Record<I, () => Tensor>>;

/** What a differentiable op consists of. `I` names its inputs, `A` are its plain-number attributes. */
export type OpDefinition<I extends string, A extends object> = {
  /** The op in native TensorFlow. */
  readonly native: (inputs: Readonly<Record<I, Tensor>>, attributes: A) => Tensor[];
  /** The op out of ordinary tfjs ops, for wasm. */
  readonly composed: (inputs: Readonly<Record<I, Tensor>>, attributes: A) => Tensor[];
  /**
   * How many of its tensors the op gives; the others are there for its gradient only. (Of an output that the loss does not read, tfjs
   * makes a gradient of zeros: arrays of JavaScript's, which its garbage collector answers with a full collection every other step.)
   * @default 1
   */
  readonly outputs?: number;
  /** Inputs and tensors of the op that the gradient reads, given to it in this order. */
  readonly saveInputs: readonly I[];
  readonly saveOutputs?: readonly boolean[];
  /**
   * Gradients by input, none of them the incoming one itself, each a function that is called only if that input's gradient is asked for, once and in the order of the inputs: the
   * first layer computes none for its images, a frozen layer none for its weights. (`tf.customGrad` would compute all of them.)
   */
  readonly gradient: (dys: readonly Tensor[], saved: readonly Tensor[], attributes: A) => Gradients<I>;
};

/** What is used of tfjs's engine: the way in that `tf.customGrad` takes, and what tells who owns a tensor. */
type Engine = {
  readonly state: { readonly gradientDepth: number; readonly activeScope: { readonly id: number } | null };
  runKernelFunc(call: {
    readonly forwardFunc: (backend: unknown, save: (tensors: Tensor[]) => void) => Tensor[];
    readonly backwardsFunc: (dy: Tensor | Tensor[], saved: Tensor[]) => NamedGradients;
    readonly inputs: NamedTensorMap;
    readonly attrs: object;
  }): Tensor[];
};

type NamedGradients = Readonly<Record<string, () => Tensor>>;

/** Makes the function that runs a differentiable op on either backend. */
export function defineOp<I extends string, A extends object>({
  native,
  composed,
  outputs = 1,
  saveInputs,
  saveOutputs = [],
  gradient,
}: OpDefinition<I, A>): (inputs: Readonly<Record<I, Tensor>>, attributes: A) => Tensor[] {
  return (inputs, attributes) => {
    const engine = tf.engine() as unknown as Engine;
    return engine.runKernelFunc({
      forwardFunc: (_backend, save) => {
        const made = (isNative() ? native : composed)(inputs, attributes);
        save([...saveInputs.map((name) => inputs[name]), ...made.filter((_, i) => saveOutputs[i])]);
        return made.slice(0, outputs);
      },
      backwardsFunc: (dy, saved) => {
        const dys = Array.isArray(dy) ? dy : [dy];
        // Gradients of gradients read it all again.
        if (engine.state.gradientDepth > 0) return gradient(dys, saved, attributes) as NamedGradients;
        const ofThisPass = dys.filter((one) => one.scopeId === engine.state.activeScope?.id);
        return endingWith(gradient(dys, saved, attributes), () => tf.dispose([...saved, ...ofThisPass]));
      },
      inputs: inputs as unknown as NamedTensorMap,
      attrs: attributes,
    });
  };
}

/**
 * The same functions; after the last of them, if all are called, comes `end`: what an op has no use for once its gradients are known is
 * freed there. tfjs holds every saved tensor and every gradient until the whole backward pass is over.
 */
function endingWith<I extends string>(gradients: Gradients<I>, end: () => void): NamedGradients {
  let left = Object.keys(gradients).length;
  return Object.fromEntries(
    Object.entries<() => Tensor>(gradients as NamedGradients).map(([name, compute]) => [
      name,
      () => {
        const result = compute();
        if (--left === 0) end();
        return result;
      },
    ]),
  );
}
