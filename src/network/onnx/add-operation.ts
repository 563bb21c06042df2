import type { Window } from '../layers.js';
import type { NamedOperation } from '../operation.js';
import type { GraphBuilder } from './graph-builder.js';

const windowOf = ({ size, stride, pad }: Window) => ({
  kernel_shape: [size, size],
  strides: [stride, stride],
  pads: [pad, pad, pad, pad],
});

/**
 * Adds what one layer computes to a graph, on images `[batch, channels, height, width]`, as it computes with frozen weights. `name`
 * is the prefix of its arrays in the whole network; nodes and their outputs are named after it.
 *
 * @returns the name of its output
 */
export const addOperation = (graph: GraphBuilder, { prefix: name, operation }: NamedOperation, x: string): string => {
  const weight = (own: string): string => graph.weight(`${name}.${own}`);
  const node = (opType: string, input: readonly string[], attributes = {}): string =>
    graph.node(opType, `${name}/${opType}`, input, attributes);
  switch (operation.kind) {
    case 'conv': {
      const { window, groups, bias } = operation;
      return node('Conv', [x, weight('weight'), ...(bias ? [weight('bias')] : [])], {
        ...windowOf(window),
        group: groups,
      });
    }
    case 'batchNorm':
      return node('BatchNormalization', [x, ...['weight', 'bias', 'running_mean', 'running_var'].map(weight)], {
        epsilon: { float: operation.epsilon },
      });
    case 'relu':
      return node('Relu', [x]);
    case 'maxPool':
      return node('MaxPool', [x], windowOf(operation.window));
    case 'globalAveragePool':
      return node('GlobalAveragePool', [x]);
    case 'lrn': {
      const { size, alpha, beta, k } = operation;
      return node('LRN', [x], { size, alpha: { float: alpha }, beta: { float: beta }, bias: { float: k } });
    }
    case 'reverseChannels': {
      const order = graph.constant(`${name}/order`, [3], BigInt64Array.of(2n, 1n, 0n));
      return node('Gather', [x, order], { axis: 1 });
    }
    case 'flatten':
      return node('Flatten', [x], { axis: 1 });
    case 'linear':
      return node('Gemm', [x, weight('weight'), weight('bias')], { transB: 1 });
    case 'l2': {
      const epsilon = graph.constant(`${name}/epsilon`, [], Float32Array.of(operation.epsilon));
      const squares = node('ReduceSumSquare', [x], { axes: [1], keepdims: 1 });
      return node('Div', [x, node('Sqrt', [node('Add', [squares, epsilon])])]);
    }
    case 'residual': {
      const chain = (parts: readonly NamedOperation[]): string =>
        parts.reduce(
          (y, { prefix, operation: part }) => addOperation(graph, { prefix: `${name}.${prefix}`, operation: part }, y),
          x,
        );
      const inner = chain(operation.inner);
      const sum = node('Add', [inner, operation.shortcut ? chain(operation.shortcut) : x]);
      return node('Relu', [sum]);
    }
  }
};
