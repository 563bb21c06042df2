import assert from 'node:assert/strict';
import { pretrainParams, type PretrainParams } from '../../pipelines/benchmark/params.js';
import { sharedParams } from '../../pipelines/benchmark/stages/pretrain.js';
import { bufferOf } from '../../pipelines/benchmark/training-memory.js';
import type { StageOutput } from '../../src/pipeline/stage.js';

const MiB = 2 ** 20;

/** What `pack` left: pixels of so many bytes. */
const packed = (bytes: number, cachePx = 128): StageOutput =>
  ({
    stage: 'pack',
    params: { cachePx },
    items: [],
    artefacts: [{ name: 'pairs.pixels.bin', path: '/x', bytes, sha256: '' }],
  }) as unknown as StageOutput;

const paramsOf = (params: object): PretrainParams => pretrainParams.parse(params) as unknown as PretrainParams;

describe('The memory of a training', () => {
  it('counts in what the training is where it decides the order of the samples, and nowhere else', () => {
    const buffer = (bytes: number, params: object) => bufferOf(packed(bytes), 'pairs', paramsOf(params));
    assert.equal(buffer(4096 * MiB, {}), undefined);
    assert.deepEqual(buffer(4096 * MiB + 1, {}), { bufferMb: 4096 });
    assert.deepEqual(buffer(101 * MiB, { memoryMb: 100 }), { bufferMb: 100 });
    assert.equal(buffer(99 * MiB, { memoryMb: 100 }), undefined);
    assert.equal(buffer(101 * MiB, { memoryMb: 100, shuffle: 'uniform' }), undefined);
    assert.deepEqual(sharedParams(paramsOf({ memoryMb: 100, shuffle: 'uniform' })), sharedParams(paramsOf({})));
  });

  it('must hold some samples, which is said before anything is trained', () => {
    assert.throws(() => bufferOf(packed(4096 * MiB, 1024), 'pairs', paramsOf({ memoryMb: 64 })), {
      name: 'UsageError',
      message: /Expected `pretrain.memoryMb` to be at least 192 for pictures of 1024 x 1024 px, got `64`/,
    });
    assert.throws(() => bufferOf(packed(1), 'images', paramsOf({})), /`pack` to have written pictures\.pixels\.bin/);
  });
});
