import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { truncateSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { augmentationPolicies, drawAugmentation, type ViewSpec } from '../../src/images/augmentation.js';
import { loadPairCache, openPairCache } from '../../src/images/pair-cache-file.js';
import type { PairCache } from '../../src/images/pair-cache.js';
import { openPairSource, openPatchSource, pairKinds } from '../../src/images/pair-source.js';
import { areInFile, closePictureFile, openPictureFile } from '../../src/images/picture-file.js';
import { layOutBuffer, SampleBuffer } from '../../src/images/sample-buffer.js';
import type { SampleSource } from '../../src/images/sample-source.js';
import { bufferedOrder } from '../../src/images/shuffle-buffer.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor4D } from '../../src/runtime/tensors.js';
import { epochOrder } from '../../src/training/data-order.js';
import type { Source } from '../../src/training/method.js';
import { pairs, pictureBytes, writeNoisePairs } from './noise-pairs.js';

const target = { inputSize: 16, mean: [0.5, 0.4, 0.3] as const, std: [0.2, 0.25, 0.3] as const };
/** Room for 60 of the 120 pairs: `a` and `b` of each. */
const memoryBytes = 60 * 2 * pictureBytes;
const batch = 10;

/** Both ends of every sample, augmented; a function of the samples alone. */
const viewsOf = (indices: Int32Array): ViewSpec[][] =>
  Array.from(indices, (index) => {
    const random = RandomStream.of(1, index);
    return (['a', 'b'] as const).map((end) => ({
      end,
      augmentation: drawAugmentation(augmentationPolicies.full, random),
    }));
  });

const hashOf = (tensors: readonly Tensor4D[]): string => {
  const hash = createHash('sha256');
  for (const tensor of tensors) {
    hash.update(tensor.dataSync());
    tensor.dispose();
  }
  return hash.digest('hex');
};

/** Shows batches of an order as the training loop does, the next one prepared; a hash of each. */
const show = (source: SampleSource, order: Int32Array, from = 0): string[] => {
  const shown: string[] = [];
  const drawn = (at: number) => {
    const indices = order.slice(at, at + batch);
    return { indices, views: viewsOf(indices) };
  };
  let next = drawn(from);
  for (let at = from; at + batch <= order.length; at += batch) {
    const { indices, views } = next;
    const tensors = source.render(indices, views);
    next = drawn(at + batch);
    if (at + 2 * batch <= order.length) source.prepare(next.indices, next.views);
    shown.push(hashOf(tensors));
  }
  return shown;
};

describe('A source of pictures in a file', () => {
  let folder: string;
  let whole: PairCache;
  let streamed: PairCache;
  before(async () => {
    await openRuntime({ threads: 1 });
    folder = await mkdtemp(path.join(tmpdir(), 'streamed-'));
    await writeNoisePairs(folder);
    whole = await loadPairCache(folder);
    streamed = await openPairCache(folder, { memoryBytes, shuffle: 'buffer' });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('has the pairs of the one in memory', () => {
    const { pixels: inFile, ...table } = streamed;
    const { pixels: inMemory, ...loaded } = whole;
    assert.ok(areInFile(inFile) && !areInFile(inMemory));
    assert.deepEqual(table, loaded);
    assert.equal(inFile.digest, inMemory.digest);
  });

  it('shows the bytes that one in memory shows in the same order, whatever its samples are', async () => {
    for (const kind of pairKinds) {
      const source = openPairSource(streamed, kind, { seed: 3, target });
      const order = await (source satisfies Source<ViewSpec>).follow!(5, 0, 0);
      assert.deepEqual(show(source, order), show(openPairSource(whole, kind, { seed: 3, target }), order), kind);
      source.release();
    }
  });

  it('shows them when threads render ahead, too, from one epoch to the next', async () => {
    const large = { seed: 3, target: { ...target, inputSize: 84 } };
    const [source, inMemory] = [streamed, whole].map((cache) => openPairSource(cache, 'tracks', large));
    for (const epoch of [0, 1]) {
      const order = await source!.follow!(5, epoch, 0);
      assert.deepEqual(show(source!, order), show(inMemory!, order), `epoch ${epoch}`);
    }
    for (const opened of [source, inMemory]) opened!.release();
  });

  it('shows an epoch in an order that seed and epoch decide, and goes on in it from anywhere', async () => {
    const open = () => openPairSource(streamed, 'tracks', { seed: 3, target });
    const source = open();
    await source.follow!(5, 0, 0);
    const order = await source.follow!(5, 1, 0);
    const { pixels, a, b } = streamed;
    assert.ok(areInFile(pixels));
    const layout = layOutBuffer(pixels, { a, b }, memoryBytes);
    assert.deepEqual(order, bufferedOrder(pairs, layout, 5, 1).shown);
    const shown = show(source, order);
    source.release();
    for (const from of [30, 110]) {
      const resumed = open();
      assert.deepEqual(await resumed.follow!(5, 1, from), order);
      assert.deepEqual(show(resumed, order, from), shown.slice(from / batch));
      resumed.release();
    }
  });

  it('shows the same bytes in any other order, read from where they lie: plain, by chance, twice', () => {
    const source = openPairSource(streamed, 'tracks', { seed: 3, target });
    const inMemory = openPairSource(whole, 'tracks', { seed: 3, target });
    const order = epochOrder(pairs, 1, 0);
    for (let twice = 0; twice < 2; twice++) assert.deepEqual(show(source, order), show(inMemory, order));
    assert.equal(hashOf([source.plain(order)]), hashOf([inMemory.plain(order)]));
    const patches = [streamed, whole].map((cache) => openPatchSource(cache, { target }).plain(order));
    assert.equal(hashOf([patches[0]!]), hashOf([patches[1]!]));
    for (const opened of [source, inMemory]) opened.release();
  });

  it('takes the order of a set in memory where it may read at random, and says by its digest when it does not', async () => {
    const uniform = await openPairCache(folder, { memoryBytes, shuffle: 'uniform' });
    const [free, buffered, inMemory] = [uniform, streamed, whole].map((cache) =>
      openPairSource(cache, 'tracks', { seed: 3, target }),
    );
    assert.equal(free!.follow, undefined);
    assert.equal(free!.digest, inMemory!.digest);
    assert.notEqual(buffered!.digest, inMemory!.digest);
  });

  it('holds no more pixels than it may, and no tensor', async () => {
    const { pixels, a, b } = streamed;
    assert.ok(areInFile(pixels));
    const layout = layOutBuffer(pixels, { a, b }, memoryBytes);
    const file = openPictureFile(pixels);
    const buffer = new SampleBuffer(file, { a, b }, layout);
    assert.ok(buffer.pixels.length <= memoryBytes && buffer.pixels.length > 0.9 * memoryBytes);
    buffer.close();
    closePictureFile(file);
    const source = openPairSource(streamed, 'tracks', { seed: 3, target });
    const order = await source.follow!(5, 0, 0);
    const tensors = tf.memory().numTensors;
    show(source, order);
    source.release();
    assert.equal(tf.memory().numTensors, tensors);
    const small = await openPairCache(folder, { memoryBytes: 31 * 2 * pictureBytes, shuffle: 'buffer' });
    assert.throws(
      () => openPairSource(small, 'tracks', { seed: 3, target }),
      /Expected a shuffle buffer of at least 1 MiB for samples of 2 x 8 x 8 px, got one of 0\.0 MiB/,
    );
  });

  it('reads by itself what nobody reads ahead', async () => {
    const { pixels, a, b } = streamed;
    assert.ok(areInFile(pixels));
    const file = openPictureFile(pixels);
    const buffer = new SampleBuffer(file, { a, b }, layOutBuffer(pixels, { a, b }, memoryBytes));
    const order = await buffer.follow(1, 0, 0);
    const [first] = order;
    assert.ok(buffer.find(first!, 'b') > 0);
    buffer.close();
    assert.equal(buffer.find(first!, 'b'), -1);
    buffer.release(order.slice(0, batch));
    closePictureFile(file);
  });

  it('says what is wrong with a file that was cut while it was read', async () => {
    const source = openPairSource(streamed, 'tracks', { seed: 3, target });
    const { pixels } = streamed;
    assert.ok(areInFile(pixels));
    truncateSync(pixels.path, 10 * pictureBytes);
    assert.throws(() => source.plain(Int32Array.of(0)), /Expected .*pairs\.pixels\.bin to hold \d+ bytes/);
    await writeNoisePairs(folder);
    const order = await source.follow!(5, 0, 0);
    truncateSync(pixels.path, 10 * pictureBytes);
    assert.throws(() => show(source, order), { name: 'UsageError', message: /pairs\.pixels\.bin to go on/ });
    source.release();
  });
});
