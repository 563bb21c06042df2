import assert from 'node:assert/strict';
import * as ort from 'onnxruntime-node';
import { addOperation } from '../../../src/network/onnx/add-operation.js';
import { graphBuilder } from '../../../src/network/onnx/graph-builder.js';
import { encodeOnnx } from '../../../src/network/onnx/onnx-proto.js';
import type { Operation } from '../../../src/network/operation.js';
import type { StoredTensor } from '../../../src/network/safetensors.js';
import { RandomStream } from '../../../src/numeric/random.js';

const normals = (length: number, name: string, scale = 1): Float32Array => {
  const random = RandomStream.of(3, name);
  return Float32Array.from({ length }, () => random.normal(0, scale));
};

/** What onnxruntime makes of one operation. */
const run = async (
  operation: Operation,
  x: Float32Array,
  dims: readonly number[],
  weights: Record<string, StoredTensor> = {},
): Promise<Float32Array> => {
  const graph = graphBuilder(new Map(Object.entries(weights).map(([name, stored]) => [`layer.${name}`, stored])));
  const output = addOperation(graph, { prefix: 'layer', operation }, 'x');
  const model = encodeOnnx({
    ...{ irVersion: 8, opset: 17, producer: 'test', doc: '', metadata: {} },
    graph: {
      name: 'one',
      nodes: graph.nodes,
      constants: graph.constants,
      inputs: [{ name: 'x', shape: dims.map((_, i) => `axis${i}`) }],
      outputs: [
        {
          name: output,
          shape: ['a', 'b', ...(['flatten', 'linear', 'l2'].includes(operation.kind) ? [] : ['c', 'd'])],
        },
      ],
    },
  });
  const session = await ort.InferenceSession.create(model);
  const found = await session.run({ x: new ort.Tensor('float32', x, [...dims]) });
  await session.release();
  return found[output]!.data as Float32Array;
};

const close = (found: Float32Array, expected: readonly number[], tolerance = 1e-5): void => {
  assert.equal(found.length, expected.length);
  expected.forEach((value, i) => assert.ok(Math.abs(found[i]! - value) < tolerance, `${i}: ${found[i]}, not ${value}`));
};

describe('an operation as ONNX', () => {
  it('normalises locally over five channels, alpha divided by five', async () => {
    const [channels, cells] = [7, 4];
    const x = normals(channels * cells, 'lrn', 100);
    const expected = [...x].map((value, i) => {
      const [channel, cell] = [Math.floor(i / cells), i % cells];
      let sum = 0;
      for (let c = Math.max(0, channel - 2); c <= Math.min(channels - 1, channel + 2); c++)
        sum += x[c * cells + cell]! ** 2;
      return value / (1 + (1e-4 / 5) * sum) ** 0.75;
    });
    const operation: Operation = { kind: 'lrn', size: 5, alpha: 1e-4, beta: 0.75, k: 1 };
    close(await run(operation, x, [1, channels, 2, 2]), expected, 1e-3);
  });

  it('reverses channels', async () => {
    close(await run({ kind: 'reverseChannels' }, Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3, 1, 1]), [3, 2, 1, 6, 5, 4]);
  });

  it('convolves in groups, with a stride, zeros around and a bias', async () => {
    const [side, inputs, outputs, groups, size] = [5, 4, 6, 2, 3];
    const x = normals(inputs * side * side, 'x');
    const weight = normals(outputs * (inputs / groups) * size * size, 'w');
    const bias = normals(outputs, 'b');
    const expected: number[] = [];
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor(o / (outputs / groups)) * (inputs / groups);
      for (let row = 0; row < 3; row++) {
        for (let column = 0; column < 3; column++) {
          let sum = bias[o]!;
          for (let i = 0; i < inputs / groups; i++) {
            for (let dy = 0; dy < size; dy++) {
              for (let dx = 0; dx < size; dx++) {
                const [y, z] = [2 * row + dy - 1, 2 * column + dx - 1];
                if (y < 0 || z < 0 || y >= side || z >= side) continue;
                const value = x[(first + i) * side * side + y * side + z]!;
                sum += value * weight[((o * (inputs / groups) + i) * size + dy) * size + dx]!;
              }
            }
          }
          expected.push(sum);
        }
      }
    }
    const operation: Operation = { kind: 'conv', window: { size, stride: 2, pad: 1 }, groups, bias: true };
    const weights = {
      weight: { shape: [outputs, inputs / groups, size, size], data: weight },
      bias: { shape: [outputs], data: bias },
    };
    close(await run(operation, x, [1, inputs, side, side], weights), expected);
  });

  it('takes the largest of a window, for which the border is not zero', async () => {
    const operation: Operation = { kind: 'maxPool', window: { size: 3, stride: 2, pad: 1 } };
    close(await run(operation, Float32Array.of(-9, -8, -7, -6, -5, -4, -3, -2, -1), [1, 1, 3, 3]), [-5, -4, -2, -1]);
  });

  it('makes rows of length 1 by the constant under the root', async () => {
    const x = Float32Array.of(3, 4, 0, 0, 1e-3, 0);
    const lengths = [25, 1e-6].map((sum) => Math.sqrt(sum + 1e-6));
    const expected = [...x].map((value, i) => (i < 3 ? value / lengths[0]! : value / lengths[1]!));
    close(await run({ kind: 'l2', epsilon: 1e-6 }, x, [2, 3]), expected);
  });

  it('adds a block to what came in, and gives parts of one name names of their own', async () => {
    const relu = { prefix: 'relu', operation: { kind: 'relu' } } as const;
    const x = Float32Array.of(-1, 2, -3, 4);
    close(await run({ kind: 'residual', inner: [relu, relu] }, x, [1, 4, 1, 1]), [0, 4, 0, 8]);
  });
});
