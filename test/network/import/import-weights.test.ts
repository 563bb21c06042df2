import assert from 'node:assert/strict';
import { parametersOf } from '../../../src/network/build-trunk.js';
import { importWeights } from '../../../src/network/import/import-weights.js';
import { torchShape } from '../../../src/network/parameters.js';
import type { StoredTensor } from '../../../src/network/safetensors.js';

const filled = (shape: readonly number[], value = 0.5): StoredTensor => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});

/** The arrays of an architecture, the dense layers by other names and shapes, as torchvision has them. */
const like = (
  architecture: string,
  dense: Record<string, readonly number[]>,
  own: RegExp,
): Map<string, StoredTensor> => {
  const tensors = new Map<string, StoredTensor>();
  for (const spec of parametersOf(architecture)) {
    if (own.test(spec.name)) continue;
    tensors.set(spec.name, filled(torchShape(spec)));
    if (spec.name.endsWith('running_var')) {
      tensors.set(spec.name.replace('running_var', 'num_batches_tracked'), { shape: [], data: Int32Array.of(3) });
    }
  }
  for (const [name, shape] of Object.entries(dense)) tensors.set(name, filled(shape));
  return tensors;
};

const resnet = (): Map<string, StoredTensor> =>
  like('resnet18', { 'fc.weight': [1000, 512], 'fc.bias': [1000] }, /^fc\./);

describe('weights of torchvision', () => {
  it('of a residual network: all is taken but the classifier and the counters, and the embedding is drawn', () => {
    const { tensors, taken, leftOut, drawn } = importWeights('resnet18', resnet());
    assert.deepEqual(
      [...tensors.keys()].sort(),
      parametersOf('resnet18')
        .map(({ name }) => name)
        .sort(),
    );
    assert.deepEqual(drawn, ['fc.weight', 'fc.bias']);
    assert.equal(leftOut['fc.weight'], 'the classifier');
    assert.equal(leftOut['bn1.num_batches_tracked'], 'a counter of batches');
    assert.equal(taken.length + Object.keys(leftOut).length, resnet().size);
    assert.deepEqual(tensors.get('fc.weight')!.shape, [128, 512]);
    assert.ok(tensors.get('fc.weight')!.data.some((value) => value !== 0.5 && value !== 0));
    assert.deepEqual(tensors.get('fc.weight'), importWeights('resnet18', resnet()).tensors.get('fc.weight'));
  });

  it('of AlexNet: dense layers go by the numbers that count dropout', () => {
    const dense = {
      'classifier.1.weight': [4096, 9216],
      'classifier.1.bias': [4096],
      'classifier.4.weight': [4096, 4096],
      'classifier.4.bias': [4096],
      'classifier.6.weight': [1000, 4096],
      'classifier.6.bias': [1000],
    };
    const file = like('alexnet', dense, /^fc\./);
    const { tensors, leftOut, drawn } = importWeights('alexnet', file);
    assert.equal(tensors.get('fc.0.weight'), file.get('classifier.1.weight'));
    assert.deepEqual(drawn, ['fc.2.weight', 'fc.2.bias']);
    assert.match(leftOut['classifier.4.weight']!, /fc7/);
    assert.match(leftOut['classifier.6.bias']!, /classifier/);
  });

  it('keep an embedding that fits, whole', () => {
    const file = resnet();
    file.set('fc.weight', filled([128, 512], 0.25)).set('fc.bias', filled([128], 0.25));
    const { tensors, drawn } = importWeights('resnet18', file);
    assert.deepEqual(drawn, []);
    assert.equal(tensors.get('fc.weight'), file.get('fc.weight'));
    file.delete('fc.bias');
    assert.throws(() => importWeights('resnet18', file), /\(1 of them\):\n {2}fc\.bias: missing$/);
  });

  it('that do not fit are all listed', () => {
    const file = resnet();
    file
      .set('extra.weight', filled([1]))
      .set('bn1.bias', filled([65]))
      .delete('layer1.0.bn1.weight');
    file.set('layer2.0.bn1.weight', filled([128], NaN)).set('bn1.running_var', filled([64], -1));
    file.set('lost.num_batches_tracked', { shape: [], data: Int32Array.of(1) });
    assert.throws(
      () => importWeights('resnet18', file),
      (error: Error) => {
        for (const line of [
          'extra.weight: unknown to resnet18',
          'bn1.bias: shape [65], expected [64]',
          'layer1.0.bn1.weight: missing',
          'layer2.0.bn1.weight: value 0 is NaN',
          'bn1.running_var: value 0 is -1, expected a variance',
          'lost.num_batches_tracked: unknown',
        ]) {
          assert.ok(error.message.includes(line), error.message);
        }
        assert.doesNotMatch(error.message, /bn1\.bias: missing/);
        return true;
      },
    );
  });

  it('of another network are refused', () => {
    assert.throws(() => importWeights('resnet50', resnet()), /arrays are not those of resnet50/);
    assert.throws(() => importWeights('small', resnet()), /arrays are not those of small/);
  });

  it('of our own trunks are taken by our names, without exception', () => {
    const file = like('small-half', {}, /^$/);
    assert.deepEqual(importWeights('small-half', file).drawn, []);
    file.delete('fc.2.weight');
    assert.throws(() => importWeights('small-half', file), /fc\.2\.weight: missing/);
  });
});
