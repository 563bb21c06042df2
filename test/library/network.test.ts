import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import {
  loadNetwork,
  setUp,
  untrainedNetwork,
  UsageError,
  type Network,
  type Picture,
  type Raster,
} from '../../src/library/index.js';
import { pixelCacheOf } from '../../src/images/pixel-cache.js';
import { renderPlain } from '../../src/images/render-views.js';
import { reestimateBatchNorm } from '../../src/network/batch-norm-statistics.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { hashTrunk, saveTrunk } from '../../src/network/weights.js';
import { RandomStream } from '../../src/numeric/random.js';
import { tf, type Tensor4D } from '../../src/runtime/tensors.js';

const random = RandomStream.of(1, 'library pictures');
const rasterOf = (width: number, height: number): Raster => ({
  ...{ width, height, channels: 3 },
  data: Uint8Array.from({ length: width * height * 3 }, () => random.integer(256)),
});
const asPng = ({ width, height, channels, data }: Raster): Promise<Buffer> =>
  sharp(data, { raw: { width, height, channels } }).png().toBuffer();

describe('A network of the library', () => {
  let folder: string;
  let network: Network;
  /** A folder of classes: 4 training pictures, 2 to test. */
  let classes: string;
  const rasters = Array.from({ length: 5 }, () => rasterOf(96, 96));
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'library é-'));
    assert.equal((await setUp({ device: 'auto', threads: 2 })).threads >= 1, true);
    const trunk = buildTrunk('small', { random: RandomStream.of(7, 'trunk') });
    await saveTrunk(path.join(folder, 'weights'), trunk, null);
    trunk.dispose();
    network = await loadNetwork(path.join(folder, 'weights'));
    classes = path.join(folder, 'classes');
    for (const [i, name] of ['train/a/1', 'train/a/2', 'train/b/1', 'train/b/2', 'test/a/1', 'test/b/1'].entries()) {
      mkdirSync(path.join(classes, path.dirname(name)), { recursive: true });
      writeFileSync(path.join(classes, `${name}.png`), await asPng(rasterOf(20 + i, 20)));
    }
  });
  after(() => {
    network.dispose();
    rmSync(folder, { recursive: true });
  });

  it('tells its layers, its size and the hash of its weights, however its folder is named', async () => {
    assert.equal(network.architecture, 'small');
    assert.equal(network.inputSize, 96);
    assert.deepEqual(
      network.layers.find(({ name }) => name === 'conv5'),
      { name: 'conv5', channels: 128, height: 6, width: 6 },
    );
    assert.deepEqual(
      network.layers.find(({ name }) => name === 'fc'),
      { name: 'fc', channels: 512 },
    );
    const again = await loadNetwork(path.join(folder, 'weights', 'weights.safetensors'));
    assert.equal(again.sha256, network.sha256);
    again.dispose();
  });

  it('gives the features that the trunk computes of normalised pictures', async () => {
    const trunk = buildTrunk('small', { random: RandomStream.of(7, 'trunk') });
    const { rows, dim, data } = await network.embed(rasters, { layer: 'fc', batch: 2 });
    const { mean, std } = trunk;
    const values = rasters.flatMap((raster) =>
      Array.from(raster.data, (v, i) => (v / 255 - mean[i % 3]!) / std[i % 3]!),
    );
    const expected = tf.tidy(() => {
      const images: Tensor4D = tf.tensor4d(values, [5, 96, 96, 3]);
      return trunk.features(images, ['fc'], 'eval')['fc']!.dataSync<'float32'>();
    });
    trunk.dispose();
    assert.deepEqual([rows, dim], [5, 512]);
    const off = data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
    assert.ok(off < 1e-4, String(off));
  });

  it('takes files, bytes and pixels, in groups of any size, and from generators', async () => {
    const files = await Promise.all(
      rasters.map(async (raster, i) => {
        const file = path.join(folder, `${i}.png`);
        writeFileSync(file, await asPng(raster));
        return file;
      }),
    );
    const bytes = await Promise.all(rasters.map(asPng));
    async function* one(): AsyncGenerator<Raster> {
      yield* rasters;
    }
    const done: number[] = [];
    const expected = await network.embed(rasters);
    assert.deepEqual([expected.rows, expected.dim], [5, 2 * 2 * 128]);
    assert.deepEqual(await network.embed(files), expected);
    assert.deepEqual(await network.embed(bytes.map((png) => new Uint8Array(png))), expected);
    const grouped = await network.embed(one(), { batch: 2, onProgress: (count) => done.push(count) });
    assert.deepEqual(done, [2, 4, 5]);
    assert.equal(grouped.rows, 5);
    grouped.data.forEach((value, i) => assert.ok(Math.abs(value - expected.data[i]!) < 1e-4));
  });

  it('resizes pixels of any size, grey ones too, as it does files of them', async () => {
    const odd = rasterOf(50, 31);
    assert.deepEqual(await network.embed([odd]), await network.embed([await asPng(odd)]));
    const grey: Raster = { width: 40, height: 40, channels: 1, data: new Uint8Array(1600).fill(90) };
    const colour: Raster = { width: 40, height: 40, channels: 3, data: new Uint8Array(4800).fill(90) };
    assert.deepEqual(await network.embed([grey]), await network.embed([colour]));
  });

  it('takes what a canvas gives, transparent pixels as files with them, and URLs of files', async () => {
    const data = Uint8ClampedArray.from({ length: 31 * 50 * 4 }, () => random.integer(256));
    const png = await sharp(data, { raw: { width: 50, height: 31, channels: 4 } })
      .png()
      .toBuffer();
    const expected = await network.embed([png]);
    assert.deepEqual(await network.embed([{ width: 50, height: 31, data }]), expected);
    assert.deepEqual(
      await network.embed([{ width: 50, height: 31, channels: 4, data: Uint8Array.from(data) }]),
      expected,
    );
    const opaque = data.map((value, i) => (i % 4 === 3 ? 255 : value));
    assert.notDeepEqual(await network.embed([{ width: 50, height: 31, data: opaque }]), expected);
    const file = path.join(folder, 'clear é.png');
    writeFileSync(file, png);
    assert.deepEqual(await network.embed([pathToFileURL(file)]), expected);
  });

  it('refuses what is no picture, and no list of them', async () => {
    const refused = (picture: unknown, message: RegExp): Promise<void> =>
      assert.rejects(
        network.embed([picture as Picture]),
        (error) => error instanceof RangeError && message.test(error.message),
      );
    const data = new Uint8Array(12);
    await refused(undefined, /picture 0 to be a path, bytes, or \{.*\}, got nothing/);
    await refused(7, /picture 0 .* got `7`/);
    await refused({ width: 2, height: 2 }, /picture 0 .* got Object/);
    await refused(
      { width: 2, height: 2, channels: 3, data: new Float32Array(12) },
      /`data` of picture 0 .*Float32Array/,
    );
    await refused({ width: 0, height: 2, channels: 3, data }, /`picture 0\.width` .* from 1 to 65535, got `0`/);
    await refused({ width: 2, height: 2.5, channels: 3, data }, /`picture 0\.height` .* got `2\.5`/);
    await refused({ width: 2, height: 3, data }, /1, 3 or 4 channels, got `2`/);
    await refused({ width: 2, height: 2, channels: 4, data }, /2 x 2 x 4 bytes, got 12/);
    await refused(new URL('https://example.com/a.png'), /picture 0 to be a file, got the address `https:/);
    for (const [list, kind] of [
      ['cat.png', '`cat.png`'],
      [data, 'Uint8Array'],
    ] as const) {
      const message = new RegExp(`RangeError: Expected a list of pictures, got ${kind}: put it into a list`);
      await assert.rejects(network.embed(list as unknown as Picture[]), message);
      await assert.rejects(untrainedNetwork({ pictures: list as unknown as Picture[] }), message);
    }
    await assert.rejects(
      network.embed(undefined as unknown as Picture[]),
      /RangeError: .* list of pictures, got nothing/,
    );
  });

  it('leaves no tensors behind', async () => {
    await network.embed(rasters);
    const { numTensors } = tf.memory();
    await network.embed(rasters, { layer: 'embedding', batch: 3 });
    await assert.rejects(network.embed([path.join(folder, 'none.png')]), UsageError);
    const other = await untrainedNetwork({ seed: 3 });
    await other.embed(rasters.slice(0, 1));
    other.dispose();
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it('names the picture or option that it cannot take', async () => {
    writeFileSync(path.join(folder, 'text.jpg'), 'no picture');
    await assert.rejects(network.embed([path.join(folder, 'text.jpg')]), /UsageError: Could not decode .*text\.jpg/);
    await assert.rejects(
      network.embed([path.join(folder, 'none.jpg')]),
      /UsageError: Could not read .*none\.jpg: ENOENT/,
    );
    await assert.rejects(network.embed([rasters[0]!, new Uint8Array(9)]), /UsageError: Could not decode picture 1/);
    const short: Raster = { width: 9, height: 9, channels: 3, data: new Uint8Array(8) };
    await assert.rejects(network.embed([short]), /RangeError: Expected picture 0 to have 9 x 9 x 3 bytes, got 8/);
    await assert.rejects(network.embed([]), /RangeError: Expected pictures to embed, got none/);
    await assert.rejects(
      network.embed(rasters, { layer: 'conv9' }),
      /RangeError: Expected a layer of conv1, .*`conv9`/,
    );
    await assert.rejects(network.embed(rasters, { batch: 0 }), /RangeError: Expected `batch`/);
    await assert.rejects(network.embed(rasters, { pool: 0 }), /RangeError: Expected `pool`/);
    for (const px of [0, -1, 1.5, 4097])
      await assert.rejects(network.embed(rasters, { px }), /RangeError: Expected `px` to be an integer from 1 to 4096/);
    await assert.rejects(network.evaluate(classes, { px: 0 }), /RangeError: Expected `px`/);
    await assert.rejects(network.evaluate(classes, { seed: 0.5 }), /RangeError: Expected `seed`/);
    const nothing = undefined as unknown as string;
    await assert.rejects(network.evaluate(nothing), /UsageError: Expected `folder` to be a path, got nothing/);
    await assert.rejects(loadNetwork(nothing), /UsageError: Expected `weights` to be a path, got nothing/);
    await assert.rejects(setUp({ device: 'tpu' as 'gpu' }), /RangeError: .*`device`.* auto, cpu, gpu, wasm, got `tpu`/);
    await assert.rejects(setUp({ threads: 0 }), /RangeError: Expected `threads` to be an integer from 1, got `0`/);
  });

  it('says so where its weights give what is no number', async () => {
    const trunk = buildTrunk('small', { random: RandomStream.of(7, 'trunk') });
    const bias = trunk.variables.get('fc.0.bias')!;
    bias.assign(tf.fill(bias.shape, NaN));
    await saveTrunk(path.join(folder, 'nan'), trunk, null);
    trunk.dispose();
    const broken = await loadNetwork(path.join(folder, 'nan'));
    try {
      await broken.embed(rasters.slice(0, 2));
      await assert.rejects(
        broken.embed(rasters, { layer: 'fc', batch: 2 }),
        /RangeError: Expected `features of fc` to be finite, got NaN in row 0/,
      );
      await assert.rejects(
        broken.evaluate(classes, { layers: ['fc'] }),
        /RangeError: Expected `training features of fc` to be finite, got NaN in row 0/,
      );
    } finally {
      broken.dispose();
    }
  });

  it('tries itself on fewer pictures than neighbours are usual, but not on fewer than are asked for', async () => {
    const [usual] = await network.evaluate(classes, { protocols: ['knn'] });
    assert.deepEqual([usual!.protocol, usual!.pictures], ['knn/conv5', 2]);
    assert.deepEqual((await network.evaluate(classes, { protocols: ['knn'], k: 4 }))[0], usual);
    await assert.rejects(
      network.evaluate(classes, { k: 5 }),
      /RangeError: Expected `k` to be an integer from 1 to 4, got `5`/,
    );
    assert.equal((await network.evaluate(classes, { protocols: ['linear'], k: 5 })).length, 1);
  });

  it('stops between passes when it is told to', async () => {
    const stop = new AbortController();
    const stopped = network.embed(rasters, {
      ...{ batch: 1, signal: stop.signal },
      onProgress: (done) => {
        if (done === 2) stop.abort(new Error('enough'));
      },
    });
    await assert.rejects(stopped, /enough/);
  });

  it('is of no use once it is disposed of', async () => {
    const other = await untrainedNetwork();
    other.dispose();
    other.dispose();
    await assert.rejects(other.embed(rasters), /Expected an open network/);
    await assert.rejects(other.evaluate(folder), /Expected an open network/);
  });

  it('is drawn by its seed where it is untrained', async () => {
    const [one, same, other] = [
      await untrainedNetwork(),
      await untrainedNetwork({ seed: 1 }),
      await untrainedNetwork({ seed: 2 }),
    ];
    assert.equal(one.sha256, same.sha256);
    assert.notEqual(one.sha256, other.sha256);
    for (const drawn of [one, same, other]) drawn.dispose();
    await assert.rejects(untrainedNetwork({ architecture: 'smal' }), UsageError);
    for (const seed of [1.5, -1, 'x'])
      await assert.rejects(
        untrainedNetwork({ seed: seed as number }),
        /RangeError: Expected `seed` to be an integer from 0/,
      );
  });

  it('takes the statistics of pictures into its batch norm where it is untrained, as a run does for its control', async () => {
    const pictures = rasters.slice(0, 4);
    const control = await untrainedNetwork({ seed: 2, pictures });
    const trunk = buildTrunk('small', { random: RandomStream.of(2, 'trunk') });
    assert.equal(trunk.inputSize, pictures[0]!.width);
    const images = renderPlain(pixelCacheOf(pictures), Int32Array.of(0, 1, 2, 3), trunk);
    reestimateBatchNorm(trunk, [images]);
    assert.equal(control.sha256, hashTrunk(trunk));
    trunk.dispose();
    const drawn = await untrainedNetwork({ seed: 2 });
    assert.notEqual(control.sha256, drawn.sha256);
    drawn.dispose();
    const { numTensors } = tf.memory();
    await assert.rejects(untrainedNetwork({ pictures: [rasters[0]!] }), /RangeError: Expected at least 2 pictures/);
    await assert.rejects(untrainedNetwork({ pictures: [rasters[0]!, 'none.png'] }), UsageError);
    assert.equal(tf.memory().numTensors, numTensors);
    control.dispose();
  });

  it('is not opened where weights are missing, changed or of another format', async () => {
    const refused = (weights: string, message: RegExp): Promise<void> =>
      assert.rejects(loadNetwork(weights), (error) => error instanceof UsageError && message.test(error.message));
    await refused(path.join(folder, 'wieghts'), /there is no `.*wieghts`\. Did you mean `.*weights`/);
    await refused(folder, /folders with model\.json and weights\.safetensors/);
    writeFileSync(path.join(folder, 'x.pth'), '');
    await refused(path.join(folder, 'x.pth'), /the command `import` makes a folder of it/);
    writeFileSync(path.join(folder, 'x.onnx'), 'no');
    await refused(path.join(folder, 'x.onnx'), /x\.onnx/);
  });
});
