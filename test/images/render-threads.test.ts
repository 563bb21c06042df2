import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { augmentationPolicies, drawAugmentation, type ViewSpec } from '../../src/images/augmentation.js';
import { pixelCacheOf, type PixelCache } from '../../src/images/pixel-cache.js';
import { abandon, renderAlone, renderJob, waitFor, workOn } from '../../src/images/render-job.js';
import { RenderThreads } from '../../src/images/render-threads.js';
import { sampleSource, type SampleSource } from '../../src/images/sample-source.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor4D } from '../../src/runtime/tensors.js';
import type { Source } from '../../src/training/method.js';

const target = { inputSize: 64, mean: [0.5, 0.4, 0.3] as const, std: [0.2, 0.25, 0.3] as const };
const samples = 24;

const cacheOf = (seed: number): PixelCache => {
  const random = RandomStream.of(seed, 'pixels');
  return pixelCacheOf(
    Array.from({ length: samples }, () => ({
      width: 80,
      height: 80,
      channels: 3 as const,
      data: Uint8Array.from({ length: 80 * 80 * 3 }, () => random.integer(256)),
    })),
  );
};
const cache = cacheOf(3);
const order = Int32Array.from({ length: samples }, (_, i) => i);
const openSource = (from: PixelCache = cache): SampleSource =>
  sampleSource({ cache: from, a: order, b: order, video: order, videos: samples, digest: 'test', target });

/** Two large views and a small one of every sample. */
const viewsOf = (step: number): ViewSpec[][] =>
  Array.from({ length: samples }, (_, row) => {
    const random = RandomStream.of(1, step, row);
    const draw = () => drawAugmentation(augmentationPolicies.simclr, random);
    return [
      { end: 'a', augmentation: draw() },
      { end: 'b', augmentation: draw() },
      { end: 'a', augmentation: draw(), size: 24 },
    ];
  });

/** A hash a view number. */
const bytesOf = (tensors: readonly Tensor4D[]): string[] =>
  tensors.map((tensor) => {
    const hash = createHash('sha256').update(tensor.dataSync()).digest('hex');
    tensor.dispose();
    return hash;
  });

describe('views rendered ahead', () => {
  before(() => openRuntime({ threads: 1 }));

  it('are the same bytes as views rendered when they are asked for', () => {
    const [source, plain]: [Source<ViewSpec>, SampleSource] = [openSource(), openSource()];
    for (let step = 0; step < 4; step++) {
      const views = viewsOf(step);
      source.prepare!(order, views);
      const rendered = source.render(order, views);
      assert.deepEqual(
        rendered.map(({ shape }) => shape),
        [64, 64, 24].map((size) => [samples, size, size, 3]),
      );
      assert.deepEqual(bytesOf(rendered), bytesOf(plain.render(order, views)));
    }
    source.release!();
    const views = viewsOf(9);
    assert.deepEqual(bytesOf(source.render(order, views)), bytesOf(plain.render(order, views)));
  });

  it('are given up where something else is asked for, be it other views or other samples', () => {
    const source = openSource();
    const expected = (indices: Int32Array, views: ViewSpec[][]) => bytesOf(openSource().render(indices, views));
    const [first, second] = [viewsOf(1), viewsOf(2)];
    source.prepare(order, first);
    assert.deepEqual(bytesOf(source.render(order, second)), expected(order, second));
    const turned = order.slice().reverse();
    source.prepare(order, first);
    assert.deepEqual(bytesOf(source.render(turned, first)), expected(turned, first));
    source.prepare(order, first);
    source.prepare(order, second);
    assert.deepEqual(bytesOf(source.render(order, second)), expected(order, second));
    source.release();
  });

  it('of pixels in memory that threads do not share are the same', () => {
    const own = { ...cache, pixels: new Uint8Array(cache.pixels) };
    assert.ok(own.pixels.buffer instanceof ArrayBuffer);
    const source = openSource(own);
    const views = viewsOf(5);
    source.prepare(order, views);
    assert.deepEqual(bytesOf(source.render(order, views)), bytesOf(openSource().render(order, views)));
    source.release();
  });

  it('stay as they are while later batches are rendered, though tensors may take their memory without a copy', () => {
    const source = openSource();
    const kept: Tensor4D[][] = [];
    for (let step = 0; step < 4; step++) {
      const views = viewsOf(step);
      source.prepare(order, views);
      const tensors = source.render(order, views);
      for (const tensor of tensors) tf.slice(tensor, [0, 0, 0, 0], [1, 1, 1, 1]).dispose();
      kept.push(tensors);
    }
    source.release();
    kept.forEach((tensors, step) => {
      assert.deepEqual(bytesOf(tensors), bytesOf(openSource().render(order, viewsOf(step))), `step ${step}`);
    });
  });

  it('hold no tensor until they are asked for', () => {
    const source = openSource();
    const before = tf.memory().numTensors;
    source.prepare(order, viewsOf(1));
    source.prepare(order, viewsOf(2));
    assert.equal(tf.memory().numTensors, before);
    source.release();
  });

  it('have one size a view number', () => {
    const views = viewsOf(1);
    views[3]![0] = { ...views[3]![0]!, size: 32 };
    const message = /Expected view 0 to have one size in a batch, got 64 and 32 px/;
    assert.throws(() => openSource().render(order, views), message);
    assert.throws(() => openSource().prepare(order, views), message);
  });
});

describe('render jobs', () => {
  const draws = viewsOf(1).map(([first]) => first!.augmentation);
  const job = () => renderJob(cache, order, draws, target);

  it('are finished by whoever is there, though no thread has come, or one took a view and is gone', () => {
    const expected = renderAlone(job(), cache);
    const threads = new RenderThreads(cache, { threads: 0, patienceMs: 20 });
    threads.begin([]);
    assert.deepEqual(threads.finish(job()), expected);
    const orphaned = job();
    Atomics.add(orphaned.counts, 0, 1);
    assert.deepEqual(threads.finish(orphaned), expected);
  });

  it('are waited for no longer than one is done every so often', () => {
    const stuck = job();
    // Taken by a thread that never comes back.
    Atomics.add(stuck.counts, 0, 1);
    workOn(stuck, cache);
    assert.equal(waitFor(stuck, 20), false);
    const whole = job();
    workOn(whole, cache);
    assert.equal(waitFor(whole, 20), true);
  });

  it('that are given up are left as they are', () => {
    const given = job();
    abandon(given);
    workOn(given, cache);
    assert.ok(given.rendered.every((value) => value === 0));
  });
});
