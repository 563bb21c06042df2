import protobuf from 'protobufjs/light.js';

/** Types of elements by ONNX's numbers. */
export const elementTypes = { float32: 1, int64: 7 } as const;

/** Types of attributes by ONNX's numbers. */
export const attributeTypes = { float: 1, int: 2, string: 3, floats: 6, ints: 7 } as const;

/** An attribute of a node: a whole number, whole numbers, or one that is marked as a fraction (2 and 2.0 differ in ONNX). */
export type AttributeValue = number | readonly number[] | { readonly float: number };

/** A constant of a graph, little-endian in `rawData`. */
export type OnnxTensor = {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData: Uint8Array;
};

/** An operation of a graph. */
export type OnnxNode = {
  readonly opType: string;
  readonly name: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
};

/** An input or output: float32, each axis a length or the name of one that varies. */
export type OnnxValue = { readonly name: string; readonly shape: readonly (number | string)[] };

/** What an ONNX file holds, as far as files are written here. */
export type OnnxModel = {
  readonly irVersion: number;
  readonly opset: number;
  readonly producer: string;
  readonly doc: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: {
    readonly name: string;
    readonly nodes: readonly OnnxNode[];
    readonly constants: readonly OnnxTensor[];
    readonly inputs: readonly OnnxValue[];
    readonly outputs: readonly OnnxValue[];
  };
};

type Field = readonly [type: string, id: number, rule?: 'repeated'];

const message = (fields: Readonly<Record<string, Field>>, oneofs?: Record<string, { oneof: string[] }>) => ({
  fields: Object.fromEntries(
    Object.entries(fields).map(([name, [type, id, rule]]) => [
      name,
      // A proto2 schema: repeated numbers are not packed, as the schema of ONNX has them.
      { type, id, ...(rule ? { rule, options: { packed: false } } : {}) },
    ]),
  ),
  ...(oneofs ? { oneofs } : {}),
});

/** The messages of onnx.proto with the fields that are used here, by their numbers there. */
const schema = protobuf.Root.fromJSON({
  nested: {
    Attribute: message({
      name: ['string', 1],
      f: ['float', 2],
      i: ['int64', 3],
      ints: ['int64', 8, 'repeated'],
      type: ['int32', 20],
    }),
    Node: message({
      input: ['string', 1, 'repeated'],
      output: ['string', 2, 'repeated'],
      name: ['string', 3],
      opType: ['string', 4],
      attribute: ['Attribute', 5, 'repeated'],
    }),
    Tensor: message({
      dims: ['int64', 1, 'repeated'],
      dataType: ['int32', 2],
      name: ['string', 8],
      rawData: ['bytes', 9],
    }),
    Dimension: message({ dimValue: ['int64', 1], dimParam: ['string', 2] }),
    TensorShape: message({ dim: ['Dimension', 1, 'repeated'] }),
    TensorType: message({ elemType: ['int32', 1], shape: ['TensorShape', 2] }),
    Type: message({ tensorType: ['TensorType', 1] }),
    ValueInfo: message({ name: ['string', 1], type: ['Type', 2] }),
    Graph: message({
      node: ['Node', 1, 'repeated'],
      name: ['string', 2],
      initializer: ['Tensor', 5, 'repeated'],
      input: ['ValueInfo', 11, 'repeated'],
      output: ['ValueInfo', 12, 'repeated'],
    }),
    OperatorSet: message({ domain: ['string', 1], version: ['int64', 2] }),
    Entry: message({ key: ['string', 1], value: ['string', 2] }),
    Model: message({
      irVersion: ['int64', 1],
      producerName: ['string', 2],
      docString: ['string', 6],
      graph: ['Graph', 7],
      opsetImport: ['OperatorSet', 8, 'repeated'],
      metadataProps: ['Entry', 14, 'repeated'],
    }),
  },
});

const model = schema.lookupType('Model');

const attributeOf = ([name, value]: readonly [string, AttributeValue]) => {
  if (typeof value === 'number') return { name, i: value, type: attributeTypes.int };
  if ('float' in value) return { name, f: value.float, type: attributeTypes.float };
  return { name, ints: value, type: attributeTypes.ints };
};

const valueOf = ({ name, shape }: OnnxValue) => ({
  name,
  type: {
    tensorType: {
      elemType: elementTypes.float32,
      shape: { dim: shape.map((axis) => (typeof axis === 'string' ? { dimParam: axis } : { dimValue: axis })) },
    },
  },
});

/** Most bytes of a message of protocol buffers, and so of an ONNX file with its weights inside. */
export const onnxLimitBytes = 2 ** 31 - 1;

/**
 * The bytes of an ONNX file.
 *
 * @throws RangeError where constants and graph would not fit into one message of 2 GB
 */
export const encodeOnnx = ({ irVersion, opset, producer, doc, metadata, graph }: OnnxModel): Uint8Array => {
  const bytes = graph.constants.reduce((sum, { rawData }) => sum + rawData.byteLength, 0);
  // Names and nodes take some kilobytes beside the constants.
  if (bytes > onnxLimitBytes - 2 ** 20) {
    throw new RangeError(
      `Expected weights of less than 2 GB (the limit of a file of ONNX in one piece), got ${(bytes / 1e9).toFixed(2)} GB: name fewer layers`,
    );
  }
  return model
    .encode({
      irVersion,
      producerName: producer,
      docString: doc,
      graph: {
        name: graph.name,
        node: graph.nodes.map(({ attributes, ...node }) => ({
          ...node,
          attribute: Object.entries(attributes).map(attributeOf),
        })),
        initializer: graph.constants,
        input: graph.inputs.map(valueOf),
        output: graph.outputs.map(valueOf),
      },
      opsetImport: [{ domain: '', version: opset }],
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    })
    .finish();
};
