import type { RandomStream } from '../numeric/random.js';

/** How the first values of a parameter are drawn: a constant, or normal deviates around 0. */
export type Init = { readonly constant: number } | { readonly std: number };

/**
 * How a parameter lies in memory (TensorFlow) and on disk (PyTorch):
 * `vector` alike; `conv` `[height, width, in, out]` and `[out, in, height, width]`; `linear` `[in, out]` and `[out, in]`;
 * `flattened` as `linear`, behind a map that PyTorch flattens channel first and TensorFlow channel last.
 */
export type Layout =
  | { readonly kind: 'vector' }
  | { readonly kind: 'conv' }
  | { readonly kind: 'linear' }
  | { readonly kind: 'flattened'; readonly map: readonly [height: number, width: number, channels: number] };

/** One array of a network. */
export type ParameterSpec = {
  /** PyTorch's name: `features.0.weight`. */
  readonly name: string;
  /** In TensorFlow's layout. */
  readonly shape: readonly number[];
  readonly layout: Layout;
  readonly init: Init;
  /** False for running statistics. */
  readonly trainable: boolean;
  /** What the learning rate and the weight decay are multiplied with for this parameter. */
  readonly rate: number;
  readonly decay: number;
};

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** First values of a parameter; draws from `random` only where the rule is not a constant. */
export function drawInitial(spec: ParameterSpec, random: RandomStream): Float32Array {
  const values = new Float32Array(product(spec.shape));
  if ('constant' in spec.init) return values.fill(spec.init.constant);
  const { std } = spec.init;
  for (let i = 0; i < values.length; i++) values[i] = random.normal(0, std);
  return values;
}

/** The shape of a parameter on disk. */
export function torchShape({ shape, layout }: ParameterSpec): readonly number[] {
  if (layout.kind === 'vector') return shape;
  if (layout.kind === 'conv') return [shape[3]!, shape[2]!, shape[0]!, shape[1]!];
  return [shape[1]!, shape[0]!];
}

/** Calls `visit(torch, tensorflow)` with the two flat positions of every value of a matrix or filter. */
function pairPositions({ shape, layout }: ParameterSpec, visit: (torch: number, tensorflow: number) => void): void {
  const outputs = shape.at(-1)!;
  // All layouts are `[places, channels, outputs]` here and `[outputs, channels, places]` on disk.
  const channels = layout.kind === 'conv' ? shape[2]! : layout.kind === 'flattened' ? layout.map[2] : shape[0]!;
  const places = product(shape) / (channels * outputs);
  for (let place = 0; place < places; place++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (place * channels + channel) * outputs;
      const to = channel * places + place;
      for (let output = 0; output < outputs; output++) visit(output * channels * places + to, from + output);
    }
  }
}

/** Values in memory → values on disk (a new array). */
export function toTorch(spec: ParameterSpec, values: Float32Array): Float32Array {
  if (spec.layout.kind === 'vector') return values.slice();
  const result = new Float32Array(values.length);
  pairPositions(spec, (torch, tensorflow) => void (result[torch] = values[tensorflow]!));
  return result;
}

/** Values on disk → values in memory (a new array): the inverse of `toTorch`. */
export function fromTorch(spec: ParameterSpec, values: Float32Array): Float32Array {
  if (spec.layout.kind === 'vector') return values.slice();
  const result = new Float32Array(values.length);
  pairPositions(spec, (torch, tensorflow) => void (result[tensorflow] = values[torch]!));
  return result;
}
