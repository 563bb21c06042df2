import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { trainNetwork } from '../../pipelines/benchmark/train-network.js';
import { watchedFolder, watchedPictures, type WatchedCurve } from '../../pipelines/benchmark/watch-folder.js';
import { pretrainParams, type PretrainParams } from '../../pipelines/benchmark/params.js';
import { sharedParams } from '../../pipelines/benchmark/stages/pretrain.js';
import { findRow } from '../../pipelines/rows/index.js';
import { pixelCacheOf } from '../../src/images/pixel-cache.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { hashTrunk } from '../../src/network/weights.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime, type RuntimeInfo } from '../../src/runtime/open.js';

describe('pretraining that is watched', () => {
  let runtime: RuntimeInfo;
  const root = mkdtempSync(path.join(tmpdir(), 'watched-'));
  const folder = path.join(root, 'classes');
  const classes = { dark: 60, medium: 120, bright: 190 };
  before(async () => {
    runtime = await openRuntime({ threads: 1 });
    const random = RandomStream.of(1, 'classes');
    for (const [part, count] of Object.entries({ train: 6, test: 2 })) {
      for (const [name, level] of Object.entries(classes)) {
        mkdirSync(path.join(folder, part, name), { recursive: true });
        for (let i = 0; i < count; i++) {
          const pixels = Uint8Array.from({ length: 32 * 32 * 3 }, () => level + random.integer(60));
          const png = await sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } })
            .png()
            .toBuffer();
          await writeFile(path.join(folder, part, name, `${i}.png`), png);
        }
      }
    }
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const params = pretrainParams.parse({
    ...{ architecture: 'small-half', steps: 4, batchPairs: 2, logEvery: 1 },
    watch: { every: 2, pictures: 12 },
  }) as unknown as PretrainParams;
  const random = RandomStream.of(2, 'pictures');
  const cache = pixelCacheOf(
    Array.from({ length: 8 }, () => ({
      ...{ width: 48, height: 48, channels: 3 as const },
      data: Uint8Array.from({ length: 48 * 48 * 3 }, () => random.integer(256)),
    })),
  );

  /** Trains on noise; gives the hash of the weights and the files that were left. */
  const trainHere = async (name: string, watch?: string) => {
    const trunk = buildTrunk('small-half', { random: RandomStream.of(1, 'trunk') });
    const [outputs, scratch] = ['out', 'scratch'].map((part) => path.join(root, name, part)) as [string, string];
    [outputs, scratch].forEach((dir) => mkdirSync(dir, { recursive: true }));
    const texts: string[] = [];
    const trained = await trainNetwork({
      ...{ row: findRow('rotnet', 'images'), seed: 1, params, set: { kind: 'images', cache }, trunk, runtime },
      ...(watch === undefined ? {} : { watch }),
      ctx: {
        ...{ outputs, scratch, log: () => {}, signal: new AbortController().signal },
        progress: ({ text = '' }) => void texts.push(text),
      },
    });
    const hash = hashTrunk(trunk);
    trunk.dispose();
    const read = (file: string): string => readFileSync(path.join(outputs, file), 'utf8');
    return { ...trained, hash, outputs, read, texts };
  };

  it('comes to the same weights and the same curve to the byte, with what was seen in a file that no digest counts', async () => {
    const plain = await trainHere('plain');
    const watched = await trainHere('watched', folder);
    assert.equal(watched.hash, plain.hash);
    assert.equal(watched.read('history.json'), plain.read('history.json'));
    assert.deepEqual(watched.data, plain.data);
    assert.ok(!existsSync(path.join(plain.outputs, 'watch.json')));
    const { knn: seen, ...about } = JSON.parse(watched.read('watch.json')) as WatchedCurve;
    assert.deepEqual(about, { layer: 'conv5', pictures: 12, classes: 3 });
    assert.deepEqual(
      seen.map(({ step }) => step),
      [0, 2, 4],
    );
    // Noise of three brightnesses, which even an untrained network tells apart better than chance.
    assert.ok(
      seen.every(({ knn }) => knn > 34 && knn <= 100),
      JSON.stringify(seen),
    );
    assert.ok(watched.volatile.includes('watch.json'));
    // Whatever is named must be there.
    for (const { volatile, outputs } of [plain, watched]) {
      for (const file of volatile) assert.ok(existsSync(path.join(outputs, file)), file);
    }
    assert.match(watched.texts.at(-1)!, new RegExp(`k-NN ${seen.at(-1)!.knn.toFixed(1)} %$`));
    assert.ok(Number(watched.notes['watchSeconds']) > 0);
  });

  it('takes as many training pictures of each class as go into the number, and none of the test part', async () => {
    const { pictures, labels, classes: count } = await watchedPictures(folder, { pictures: 14, size: 32 });
    assert.equal(count, 3);
    assert.deepEqual([...labels], [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    const digestsOf = (part: string): Set<string> =>
      new Set(
        [...Object.keys(classes)].flatMap((name) => [0, 1].map((i) => path.join(folder, part, name, `${i}.png`))),
      );
    for (const file of digestsOf('test')) {
      const raw = await sharp(file).raw().toBuffer();
      for (let i = 0; i < pictures.count; i++) {
        assert.ok(!raw.equals(pictures.pixels.subarray(i * raw.length, (i + 1) * raw.length)), file);
      }
    }
  });

  it('is no part of what a run is', () => {
    const other = { ...params, watch: { ...params.watch, every: 7, layer: 'conv3' as const } };
    assert.deepEqual(sharedParams(other), sharedParams(params));
  });

  it('is told what is wrong with its folder before anything runs', () => {
    assert.equal(watchedFolder({}), undefined);
    assert.equal(watchedFolder({ watch: folder }), folder);
    assert.throws(() => watchedFolder({ watch: path.join(root, 'none') }), /Expected --watch to name something/);
    assert.throws(() => watchedFolder({ watch: path.join(folder, 'train/dark') }), { name: 'UsageError' });
  });
});
