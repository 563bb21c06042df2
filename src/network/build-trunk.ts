import type { RandomStream } from '../numeric/random.js';
import { UsageError } from '../pipeline/usage-error.js';
import { tf, type Tensor, type Tensor2D, type Tensor4D, type Variable } from '../runtime/tensors.js';
import type { Architecture, Module, Shape } from './layers.js';
import type { NamedOperation } from './operation.js';
import { drawInitial, type ParameterSpec } from './parameters.js';
import type { Layer, Trunk } from './trunk.js';
import { alexnet, alexnetBatchNorm } from './trunks/alexnet.js';
import { caffenet } from './trunks/caffenet.js';
import { resnet18, resnet18Cifar, resnet50, resnet50Cifar } from './trunks/resnet.js';
import { small, smallDouble, smallHalf } from './trunks/small.js';
import { vgg16 } from './trunks/vgg16.js';

/** Every architecture by its name. */
export const architectures: Readonly<Record<string, Architecture>> = {
  small,
  'small-half': smallHalf,
  'small-double': smallDouble,
  caffenet,
  alexnet,
  'alexnet-bn': alexnetBatchNorm,
  vgg16,
  resnet18,
  'resnet18-cifar': resnet18Cifar,
  resnet50,
  'resnet50-cifar': resnet50Cifar,
};

/** A step of the forward pass: a layer with the prefix of its parameters, or a place to read at. */
type Step = { readonly module: Module; readonly prefix: string } | { readonly tap: Layer };

const findArchitecture = (name: string): Architecture => {
  const found = Object.hasOwn(architectures, name) ? architectures[name] : undefined;
  if (found) return found;
  throw new UsageError(
    `Expected \`architecture\` to be one of ${Object.keys(architectures).join(', ')}, got \`${name}\``,
  );
};

/** Reads the table from top to bottom: shapes follow from the input size, names from PyTorch's numbering. */
function layOut({ inputSize, features, fc }: Architecture): Step[] {
  const steps: Step[] = [];
  let shape: Shape = [inputSize, inputSize, 3];
  let [stride, offset] = [1, 0.5];
  for (const [part, rows] of Object.entries({ features, fc })) {
    let number = 0;
    for (const row of rows) {
      if ('tap' in row) {
        const channels = shape.at(-1)!;
        const tap: Layer =
          shape.length === 3
            ? { name: row.tap, height: shape[0], width: shape[1], channels, stride, offset }
            : { name: row.tap, channels };
        steps.push({ tap });
        continue;
      }
      const module = row.build(shape);
      shape = module.output;
      if (module.window) {
        offset += ((module.window.size - 1) / 2 - module.window.pad) * stride;
        stride *= module.window.stride;
      }
      steps.push({ module, prefix: row.name ?? `${part}.${row.torch ? number++ : ''}` });
    }
  }
  return steps;
}

const parametersOfSteps = (steps: readonly Step[]): ParameterSpec[] =>
  steps.flatMap((step) =>
    'tap' in step ? [] : step.module.parameters.map((spec) => ({ ...spec, name: `${step.prefix}.${spec.name}` })),
  );

/** Every array of an architecture, in the order of its layers: names, shapes, layouts, and how each learns. */
export const parametersOf = (architecture: string): ParameterSpec[] =>
  parametersOfSteps(layOut(findArchitecture(architecture)));

/** What an architecture computes, in order: operations with the prefixes of their arrays, and the places to read at. */
export const operationsOf = (architecture: string): readonly (NamedOperation | { readonly tap: Layer })[] =>
  layOut(findArchitecture(architecture)).map((step) =>
    'tap' in step ? step : { prefix: step.prefix, operation: step.module.operation },
  );

/** How a network is built: where its first values come from, and how its images are normalised. */
export type TrunkOptions = {
  readonly random: RandomStream;
  /** First values by name, where they are not to be drawn: those of another network of the architecture. */
  readonly values?: ReadonlyMap<string, Variable>;
  /** @default the architecture's own */
  readonly mean?: readonly [number, number, number];
  /** @default the architecture's own */
  readonly std?: readonly [number, number, number];
};

/**
 * Builds a network of {@link architectures} with random weights.
 *
 * @throws UsageError if there is no such architecture
 */
export function buildTrunk(architecture: string, { random, values, mean, std }: TrunkOptions): Trunk {
  const table = findArchitecture(architecture);
  const steps = layOut(table);
  const variables = new Map<string, Variable>();
  const buffers = new Map<string, Variable>();
  for (const spec of parametersOfSteps(steps)) {
    const variable = tf.tidy(() => {
      const first = values?.get(spec.name)?.clone() ?? tf.tensor(drawInitial(spec, random), [...spec.shape], 'float32');
      return tf.variable(first, spec.trainable);
    });
    (spec.trainable ? variables : buffers).set(spec.name, variable);
  }
  const layers = steps.flatMap((step) => ('tap' in step ? [step.tap] : []));

  const features: Trunk['features'] = (images, names, mode) => {
    for (const name of names) {
      if (layers.some((layer) => layer.name === name)) continue;
      throw new Error(`Expected a layer of ${architecture} (${layers.map((l) => l.name).join(', ')}), got \`${name}\``);
    }
    return tf.tidy(() => {
      const found: Record<string, Tensor> = {};
      let missing = new Set(names).size;
      let x: Tensor = images;
      for (const step of steps) {
        if (missing === 0) break;
        if ('tap' in step) {
          if (!names.includes(step.tap.name)) continue;
          found[step.tap.name] = x;
          missing--;
          continue;
        }
        const { module, prefix } = step;
        const value = (name: string): Variable =>
          variables.get(`${prefix}.${name}`) ?? buffers.get(`${prefix}.${name}`)!;
        const y = tf.tidy(() => module.apply(x, { mode, value }));
        // Whatever the backward pass needs of it is kept by the ops that need it.
        if (x !== images && !Object.values(found).includes(x)) x.dispose();
        x = y;
      }
      return found;
    });
  };

  return {
    architecture,
    inputSize: table.inputSize,
    mean: mean ?? table.mean,
    std: std ?? table.std,
    layers,
    variables,
    buffers,
    features,
    embed: (images, mode) => features(images as Tensor4D, ['embedding'], mode)['embedding'] as Tensor2D,
    dispose: () => {
      for (const variable of [...variables.values(), ...buffers.values()]) variable.dispose();
    },
  };
}
