import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { exportOnnx } from '../../../src/network/onnx/export-onnx.js';
import { encodeOnnx } from '../../../src/network/onnx/onnx-proto.js';
import type { Trunk } from '../../../src/network/trunk.js';
import { readModel, saveTrunk, type StoredModel } from '../../../src/network/weights.js';
import { openRuntime } from '../../../src/runtime/open.js';
import {
  channelsFirst,
  featuresOf,
  networkAtRandom,
  noiseImages,
  relativeDifference,
} from '../fixtures/network-at-random.js';

describe('a network as ONNX', () => {
  let dir: string;
  before(async () => {
    await openRuntime({ threads: 1 });
    dir = await mkdtemp(path.join(tmpdir(), 'onnx-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const stored = async (trunk: Trunk): Promise<StoredModel> => {
    const folder = path.join(dir, trunk.architecture);
    await saveTrunk(folder, trunk, null);
    return readModel(folder);
  };
  const storedSmall = async (): Promise<StoredModel> => {
    const trunk = networkAtRandom('small');
    const model = await stored(trunk);
    trunk.dispose();
    return model;
  };

  const check = async (architecture: string, layers: readonly string[], count = 3): Promise<void> => {
    const trunk = networkAtRandom(architecture);
    const images = noiseImages(count, trunk.inputSize);
    const ours = featuresOf(trunk, images, layers);
    const session = await ort.InferenceSession.create(exportOnnx(await stored(trunk), layers));
    const side = trunk.inputSize;
    const input = new ort.Tensor('float32', channelsFirst(images, 3, side * side), [count, 3, side, side]);
    const theirs = await session.run({ images: input });
    assert.deepEqual(Object.keys(theirs).sort(), [...layers].sort());
    for (const layer of layers) {
      const { height = 1, width = 1, channels } = trunk.layers.find(({ name }) => name === layer)!;
      const { dims, data } = theirs[layer]!;
      assert.deepEqual([...dims].slice(0, 2), [count, channels]);
      const difference = relativeDifference(
        data as Float32Array,
        channelsFirst(ours.get(layer)!, channels, height * width),
      );
      assert.ok(difference < 1e-5, `${architecture} ${layer}: ${difference}`);
    }
    trunk.dispose();
    await session.release();
  };

  it('gives the features of `small` in onnxruntime, at every layer', () =>
    check('small', ['conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'pool5', 'fc', 'embedding']));

  it('gives those of a residual network with its shortcuts', () =>
    check('resnet18-cifar', ['conv1', 'conv3', 'conv5', 'fc', 'embedding'], 2));

  it('leaves out what lies behind the last layer asked for, and says in its metadata how images are normalised', async () => {
    const model = await storedSmall();
    const [whole, part] = [exportOnnx(model, ['embedding']), exportOnnx(model, ['conv2'])];
    assert.ok(part.length < (48 * 3 * 81 + 128 * 48 * 9 + 2000) * 4);
    assert.ok(whole.length > 1.56e6 * 4);
    const text = Buffer.from(part).toString('latin1');
    for (const entry of ['[0.485,0.456,0.406]', '[0.229,0.224,0.225]', model.description.sha256, 'input_size']) {
      assert.ok(text.includes(entry), entry);
    }
    assert.deepEqual(exportOnnx(model, ['conv2']), part);
  });

  it('refuses layers that the network does not have, and none', async () => {
    const model = await storedSmall();
    assert.throws(() => exportOnnx(model, ['conv9']), /Expected layers of small \(conv1, .*embedding\), got `conv9`/);
    assert.throws(() => exportOnnx(model, []), /got none/);
  });

  it('refuses weights that one file of ONNX cannot hold', () => {
    // Only the length is looked at before it is refused.
    const rawData = { byteLength: 2 ** 30 } as Uint8Array;
    const constants = ['a', 'b', 'c'].map((name) => ({ name, dims: [2 ** 28], dataType: 1, rawData }));
    const graph = { name: 'large', nodes: [], constants, inputs: [], outputs: [] };
    assert.throws(
      () => encodeOnnx({ irVersion: 8, opset: 17, producer: '', doc: '', metadata: {}, graph }),
      /less than 2 GB .* got 3\.22 GB/,
    );
  });
});
