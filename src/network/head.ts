import type { RandomStream } from '../numeric/random.js';
import { tf, type Tensor, type Tensor2D, type Variable } from '../runtime/tensors.js';
import { batchNorm, linear, relu, type LayerRow, type Module, type Shape } from './layers.js';
import { drawInitial, type ParameterSpec } from './parameters.js';
import type { ForwardMode } from './trunk.js';

/** A few layers on top of a trunk's features, which a method learns and nobody reads afterwards: projector, predictor, classifier. */
export type Head = {
  /** Length of its output rows. */
  readonly dim: number;
  /** Trainable variables by PyTorch name (`0.weight`). */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Batch-norm running statistics. */
  readonly buffers: ReadonlyMap<string, Variable>;
  /** What rate and decay are multiplied with, by variable: biases and batch norm do not decay. */
  readonly rules: ReadonlyMap<string, { readonly rate: number; readonly decay: number }>;
  /** `[batch, inputs]` to `[batch, dim]`. */
  apply(x: Tensor2D, mode: ForwardMode): Tensor2D;
  /** A head of its own with the same values. */
  clone(): Head;
  dispose(): void;
};

type Step = { readonly module: Module; readonly prefix: string };

/** Builds a head on rows of `inputs` values. Names follow PyTorch's numbering of a `Sequential`. */
export function buildHead(rows: readonly LayerRow[], inputs: number, random: RandomStream): Head {
  const steps: Step[] = [];
  let shape: Shape = [inputs];
  let number = 0;
  for (const row of rows) {
    if ('tap' in row) throw new Error(`Expected layers in a head, got the tap \`${row.tap}\``);
    const module = row.build(shape);
    shape = module.output;
    steps.push({ module, prefix: row.torch ? `${number++}.` : '' });
  }
  const specs = steps.flatMap(({ module, prefix }) =>
    module.parameters.map((spec) => ({ ...spec, name: `${prefix}${spec.name}` })),
  );
  const build = (valueOf: (spec: ParameterSpec) => Tensor): Head => {
    const variables = new Map<string, Variable>();
    const buffers = new Map<string, Variable>();
    for (const spec of specs) {
      const variable = tf.tidy(() => tf.variable(valueOf(spec), spec.trainable));
      (spec.trainable ? variables : buffers).set(spec.name, variable);
    }
    const find = (name: string): Variable => variables.get(name) ?? buffers.get(name)!;
    return {
      dim: shape.at(-1)!,
      variables,
      buffers,
      rules: new Map(specs.filter((s) => s.trainable).map(({ name, rate, decay }) => [name, { rate, decay }])),
      apply: (x, mode) =>
        tf.tidy(() =>
          steps.reduce<Tensor>(
            (y, { module, prefix }) => module.apply(y, { mode, value: (name) => find(`${prefix}${name}`) }),
            x,
          ),
        ) as Tensor2D,
      clone: () => build(({ name }) => find(name).clone()),
      dispose: () => {
        for (const variable of [...variables.values(), ...buffers.values()]) variable.dispose();
      },
    };
  };
  return build((spec) => tf.tensor(drawInitial(spec, random), [...spec.shape], 'float32'));
}

/** Shape of a multi-layer head. */
export type MlpOptions = {
  /** Widths of the hidden layers; none makes the head linear. */
  readonly hidden: readonly number[];
  /** Length of the output. */
  readonly dim: number;
  /** Batch norm behind every hidden layer (BYOL, SwAV), behind the output as well (SimCLR), or nowhere (MoCo v2). */
  readonly batchNorm: 'hidden' | 'all' | 'none';
};

/** The layers of a multi-layer head: dense, batch norm, ReLU; at last dense, without ReLU. */
export const mlp = ({ hidden, dim, batchNorm: norm }: MlpOptions): LayerRow[] => [
  ...hidden.flatMap((width) => [linear(width), ...(norm === 'none' ? [] : [batchNorm()]), relu()]),
  linear(dim),
  ...(norm === 'all' ? [batchNorm()] : []),
];
