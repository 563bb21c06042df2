import { addMaps } from '../runtime/ops/add-maps.js';
import { tf } from '../runtime/tensors.js';
import { batchNorm, conv, relu, type BuildableRow, type LayerContext, type Module, type Shape } from './layers.js';
import type { NamedOperation } from './operation.js';
import type { ParameterSpec } from './parameters.js';

/** Layers one after another, each with its name in the block. */
type Chain = {
  readonly output: Shape;
  readonly parameters: readonly ParameterSpec[];
  readonly operations: readonly NamedOperation[];
  readonly apply: Module['apply'];
};

const rectify = relu();

const chain = (input: Shape, parts: readonly (readonly [name: string, row: BuildableRow])[]): Chain => {
  let shape = input;
  const steps = parts.map(([name, row]) => {
    const module = row.build(shape);
    shape = module.output;
    return { name, module };
  });
  return {
    output: shape,
    parameters: steps.flatMap(({ name, module }) =>
      module.parameters.map((spec) => ({ ...spec, name: `${name}.${spec.name}` })),
    ),
    operations: steps.map(({ name, module: { operation } }) => ({ prefix: name, operation })),
    apply: (x, { mode, value }) =>
      steps.reduce((y, { name, module }) => {
        const context: LayerContext = { mode, value: (own) => value(`${name}.${own}`) };
        const next = tf.tidy(() => module.apply(y, context));
        if (y !== x) y.dispose();
        return next;
      }, x),
  };
};

/** `N(0, 2 / fan-out)`, as the released ResNets begin (He et al. 2015, the backward case). */
const filters = (channels: number, size: number) => ({ std: Math.sqrt(2 / (size * size * channels)) });

const convolution = (channels: number, size: number, stride = 1): BuildableRow =>
  conv(channels, { size, stride, pad: (size - 1) / 2, init: filters(channels, size), bias: false });

/** `relu(residual(x) + x)`; where the residual changes the shape, x goes through a 1 x 1 convolution and batch norm of its own. */
const residual = (
  channels: number,
  stride: number,
  parts: readonly (readonly [name: string, row: BuildableRow])[],
): BuildableRow => ({
  torch: true,
  build: (input) => {
    const inner = chain(input, parts);
    const same = stride === 1 && input.at(-1) === channels;
    const shortcut = same
      ? undefined
      : chain(input, [
          ['downsample.0', convolution(channels, 1, stride)],
          ['downsample.1', batchNorm()],
        ]);
    return {
      output: inner.output,
      parameters: [...inner.parameters, ...(shortcut?.parameters ?? [])],
      operation: {
        kind: 'residual',
        inner: inner.operations,
        ...(shortcut ? { shortcut: shortcut.operations } : {}),
      },
      window: { size: 3, stride, pad: 1 },
      apply: (x, context) =>
        rectify.build(inner.output).apply(addMaps(inner.apply(x, context), shortcut?.apply(x, context) ?? x), context),
    };
  },
});

/** Two 3 x 3 convolutions (He et al. 2016, figure 5 left), the first with the stride. Parameters by torchvision's names. */
export const basicBlock = (channels: number, stride: number): BuildableRow =>
  residual(channels, stride, [
    ['conv1', convolution(channels, 3, stride)],
    ['bn1', batchNorm()],
    ['relu', rectify],
    ['conv2', convolution(channels, 3)],
    ['bn2', batchNorm()],
  ]);

/**
 * 1 x 1, 3 x 3 and 1 x 1 convolutions to `4 * width` channels (He et al. 2016, figure 5 right). The stride is in the 3 x 3 one, as
 * torchvision has it; the paper has it in the first 1 x 1. Parameters by torchvision's names.
 */
export const bottleneckBlock = (width: number, stride: number): BuildableRow =>
  residual(4 * width, stride, [
    ['conv1', convolution(width, 1)],
    ['bn1', batchNorm()],
    ['relu', rectify],
    ['conv2', convolution(width, 3, stride)],
    ['bn2', batchNorm()],
    ['relu', rectify],
    ['conv3', convolution(4 * width, 1)],
    ['bn3', batchNorm()],
  ]);

/** The convolution that a ResNet begins with. */
export const stemConvolution = (channels: number, size: number, stride: number): BuildableRow =>
  convolution(channels, size, stride);
