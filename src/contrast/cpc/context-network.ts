import { drawInitial, type ParameterSpec } from '../../network/parameters.js';
import type { RandomStream } from '../../numeric/random.js';
import { biasAdd } from '../../runtime/ops/bias-add.js';
import { conv2d } from '../../runtime/ops/conv2d.js';
import { relu } from '../../runtime/ops/relu.js';
import { tf, type Tensor4D, type Variable } from '../../runtime/tensors.js';
import { layerNorm } from './layer-norm.js';

/** Shape of a context network. */
export type ContextNetworkOptions = {
  /** Channels of latents and contexts. */
  readonly channels: number;
  /** Channels inside a block. */
  readonly hidden: number;
  /** Blocks; each lets a context see one row further up, and one column further to both sides. */
  readonly blocks: number;
};

/** What sums up the patches of a grid down to each of its rows. */
export type ContextNetwork = {
  readonly variables: ReadonlyMap<string, Variable>;
  readonly rules: ReadonlyMap<string, { readonly rate: number; readonly decay: number }>;
  /** `[batch, rows, columns, channels]` to the same shape: the context of a cell depends on its row and the rows above. */
  apply(latents: Tensor4D): Tensor4D;
  dispose(): void;
};

/** Kernel sides of the convolutions of a block: each cell; its row; itself and the row above; each cell. */
const kernels = [
  [1, 1],
  [1, 3],
  [2, 1],
  [1, 1],
] as const;

const specsOf = ({ channels, hidden, blocks }: ContextNetworkOptions): ParameterSpec[] =>
  Array.from({ length: blocks }, (_, block) =>
    kernels.flatMap(([height, width], layer): ParameterSpec[] => {
      const inputs = layer === 0 ? channels : hidden;
      const outputs = layer === kernels.length - 1 ? channels : hidden;
      const common = { trainable: true, rate: 1 } as const;
      return [
        {
          ...common,
          name: `${block}.${layer}.weight`,
          shape: [height, width, inputs, outputs],
          layout: { kind: 'conv' },
          init: { std: Math.sqrt(2 / (height * width * inputs)) },
          decay: 1,
        },
        {
          ...common,
          name: `${block}.${layer}.bias`,
          shape: [outputs],
          layout: { kind: 'vector' },
          init: { constant: 0 },
          decay: 0,
        },
      ];
    }),
  ).flat();

const pad = (x: Tensor4D, above: number, sides: number): Tensor4D =>
  tf.pad(x, [
    [0, 0],
    [above, 0],
    [sides, sides],
    [0, 0],
  ]);

/**
 * The masked context network (Hénaff 2020, after PixelCNN): residual blocks of convolutions that never look down. Each block mixes the
 * cells of a row, then adds the row above; rows above the grid are zeros. Contexts are layer-normalised at the end, in the place of the paper's
 * ReLU, as the latents are that come in.
 */
export function buildContextNetwork(options: ContextNetworkOptions, random: RandomStream): ContextNetwork {
  const specs = specsOf(options);
  const variables = new Map<string, Variable>(
    specs.map((spec) => [
      spec.name,
      tf.tidy(() => tf.variable(tf.tensor(drawInitial(spec, random), [...spec.shape]), true)),
    ]),
  );
  const convolve = (x: Tensor4D, block: number, layer: number): Tensor4D => {
    const weight = variables.get(`${block}.${layer}.weight`) as unknown as Tensor4D;
    return biasAdd(conv2d(x, weight), variables.get(`${block}.${layer}.bias`)!);
  };
  const block = (x: Tensor4D, number: number): Tensor4D => {
    const each = relu(convolve(x, number, 0));
    const row = convolve(pad(each, 0, 1), number, 1);
    const above = relu(convolve(pad(row, 1, 0), number, 2));
    return tf.add(x, convolve(above, number, 3));
  };
  return {
    variables,
    rules: new Map(specs.map(({ name, rate, decay }) => [name, { rate, decay }])),
    apply: (latents) =>
      tf.tidy(() => {
        let x = latents;
        for (let number = 0; number < options.blocks; number++) x = block(x, number);
        return layerNorm(x);
      }),
    dispose: () => {
      for (const variable of variables.values()) variable.dispose();
    },
  };
}
