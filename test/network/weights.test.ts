import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { fromTorch, toTorch, torchShape, type ParameterSpec } from '../../src/network/parameters.js';
import { decodeSafetensors, type StoredTensor } from '../../src/network/safetensors.js';
import { hashTrunk, loadTrunk, loadWeights, modelFiles, saveTrunk, weightsOf } from '../../src/network/weights.js';
import type { Trunk } from '../../src/network/trunk.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';

const spec = (shape: number[], layout: ParameterSpec['layout']): ParameterSpec => ({
  name: 'weight',
  shape,
  layout,
  init: { constant: 0 },
  trainable: true,
  rate: 1,
  decay: 1,
});

const counting = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i);

describe('layout on disk', () => {
  it('turns a filter from [height, width, in, out] to [out, in, height, width]', () => {
    const filter = spec([2, 3, 4, 5], { kind: 'conv' });
    assert.deepEqual(torchShape(filter), [5, 4, 2, 3]);
    const torch = toTorch(filter, counting(120));
    for (const [h, w, i, o] of [
      [0, 0, 0, 0],
      [1, 2, 3, 4],
      [1, 0, 2, 3],
      [0, 2, 1, 4],
    ] as const) {
      assert.equal(torch[((o * 4 + i) * 2 + h) * 3 + w], ((h * 3 + w) * 4 + i) * 5 + o);
    }
    assert.deepEqual(fromTorch(filter, torch), counting(120));
  });

  it('transposes a dense layer', () => {
    assert.deepEqual(toTorch(spec([2, 3], { kind: 'linear' }), counting(6)), Float32Array.of(0, 3, 1, 4, 2, 5));
  });

  it('reorders a dense layer behind a map, which PyTorch flattens channel first', () => {
    const dense = spec([2 * 3 * 4, 5], { kind: 'flattened', map: [2, 3, 4] });
    const torch = toTorch(dense, counting(120));
    for (const [h, w, c, o] of [
      [1, 2, 3, 4],
      [0, 1, 2, 0],
      [1, 0, 3, 2],
    ] as const) {
      assert.equal(torch[o * 24 + (c * 2 + h) * 3 + w], ((h * 3 + w) * 4 + c) * 5 + o);
    }
    assert.deepEqual(fromTorch(dense, torch), counting(120));
  });
});

describe('weights on disk', () => {
  let dir: string;
  let trunk: Trunk;
  before(async () => {
    await openRuntime({ threads: 1 });
    dir = await mkdtemp(path.join(tmpdir(), 'weights-'));
    trunk = buildTrunk('small', { random: RandomStream.of(1) });
  });
  after(() => rm(dir, { recursive: true, force: true }));

  it('come back exactly, with the description and the hash of the file', async () => {
    const folder = path.join(dir, 'model');
    const { sha256 } = await saveTrunk(folder, trunk, { method: 'random' });
    const bytes = await readFile(path.join(folder, modelFiles.weights));
    assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256);
    assert.equal(hashTrunk(trunk), sha256);
    const { trunk: loaded, description } = await loadTrunk(folder);
    assert.equal(hashTrunk(loaded), sha256);
    assert.deepEqual(description.how, { method: 'random' });
    assert.equal(loaded.inputSize, 96);
    loaded.dispose();
  });

  it("carry PyTorch's names and shapes", async () => {
    const folder = path.join(dir, 'names');
    await saveTrunk(folder, trunk, null);
    const { tensors } = decodeSafetensors(await readFile(path.join(folder, modelFiles.weights)));
    assert.deepEqual(tensors.get('features.0.weight')!.shape, [48, 3, 9, 9]);
    assert.deepEqual(tensors.get('features.1.running_var')!.shape, [48]);
    assert.deepEqual(tensors.get('features.14.weight')!.shape, [128, 192, 3, 3]);
    assert.deepEqual(tensors.get('fc.0.weight')!.shape, [512, 1152]);
    assert.deepEqual(tensors.get('fc.2.weight')!.shape, [256, 512]);
    assert.equal(tensors.size, 5 * 5 + 4);
  });

  it('that were changed on disk are refused by their hash', async () => {
    const folder = path.join(dir, 'changed');
    await saveTrunk(folder, trunk, null);
    const file = path.join(folder, modelFiles.weights);
    const bytes = await readFile(file);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(file, bytes);
    await assert.rejects(loadTrunk(folder), /model\.json names .*: one of them was changed/);
  });

  it('that do not fit are all listed, and nothing is loaded', () => {
    const before = hashTrunk(trunk);
    const tensors = new Map<string, StoredTensor>(
      [...weightsOf(trunk)].map(([name, { shape, data }]) => [
        name,
        { shape, data: data.map((v) => v + 1) as Float32Array },
      ]),
    );
    tensors.delete('fc.2.bias');
    tensors.set('head.weight', { shape: [1], data: Float32Array.of(1) });
    tensors.set('features.1.bias', { shape: [24, 2], data: new Float32Array(48) });
    assert.throws(
      () => loadWeights(trunk, tensors),
      (error: Error) => {
        for (const line of [
          'fc.2.bias: missing',
          'head.weight: unknown to small',
          'features.1.bias: shape [24, 2], expected [48]',
        ]) {
          assert.ok(error.message.includes(line), error.message);
        }
        return true;
      },
    );
    assert.equal(hashTrunk(trunk), before);
    assert.throws(() => loadWeights(trunk, tensors, { except: ['fc.2.bias', 'head.weight'] }), /\(1 arrays/);

    const other = buildTrunk('small', { random: RandomStream.of(2) });
    const bias = other.variables.get('features.1.bias')!.dataSync().slice();
    loadWeights(other, tensors, { except: ['fc.2.bias', 'head.weight', 'features.1.bias'] });
    assert.deepEqual(other.variables.get('features.1.bias')!.dataSync(), bias);
    assert.deepEqual(weightsOf(other).get('fc.0.bias'), tensors.get('fc.0.bias'));
    other.dispose();
  });

  it("may hold PyTorch's batch counters, which are passed over", () => {
    const tensors = weightsOf(trunk);
    tensors.set('features.1.num_batches_tracked', { shape: [], data: Int32Array.of(7) });
    loadWeights(trunk, tensors);
  });
});
