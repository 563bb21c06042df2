import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSimclr } from '../../src/contrast/simclr/simclr.js';
import { buildTrunk } from '../../src/network/build-trunk.js';
import { cloneTrunk } from '../../src/network/clone-trunk.js';
import { mlp } from '../../src/network/head.js';
import { decodeSafetensors, type StoredTensor } from '../../src/network/safetensors.js';
import type { Trunk } from '../../src/network/trunk.js';
import { loadWeights, weightsOf } from '../../src/network/weights.js';
import { RandomStream } from '../../src/numeric/random.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Scalar } from '../../src/runtime/tensors.js';
import { bestFile, type BestRule } from '../../src/training/best-weights.js';
import { TrainingProblem } from '../../src/training/health.js';
import type { Method } from '../../src/training/method.js';
import { cosine } from '../../src/training/schedule.js';
import { sgd } from '../../src/training/sgd.js';
import { train, type TrainOptions } from '../../src/training/train.js';
import { drawTestView, testSource, type TestView } from '../contrast/resume.js';

const steps = 6;
/** What the method says of itself at its steps; nothing at the fourth, no number at the fifth. */
const qualities = [1, 5, 5, undefined, NaN, 4];
const highest: BestRule = { signal: 'quality', higher: true };

describe('best weights', function () {
  this.timeout(30_000);
  let root: string;
  let drawn: Trunk;
  const trunks: Trunk[] = [];
  before(async () => {
    await openRuntime({ threads: 1 });
    root = await mkdtemp(path.join(tmpdir(), 'best-'));
    drawn = buildTrunk('small-half', { random: RandomStream.of(1, 'trunk') });
  });
  afterEach(() => trunks.splice(0).forEach((trunk) => trunk.dispose()));
  after(async () => {
    drawn.dispose();
    await rm(root, { recursive: true, force: true });
  });

  const withQuality = (breaksAt = Infinity): Method<TestView> => {
    const method = createSimclr({
      drawView: drawTestView(),
      projector: mlp({ hidden: [8], dim: 8, batchNorm: 'hidden' }),
    });
    return {
      ...method,
      step: (views, batch) => {
        const result = method.step(views, batch);
        const quality = qualities[batch.step];
        return {
          ...result,
          ...(batch.step >= breaksAt ? { loss: tf.mul(result.loss, NaN) as Scalar } : {}),
          signals: { ...result.signals, ...(quality === undefined ? {} : { quality }) },
        };
      },
    };
  };

  /** A run, to the end or to a step; with what was said, and the weights after every step. */
  const run = async (
    more: Partial<TrainOptions<TestView>> & { readonly stopAt?: number; readonly breaksAt?: number },
  ) => {
    const { stopAt, breaksAt, ...options } = more;
    const trunk = cloneTrunk(drawn);
    trunks.push(trunk);
    const after = new Map<number, Map<string, StoredTensor>>();
    const lines: string[] = [];
    const controller = new AbortController();
    const method = withQuality(breaksAt);
    const promise = train({
      ...{ method, source: testSource({ size: 32 }), trunk, optimizer: sgd({ momentum: 0.9, weightDecay: 1e-4 }) },
      ...{ schedule: cosine(0.05), length: { steps }, batchSize: 4, seed: 7, checkpointEvery: 100, logEvery: 1 },
      signal: controller.signal,
      log: (line) => void lines.push(line),
      onProgress: ({ done }) => {
        after.set(done, weightsOf(trunk));
        if (done === stopAt) controller.abort(new Error('stopped'));
      },
      ...options,
    }).finally(() => method.dispose());
    if (stopAt === undefined) return { result: await promise, after, log: lines.join('\n'), trunk };
    await assert.rejects(promise, /stopped/);
    return { after, log: lines.join('\n'), trunk };
  };
  const fileIn = (dir: string): Promise<Buffer> => readFile(path.join(dir, bestFile));

  it('are those at the highest value of a signal, the earlier of equals, where it was a number', async () => {
    const dir = path.join(root, 'highest');
    const { result, after, trunk } = await run({ dir, best: highest });
    assert.deepEqual(result!.best!.point, { ...highest, step: 2, value: 5 });
    assert.deepEqual(result!.best!.weights, after.get(2));
    assert.notDeepEqual(after.get(2), after.get(3));
    const { tensors, metadata } = decodeSafetensors(await fileIn(dir));
    assert.deepEqual(metadata, { format: 'pt', signal: 'quality', step: '2', value: '5' });
    assert.deepEqual([...tensors.keys()].sort(), [...after.get(2)!.keys()].sort());
    loadWeights(trunk, tensors);
    assert.deepEqual(weightsOf(trunk), after.get(2));
  });

  it('or at the lowest', async () => {
    const { result } = await run({ best: { ...highest, higher: false } });
    assert.deepEqual([result!.best!.point.step, result!.best!.point.value], [1, 1]);
  });

  it('are absent where no point has the signal, and where none is asked for', async () => {
    const dir = path.join(root, 'absent');
    assert.equal((await run({ dir, best: { signal: 'knn', higher: true } })).result!.best, undefined);
    assert.equal((await run({})).result!.best, undefined);
    await assert.rejects(fileIn(dir), /ENOENT/);
  });

  it('are part of the checkpoint: a run in pieces of a step gives the same, and the same weights as one that keeps none', async () => {
    const [whole, pieces] = [path.join(root, 'whole'), path.join(root, 'pieces')];
    const one = await run({ dir: whole, best: highest });
    for (let stopAt = 1; stopAt < steps; stopAt++) {
      await run({ dir: pieces, best: highest, stopAt });
      // Lost and changed files come again.
      if (stopAt === 3) await rm(path.join(pieces, bestFile));
    }
    const many = await run({ dir: pieces, best: highest });
    assert.deepEqual(many.result!.best, one.result!.best);
    assert.deepEqual(many.result!.history, one.result!.history);
    assert.deepEqual(await fileIn(pieces), await fileIn(whole));
    assert.deepEqual((await run({})).after.get(steps), one.after.get(steps));
  });

  it('by another signal than before are watched for from there on, which is said', async () => {
    const dir = path.join(root, 'other signal');
    await run({ dir, best: highest, stopAt: 3 });
    const { result, log } = await run({ dir, best: { signal: 'loss', higher: false } });
    assert.match(log, /does not hold the best weights by `loss`: they are watched for from step 3 on/);
    assert.ok(result!.best!.point.step > 3);
  });

  it('of a run that came to nothing are written before it ends', async () => {
    const dir = path.join(root, 'broken');
    await assert.rejects(run({ dir, best: highest, breaksAt: 3 }), TrainingProblem);
    assert.equal(decodeSafetensors(await fileIn(dir)).metadata['step'], '2');
  });

  it('keep no tensors', async () => {
    const counts: number[] = [];
    await run({ best: highest, onProgress: () => void counts.push(tf.memory().numTensors) });
    assert.equal(new Set(counts.slice(1)).size, 1, counts.join(' '));
  });
});
