import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isNative } from '../../src/runtime/ops/native-op.js';
import { openRuntime } from '../../src/runtime/open.js';
import { tf, type Tensor2D } from '../../src/runtime/tensors.js';
import { openEventFile } from '../../src/training/event-file.js';
import {
  checkLoss,
  initialHealth,
  measureSpread,
  TrainingProblem,
  watchLoss,
  watchSpread,
} from '../../src/training/health.js';
import { train, type TrainOptions } from '../../src/training/train.js';
import { toyRun } from './toy-run.js';

describe('health of a run', () => {
  before(() => openRuntime({ threads: 1 }));

  it('equal embeddings have no spread', () => {
    tf.tidy(() => assert.ok(measureSpread(tf.tile(tf.tensor2d([[0.6, 0.8]]), [5, 1])).spread < 1e-12));
  });

  it('the effective rank counts the directions in use, whichever of rows and columns are more', () => {
    tf.tidy(() => {
      // Plus and minus each axis: k axes with equal variance, mean 0, length 1.
      for (const [axes, dim] of [
        [1, 8],
        [3, 8],
        [3, 3],
        [8, 8],
      ] as const) {
        const plus = tf.slice(tf.eye(dim), [0, 0], [axes, dim]);
        const { spread, effectiveRank } = measureSpread(tf.concat2d([plus, tf.neg(plus)], 0));
        assert.ok(Math.abs(effectiveRank - axes) < 1e-4, `${effectiveRank} is not ${axes}`);
        assert.ok(Math.abs(spread - 1) < 1e-5);
      }
    });
  });

  it('collapse is called at the third narrow reading in a row, and once', () => {
    let state = initialHealth;
    const read = (spread: number): string | undefined => {
      const watched = watchSpread(state, { spread, effectiveRank: 1 }, 10);
      state = watched.state;
      return watched.advice;
    };
    assert.equal(read(0.5), undefined);
    for (const spread of [1e-6, 1e-6, 0.1, 1e-6, 1e-6]) assert.equal(read(spread), undefined);
    assert.match(read(1e-6)!, /All embeddings have become alike/);
    assert.equal(read(1e-6), undefined);
  });

  it('a network that begins narrow is not called collapsed', () => {
    let state = initialHealth;
    for (let i = 0; i < 10; i++) {
      const watched = watchSpread(state, { spread: 1e-5, effectiveRank: 1 }, i);
      assert.equal(watched.advice, undefined);
      state = watched.state;
    }
  });

  it('a loss that is no number stops the run; any other does not', () => {
    checkLoss(1e30, 1, 0.1);
    for (const loss of [NaN, Infinity, -Infinity]) assert.throws(() => checkLoss(loss, 7, 0.1), TrainingProblem);
  });
});

/** A curve with a point every 10 steps; its uniform value is 2. */
const curveOf = (losses: readonly number[]) =>
  losses.map((loss, k) => ({ step: 10 * (k + 1), loss, uniform: 2, learningRate: 0.25 }));

/** The steps at which divergence is called along a curve. */
const verdicts = (losses: readonly number[], epochSteps: number): number[] =>
  losses.flatMap((_, k) =>
    watchLoss(curveOf(losses.slice(0, k + 1)), epochSteps) === undefined ? [] : [10 * (k + 1)],
  );

const repeat = (count: number, loss: (k: number) => number): number[] =>
  Array.from({ length: count }, (_, k) => loss(k));

describe('a training whose embeddings become alike', () => {
  before(() => openRuntime({ threads: 1 }));

  /** The toy, whose embeddings are all its first from step 6 on. */
  const collapsing = (more: Partial<TrainOptions<number>>): TrainOptions<number> => {
    const options = toyRun({ steps: 20, logEvery: 2, ...more });
    const step: typeof options.method.step = (images, batch) => {
      const result = options.method.step(images, batch);
      if (batch.step < 6) return result;
      const embedding = result.signals['embedding'] as Tensor2D;
      const alike = tf.tidy(() => tf.tile(tf.slice(embedding, [0, 0], [1, -1]), [embedding.shape[0], 1]));
      return { ...result, signals: { ...result.signals, embedding: alike } };
    };
    return { ...options, method: { ...options.method, step } };
  };

  it('stops with advice at the third point that shows it', async () => {
    const seen: number[] = [];
    await assert.rejects(train(collapsing({ onProgress: ({ done }) => void seen.push(done) })), (error: Error) => {
      assert.ok(error instanceof TrainingProblem);
      assert.match(error.message, /All embeddings have become alike \(spread .* at step 12, .* before\)/);
      assert.match(error.message, /Lower the learning rate or begin with a warm-up/);
      return true;
    });
    assert.equal(seen.at(-1), 11);
  });

  it('as a control is told so once, and goes on to its number', async () => {
    const lines: string[] = [];
    const { steps, history } = await train(collapsing({ onCollapse: 'warn', log: (line) => void lines.push(line) }));
    assert.equal(steps, 20);
    assert.equal(lines.filter((line) => line.includes('become alike')).length, 1);
    assert.ok(history.at(-1)!['spread']! < 1e-12);
  });
});

describe('divergence', () => {
  it('is called once, when a finite loss has been far above uniform for an epoch without falling, and says what to lower', () => {
    const losses = [...repeat(4, () => 1.5), ...repeat(30, () => 40)];
    assert.deepEqual(verdicts(losses, 150), [190]);
    const advice = watchLoss(curveOf(losses.slice(0, 19)), 150)!;
    assert.match(advice, /loss is 40\.0 at step 190, 20 times .* learned nothing \(2\.00\)/);
    assert.match(advice, /diverged.*Lower the learning rate \(now 0\.250\)/);
  });

  it('is not called of a loss that begins far above uniform and falls, however slowly', () => {
    assert.deepEqual(
      verdicts(
        repeat(60, (k) => 100 - k),
        100,
      ),
      [],
    );
  });

  it('is not called of a loss that stays near its uniform value, or is far above it for less than an epoch', () => {
    const noisy = repeat(60, (k) => (k % 7 === 0 ? 50 : 5.9));
    assert.deepEqual(verdicts(noisy, 100), []);
    assert.deepEqual(verdicts([...repeat(20, () => 1), ...repeat(19, () => 50), ...repeat(20, () => 1)], 200), []);
  });

  it('needs ten points of a curve, where an epoch has fewer', () => {
    assert.deepEqual(
      verdicts(
        repeat(12, () => 50),
        20,
      ),
      [100],
    );
  });

  it('is not called where the uniform value is none that a loss could be held against', () => {
    for (const uniform of [0, -1, NaN]) {
      const curve = curveOf(repeat(20, () => 50)).map((point) => ({ ...point, uniform }));
      assert.equal(watchLoss(curve, 100), undefined);
    }
  });
});

describe('event files', () => {
  before(() => openRuntime({ threads: 1 }));

  it('hold the scalars on native TensorFlow, and are openly left out elsewhere', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'events-'));
    const lines: string[] = [];
    const tensors = tf.memory().numTensors;
    const events = openEventFile(folder, (line) => void lines.push(line));
    events?.write(3, { step: 3, loss: 0.5, effectiveRank: 2 });
    events?.close();
    assert.equal(tf.memory().numTensors, tensors);
    const files = await readdir(folder);
    if (isNative()) {
      const text = (await readFile(path.join(folder, files[0]!))).toString('latin1');
      assert.ok(text.includes('loss') && text.includes('effectiveRank') && !text.includes('step'));
    } else {
      assert.match(lines.join(), /need native TensorFlow/);
      assert.equal(files.length, 0);
    }
    await rm(folder, { recursive: true, force: true });
  });
});
