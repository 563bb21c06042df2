import type { StoredTensor } from '../safetensors.js';
import { elementTypes, type AttributeValue, type OnnxNode, type OnnxTensor } from './onnx-proto.js';

/** A graph of ONNX as it grows, node by node. Values go by their names. */
export type GraphBuilder = {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxTensor[];
  /** Adds a node with one output, and gives the output's name: `name`, with a number behind it where that is taken. */
  node(
    opType: string,
    name: string,
    input: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
  ): string;
  /** Adds one of the network's arrays under its own name, once, and gives that name. */
  weight(name: string): string;
  /** Adds a constant, and gives its name. */
  constant(name: string, dims: readonly number[], values: Float32Array | BigInt64Array): string;
};

/** An empty graph over the arrays of a network, in PyTorch's layout (which is ONNX's). */
export const graphBuilder = (weights: ReadonlyMap<string, StoredTensor>): GraphBuilder => {
  const nodes: OnnxNode[] = [];
  const uses = new Map<string, number>();
  const constants = new Map<string, OnnxTensor>();
  const constant: GraphBuilder['constant'] = (name, dims, values) => {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const dataType = values instanceof Float32Array ? elementTypes.float32 : elementTypes.int64;
    constants.set(name, { name, dims, dataType, rawData });
    return name;
  };
  return {
    nodes,
    get constants() {
      return [...constants.values()];
    },
    node: (opType, name, input, attributes = {}) => {
      const before = uses.get(name) ?? 0;
      uses.set(name, before + 1);
      const own = before === 0 ? name : `${name}_${before}`;
      nodes.push({ opType, name: own, input, output: [own], attributes });
      return own;
    },
    weight: (name) => {
      const stored = weights.get(name);
      if (!(stored?.data instanceof Float32Array)) throw new Error(`Expected the array \`${name}\` in the weights`);
      return constant(name, stored.shape, stored.data);
    },
    constant,
  };
};
