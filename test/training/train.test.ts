import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openRuntime } from '../../src/runtime/open.js';
import { tf } from '../../src/runtime/tensors.js';
import { TrainingProblem } from '../../src/training/health.js';
import { train, type TrainOptions } from '../../src/training/train.js';
import { toyRun, toyTrunk } from './toy-run.js';

const script = path.join(import.meta.dirname, 'toy-run-process.js');

/** Trains in a process of its own, to the end or to `stopAt`; gives the hash of the weights, or that it was stopped. */
const inProcess = async (
  dir: string,
  stopAt?: number,
  killAt?: number,
): Promise<{ hash?: string; log: string; resumedFrom?: number }> => {
  const env = { ...process.env, ...(killAt === undefined ? {} : { VIDEO_SSL_KILL_AT: String(killAt) }) };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, dir, String(stopAt ?? -1)], { env });
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as { hash?: string; log: string };
  } catch (error) {
    assert.equal((error as { signal?: string }).signal, 'SIGKILL', String(error));
    return { log: 'killed' };
  }
};

describe('training loop', () => {
  let root: string;
  before(async () => {
    await openRuntime({ threads: 1 });
    root = await mkdtemp(path.join(tmpdir(), 'train-'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  it('learns, and records loss, its uniform value and the signals', async () => {
    const { history, finalLoss, steps } = await train(toyRun({ steps: 20 }));
    assert.equal(steps, 20);
    assert.deepEqual(
      history.map(({ step }) => step),
      [5, 10, 15, 20],
    );
    assert.ok(finalLoss < 0.5 * history[0]!.loss, `${history[0]!.loss} → ${finalLoss}`);
    for (const name of ['uniform', 'learningRate', 'norm', 'spread', 'effectiveRank', 'uniformity']) {
      assert.ok(Number.isFinite(history[0]![name]), name);
    }
  });

  it('a run in pieces, each in a fresh process, ends at the same bytes as one in one go', async function () {
    this.timeout(120_000);
    const whole = await inProcess(path.join(root, 'whole'));
    assert.ok(whole.hash);
    const pieces = path.join(root, 'pieces');
    assert.equal((await inProcess(pieces, 3)).log, 'stopped');
    // Step 3 is in the middle of an epoch and between points of the curve; then a kill while a checkpoint is being written.
    assert.equal((await inProcess(pieces, undefined, 3)).log, 'killed');
    const last = await inProcess(pieces);
    assert.ok(last.resumedFrom! >= 3);
    assert.deepEqual({ ...last, resumedFrom: 0 }, { ...whole, log: last.log, resumedFrom: 0 });
  });

  it('a damaged checkpoint is passed over for the one before, with a message', async () => {
    const dir = path.join(root, 'damaged');
    const whole = await train(toyRun({ steps: 6, dir, checkpointEvery: 2 }));
    const files = (await readdir(dir)).sort();
    assert.deepEqual(
      files.map((name) => name.slice(0, 14)),
      ['step-000000004', 'step-000000006'],
    );
    const newest = path.join(dir, files[1]!);
    const bytes = await readFile(newest);
    await writeFile(newest, bytes.subarray(0, bytes.length - 10));
    const lines: string[] = [];
    const again = await train(toyRun({ steps: 6, dir, checkpointEvery: 2, log: (line) => void lines.push(line) }));
    assert.equal(again.resumedFrom, 4);
    assert.deepEqual(again.history, whole.history);
    assert.match(lines.join('\n'), /The checkpoint of step 6 is damaged/);
  });

  it('a finished run is not run again', async () => {
    const dir = path.join(root, 'finished');
    const first = await train(toyRun({ steps: 4, dir }));
    const second = await train(toyRun({ steps: 4, dir }));
    assert.equal(second.resumedFrom, 4);
    assert.equal(second.imagesPerSecond, 0);
    assert.deepEqual(second.history, first.history);
  });

  it('refuses to go on with another configuration, naming what differs', async () => {
    const dir = path.join(root, 'config');
    await train(toyRun({ steps: 4, dir, config: { tau: 0.1 } }));
    await assert.rejects(train(toyRun({ steps: 4, dir, seed: 2, config: { tau: 0.2 } })), (error: Error) => {
      assert.match(error.message, /seed: it has 1, this run has 2/);
      assert.match(error.message, /tau: it has 0.1, this run has 0.2/);
      assert.doesNotMatch(error.message, /batchSize/);
      return true;
    });
  });

  it('says that a changed thread count or device changes the bytes', async () => {
    const dir = path.join(root, 'threads');
    const runtime = { backend: 'tensorflow', device: 'cpu', version: '1', threads: 1 } as const;
    await train(toyRun({ steps: 2, dir, runtime }));
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    await train(toyRun({ steps: 2, dir, runtime: { ...runtime, threads: 2, device: 'gpu' }, log }));
    assert.match(lines.join('\n'), /made with 1 threads, this run has 2/);
    assert.match(lines.join('\n'), /made with tensorflow 1, this run has tensorflow 1 on a GPU/);
  });

  it('stops with its reason after the step under way, which is in the checkpoint', async () => {
    const dir = path.join(root, 'abort');
    const controller = new AbortController();
    const reason = new Error('asked to stop');
    const run = train(
      toyRun({
        steps: 9,
        dir,
        signal: controller.signal,
        onProgress: ({ done }) => done === 4 && controller.abort(reason),
      }),
    );
    await assert.rejects(run, reason);
    assert.deepEqual(
      (await readdir(dir)).map((name) => name.slice(0, 14)),
      ['step-000000004'],
    );
  });

  it('stops with advice when the loss is no number', async () => {
    await assert.rejects(train(toyRun({ steps: 10, rate: 1e30 })), (error: Error) => {
      assert.ok(error instanceof TrainingProblem);
      assert.match(error.message, /Lower the learning rate/);
      return true;
    });
  });

  it('stops with advice when the loss has diverged; where that is to be said only, says it once and goes on', async () => {
    /** Beside so low a uniform value, the losses of a network that does not move are far too high. */
    const stuck = (more: Partial<TrainOptions<number>>) => {
      const options = toyRun({ steps: 30, rate: 1e-9, logEvery: 1, ...more });
      return { ...options, method: { ...options.method, uniformLoss: () => 1e-3 } };
    };
    await assert.rejects(train(stuck({})), (error: Error) => {
      assert.ok(error instanceof TrainingProblem);
      assert.match(error.message, /has diverged.*Lower the learning rate/);
      return true;
    });
    const lines: string[] = [];
    const { steps } = await train(stuck({ onCollapse: 'warn', log: (line) => void lines.push(line) }));
    assert.equal(steps, 30);
    assert.ok(lines.some((line) => line.includes('diverged')));
  });

  it('leaves no more tensors after many steps than after few', async () => {
    const counts: number[] = [];
    const options = toyRun({ steps: 8, logEvery: 1, onProgress: () => void counts.push(tf.memory().numTensors) });
    await train(options);
    assert.equal(new Set(counts.slice(1)).size, 1, counts.join(' '));
  });

  it('visits samples and draws views as functions of seed and step alone', async () => {
    const seen: string[][] = [[], []];
    for (const [run, steps] of [
      [0, 4],
      [1, 8],
    ] as const) {
      const { source, ...rest } = toyRun({ steps });
      await train({
        ...rest,
        source: {
          ...source,
          render: (indices, views) => {
            seen[run]!.push(JSON.stringify([[...indices], views]));
            return source.render(indices, views);
          },
        },
      });
    }
    assert.deepEqual(seen[1]!.slice(0, 4), seen[0]);
    assert.equal(new Set(seen[1]).size, 8);
  });

  it('tells the source what it will ask for next, within an epoch, and lets it go at the end', async () => {
    const calls: string[] = [];
    const announced: unknown[][] = [];
    const run = (source: Partial<ReturnType<typeof toyRun>['source']>) => {
      const toy = toyRun({ steps: 5 });
      return train({ ...toy, source: { ...toy.source, ...source } });
    };
    const { source } = toyRun({ steps: 5 });
    const { history } = await run({
      prepare: (indices, views) => {
        calls.push('prepare');
        announced.push([indices, views]);
      },
      render: (indices, views) => {
        calls.push('render');
        if (announced.length > 0) assert.deepEqual([indices, views], announced.pop());
        return source.render(indices, views);
      },
      release: () => calls.push('release'),
    });
    // Ten samples in batches of three: the fourth step begins another epoch.
    const twice = ['render', 'prepare', 'render', 'prepare', 'render'];
    assert.deepEqual(calls, [...twice, 'render', 'prepare', 'render', 'release']);
    assert.deepEqual(announced, []);
    assert.deepEqual(history, (await run({})).history);
  });

  it('the toy trunk gives a different network for a different seed', () => {
    assert.notDeepEqual(toyTrunk(1).variables.get('w')!.dataSync(), toyTrunk(2).variables.get('w')!.dataSync());
  });
});
