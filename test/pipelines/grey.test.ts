import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pretrainParams, type PretrainParams } from '../../pipelines/benchmark/params.js';
import { trainNetwork } from '../../pipelines/benchmark/train-network.js';
import { findRow } from '../../pipelines/rows/index.js';
import { pixelCacheOf, type PixelCache } from '../../src/images/pixel-cache.js';
import { renderPlain } from '../../src/images/render-views.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { onGreyInput } from '../../src/network/grey-input.js';
import { loadTrunk, saveTrunk } from '../../src/network/weights.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime, type RuntimeInfo } from '../../src/runtime/open.js';
import { tf } from '../../src/runtime/tensors.js';

describe('pretraining on grey pictures', () => {
  let runtime: RuntimeInfo;
  const root = mkdtempSync(path.join(tmpdir(), 'grey-'));
  before(async () => {
    runtime = await openRuntime({ threads: 1 });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const params = pretrainParams.parse({
    ...{ architecture: 'small-half', colour: 'grey', steps: 2, batchPairs: 2, logEvery: 1 },
  }) as unknown as PretrainParams;
  const random = RandomStream.of(2, 'pictures');
  const cacheOf = (pixel: () => readonly number[]): PixelCache =>
    pixelCacheOf(
      Array.from({ length: 8 }, () => ({
        ...{ width: 48, height: 48, channels: 3 as const },
        data: Uint8Array.from(Array.from({ length: 48 * 48 }, pixel).flat()),
      })),
    );
  const learned = cacheOf(() => [0, 1, 2].map(() => random.integer(256)));

  for (const name of ['rotnet', 'random']) {
    it(`${name}: weights on disk tell brightness apart, and no colours, whoever renders for them`, async () => {
      const trunk = onGreyInput(buildTrunk('small-half', { random: RandomStream.of(1, 'trunk') }));
      const [outputs, scratch] = ['out', 'scratch'].map((part) => path.join(root, name, part)) as [string, string];
      [outputs, scratch].forEach((dir) => mkdirSync(dir, { recursive: true }));
      const ctx = { outputs, scratch, log: () => {}, signal: new AbortController().signal, progress: () => {} };
      const set = { kind: 'images', cache: learned } as const;
      await trainNetwork({ row: findRow(name, 'images'), seed: 1, params, set, trunk, runtime, ctx });
      await saveTrunk(outputs, trunk, null);
      trunk.dispose();
      const { trunk: read } = await loadTrunk(outputs);
      const featuresOf = (pixel: readonly number[]): Float32Array =>
        tf.tidy(() => {
          // One pixel in three is white, so that there is something to see.
          let at = 0;
          const picture = cacheOf(() => (at++ % 3 === 0 ? [255, 255, 255] : pixel));
          const { conv3 } = read.features(renderPlain(picture, [0], read), ['conv3'], 'eval');
          return conv3!.dataSync<'float32'>().slice();
        });
      const apart = (a: Float32Array, b: Float32Array): number =>
        Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / Math.max(...a.map(Math.abs));
      // Red and green of the same luminance, 0.2989 * 200 = 0.587 * 101.84, and a grey that is darker.
      const red = featuresOf([200, 0, 0]);
      assert.ok(apart(red, featuresOf([0, 102, 0])) < 0.01);
      assert.ok(apart(red, featuresOf([20, 20, 20])) > 0.05);
      read.dispose();
    });
  }

  it('refuses what learns from colours, before anything runs', () => {
    const check = (colour: 'rgb' | 'grey') =>
      findRow('colorization', 'images').training!.check!({ ...params, colour }, 96, 1000);
    check('rgb');
    assert.throws(() => check('grey'), { name: 'RangeError', message: /`pretrain\.colour` to be rgb, got `grey`/ });
  });
});
