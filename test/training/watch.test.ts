import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openRuntime } from '../../src/runtime/open.js';
import { tf } from '../../src/runtime/tensors.js';
import type { Trunk } from '../../src/network/trunk.js';
import { train, type TrainOptions } from '../../src/training/train.js';
import { isWatched } from '../../src/training/watch.js';
import { hashToy, toyRun } from './toy-run.js';

/** A number that tells one state of the weights from another. */
const reading = (trunk: Trunk): number => 10 * Math.abs(trunk.variables.get('w')!.dataSync()[0]!);

describe('watch over a training', () => {
  let root: string;
  before(async () => {
    await openRuntime({ threads: 1 });
    root = await mkdtemp(path.join(tmpdir(), 'watch-'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  const run = async (more: Partial<TrainOptions<number>>) => {
    const options = toyRun({ steps: 20, ...more });
    const first = reading(options.trunk);
    const result = await train(options);
    return { ...result, first, last: reading(options.trunk), hash: hashToy(options.trunk) };
  };
  const knnOf = ({ history }: Awaited<ReturnType<typeof run>>) =>
    history.flatMap(({ step, knn }) => (knn === undefined ? [] : [[step, knn] as const]));

  it('reads the first weights, at the first point of the curve from every so many steps on, and the last', async () => {
    const watched = await run({ watch: { every: 8, knn: reading } });
    // Points stand at 5, 10, 15 and 20.
    assert.deepEqual(
      knnOf(watched).map(([step]) => step),
      [10, 20],
    );
    assert.equal(watched.history[1]!['knnBefore'], watched.first);
    assert.equal(watched.history.filter(({ knnBefore }) => knnBefore !== undefined).length, 1);
    assert.equal(watched.history.at(-1)!['knn'], watched.last);
    assert.notEqual(watched.first, watched.last);
    assert.deepEqual(
      [5, 10, 15].map((step) => isWatched({ every: 100, knn: reading }, step, step - 5, 20)),
      [false, false, false],
    );
  });

  it('decides nothing: weights and all other signals are the same to the bit with and without it', async () => {
    const without = await run({});
    const withIt = await run({ watch: { every: 5, knn: reading } });
    assert.equal(withIt.hash, without.hash);
    const other = withIt.history.map(({ knn: _, knnBefore: __, ...entry }) => entry);
    assert.deepEqual(other, without.history);
  });

  it('a run that was interrupted has the readings of one in one go, those of the first weights too', async () => {
    const watch = { every: 5, knn: reading };
    const whole = await run({ watch });
    for (const stopAt of [3, 7]) {
      const dir = path.join(root, `stop-${stopAt}`);
      const controller = new AbortController();
      const stopped = run({
        ...{ watch, dir, signal: controller.signal },
        onProgress: ({ done }) => done === stopAt && controller.abort(new Error('stopped')),
      });
      await assert.rejects(stopped, /stopped/);
      const pieces = await run({ watch, dir });
      assert.equal(pieces.resumedFrom, stopAt);
      assert.deepEqual(pieces.history, whole.history);
      assert.equal(pieces.hash, whole.hash);
    }
  });

  it('may be left off, or begun, where a run goes on from a checkpoint', async () => {
    const dir = path.join(root, 'begun');
    const controller = new AbortController();
    const onProgress = ({ done }: { readonly done: number }) => done === 7 && controller.abort(new Error('stopped'));
    await assert.rejects(run({ dir, signal: controller.signal, onProgress }), /stopped/);
    const { history, first } = await run({ dir, watch: { every: 5, knn: reading } });
    assert.equal(history[0]!['knn'], undefined);
    assert.deepEqual([history[1]!['knnBefore'], typeof history[1]!['knn']], [first, 'number']);
  });

  it('its reading stands beside the loss at every step from then on, and its time is not that of training', async () => {
    const texts: string[] = [];
    const slowly = (trunk: Trunk): number => {
      const began = performance.now();
      while (performance.now() - began < 50);
      return reading(trunk);
    };
    const { watchSeconds, seconds, imagesPerSecond } = await run({
      watch: { every: 5, knn: slowly },
      onProgress: ({ text = '' }) => void texts.push(text),
    });
    assert.equal(texts[3], '');
    assert.ok(
      texts.slice(4).every((text) => /^loss [\d.]+ \(uniform 1\.0000\), k-NN [\d.]+ %$/.test(text)),
      texts[4],
    );
    assert.ok(watchSeconds > 0.25 && watchSeconds < seconds, `${watchSeconds} of ${seconds}`);
    assert.ok(Math.abs(imagesPerSecond * (seconds - watchSeconds) - 60) < 1e-6);
  });

  it('refuses a number of steps that is none', async () => {
    const watch = { every: 0, knn: reading };
    await assert.rejects(run({ watch }), /Expected `watch\.every` to be a whole number above 0, got `0`/);
  });

  it('keeps no tensors', async () => {
    const count = async (more: Partial<TrainOptions<number>>): Promise<number[]> => {
      const counts: number[] = [];
      await run({ ...more, onProgress: () => void counts.push(tf.memory().numTensors) });
      return counts.map((tensors) => tensors - counts[0]!);
    };
    const knn = (trunk: Trunk): number => tf.tidy(() => tf.sum(trunk.variables.get('w')!).dataSync()[0]!);
    assert.deepEqual(await count({ watch: { every: 5, knn } }), await count({}));
  });
});
