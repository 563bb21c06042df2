import { operationsOf } from '../build-trunk.js';
import type { Layer } from '../trunk.js';
import type { StoredModel } from '../weights.js';
import { addOperation } from './add-operation.js';
import { graphBuilder } from './graph-builder.js';
import { encodeOnnx, type OnnxValue } from './onnx-proto.js';

/** The name of the only input: images `[batch, 3, inputSize, inputSize]`, RGB, `(pixel / 255 - mean) / std`. */
export const onnxInput = 'images';

/** Version of the operators that are written: ONNX 1.12 of 2022, which every runtime since then reads. */
const opset = 17;
const irVersion = 8;

/** A layer as an output in ONNX's order of axes, the batch of any length. */
const outputOf = ({ name, height, width, channels }: Layer): OnnxValue => ({
  name,
  shape: height === undefined ? ['batch', channels] : ['batch', channels, height, width!],
});

/**
 * A network as an ONNX file: frozen (batch norm by its running statistics), with an output a layer asked for, maps as
 * `[batch, channels, height, width]`. Images come in as PyTorch's models want them: normalised outside, by the mean and deviation that
 * stand in the metadata (`mean`, `std`, of RGB scaled to 0-1) beside `architecture`, `input_size`, `layers` and the `sha256` of the
 * weights. What lies behind the last layer asked for is left out. Arrays keep PyTorch's names. Equal weights give equal bytes.
 *
 * @throws RangeError for a layer that the architecture does not have, for none, and for weights of 2 GB and more
 */
export const exportOnnx = ({ description, tensors }: StoredModel, layers: readonly string[]): Uint8Array => {
  const { architecture, inputSize, mean, std, sha256 } = description;
  const steps = operationsOf(architecture);
  const known = steps.flatMap((step) => ('tap' in step ? [step.tap] : []));
  const unknown = layers.find((name) => !known.some((layer) => layer.name === name));
  if (unknown !== undefined || layers.length === 0) {
    throw new RangeError(
      `Expected layers of ${architecture} (${known.map(({ name }) => name).join(', ')}), got ${unknown === undefined ? 'none' : `\`${unknown}\``}`,
    );
  }
  const graph = graphBuilder(tensors);
  const outputs: OnnxValue[] = [];
  let x = onnxInput;
  for (const step of steps) {
    if (!('tap' in step)) {
      x = addOperation(graph, step, x);
      continue;
    }
    if (!layers.includes(step.tap.name)) continue;
    graph.node('Identity', step.tap.name, [x]);
    outputs.push(outputOf(step.tap));
    if (outputs.length === new Set(layers).size) break;
  }
  return encodeOnnx({
    ...{ irVersion, opset, producer: 'video-ssl' },
    doc: `${architecture}, frozen. Input: RGB, (pixel / 255 - mean) / std with mean ${mean.join(', ')} and std ${std.join(', ')}.`,
    metadata: {
      architecture,
      input_size: String(inputSize),
      channel_order: 'RGB',
      mean: JSON.stringify(mean),
      std: JSON.stringify(std),
      layers: outputs.map(({ name }) => name).join(','),
      sha256,
    },
    graph: {
      name: architecture,
      nodes: graph.nodes,
      constants: graph.constants,
      inputs: [{ name: onnxInput, shape: ['batch', 3, inputSize, inputSize] }],
      outputs,
    },
  });
};
