import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { encodeSafetensors } from '../../src/network/safetensors.js';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { openRuntime } from '../../src/runtime/open.js';
import { isNative } from '../../src/runtime/ops/native-op.js';
import { tf } from '../../src/runtime/tensors.js';
import { CheckpointProblem } from '../../src/training/checkpoint-problem.js';
import { loadCheckpoint, saveCheckpoint } from '../../src/training/checkpoints.js';
import { initialHealth } from '../../src/training/health.js';
import type { TrainProgress, TrainState } from '../../src/training/train-state.js';
import { train, type TrainOptions, type TrainResult } from '../../src/training/train.js';
import { tinyDisk, type TinyDisk } from './tiny-disk.js';
import { hashToy, toyRun } from './toy-run.js';

const script = path.join(import.meta.dirname, 'toy-run-process.js');

/** A train state of about so many kB. */
const stateOf = (step: number, kilobytes: number): TrainState => ({
  progress: {
    ...{ config: {}, step, optimizerStep: step, optimizerMissed: {}, weights: null, pendingLosses: [], history: [] },
    ...{ health: initialHealth, runtime: 'cpu', threads: 1 },
  } satisfies TrainProgress,
  arrays: new Map([['trunk/w', { shape: [256 * kilobytes], data: new Float32Array(256 * kilobytes).fill(step) }]]),
});

describe('checkpoints, when something is wrong with the disk or the files', () => {
  let root: string;
  const disks: TinyDisk[] = [];
  before(async () => {
    await openRuntime({ threads: 1 });
    root = await mkdtemp(path.join(tmpdir(), 'faults-'));
  });
  after(async () => {
    for (const disk of disks) disk.remove();
    await rm(root, { recursive: true, force: true });
  });

  /** A disk, or the end of the test with the reason. */
  const diskFor = (test: Mocha.Context, kilobytes: number): TinyDisk => {
    const disk = tinyDisk(kilobytes);
    if (!disk) {
      console.log('      skipped: only root may mount a small disk');
      return test.skip();
    }
    disks.push(disk);
    return disk;
  };
  /** Trains the toy; gives the result, the hash of the weights and what was said. */
  const trained = async (options: { readonly steps: number } & Partial<TrainOptions<number>>) => {
    const lines: string[] = [];
    const run = toyRun({ checkpointEvery: 2, log: (line) => void lines.push(line), ...options });
    const result: TrainResult = await train(run);
    return { ...result, hash: hashToy(run.trunk), log: lines.join('\n') };
  };
  const checkpointsIn = async (dir: string): Promise<string[]> => (await readdir(dir)).sort();
  const stepsIn = async (dir: string): Promise<number[]> =>
    (await checkpointsIn(dir)).filter((name) => name.endsWith('.safetensors')).map((name) => Number(name.slice(5, 14)));
  const change = async (file: string, edit: (bytes: Buffer) => Uint8Array): Promise<void> =>
    writeFile(file, edit(await readFile(file)));

  it('a full disk stops the run with folder, space and the way on; what was saved is there, and the run goes on from it', async function () {
    const disk = diskFor(this, 256);
    const dir = path.join(disk.root, 'run');
    const whole = await trained({ steps: 8 });
    const full = trained({
      steps: 8,
      dir,
      onProgress: ({ done }) => done === 3 && disk.fill(0),
    });
    await assert.rejects(full, (error: unknown) => {
      assert.ok(error instanceof CheckpointProblem);
      assert.equal(error.code, 'ENOSPC');
      assert.ok(error.message.includes(dir), error.message);
      assert.match(
        error.message,
        /checkpoint of step 4 could not be written.*the disk is full \(it needs \d+ kB, 0 kB are free\)/,
      );
      assert.match(
        error.message,
        /Make room for \d+ kB, and start it again\..*newest checkpoint is of step 2, and the run goes on from there/,
      );
      return true;
    });
    assert.deepEqual(await stepsIn(dir), [2]);
    assert.equal((await checkpointsIn(dir)).length, 1, 'half of a file is left');
    disk.clear();
    const again = await trained({ steps: 8, dir });
    assert.equal(again.resumedFrom, 2);
    assert.equal(again.hash, whole.hash);
    assert.deepEqual(again.history, whole.history);
  });

  it('TensorBoard files that find no room are told once, cost nothing else, and hide no other problem', async function () {
    if (!isNative()) return this.skip();
    const disk = diskFor(this, 256);
    const events = path.join(disk.root, 'events');
    await mkdir(events);
    disk.fill(0);
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    const whole = await trained({ steps: 8 });
    const run = toyRun({ steps: 8, logEvery: 1, eventsDir: events, log });
    const tensors = tf.memory().numTensors;
    await train(run);
    assert.equal(hashToy(run.trunk), whole.hash);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(
      lines[0]!,
      /No \(more\) TensorBoard event files in .*events \(No space left on device\): the training goes on/,
    );
    assert.equal(tf.memory().numTensors, tensors + 1, 'the head of the toy alone stays');
    disk.clear();
    const full = trained({
      ...{ steps: 8, dir: path.join(disk.root, 'run'), eventsDir: events, logEvery: 1 },
      onProgress: ({ done }) => done === 3 && disk.fill(0),
    });
    await assert.rejects(full, CheckpointProblem);
  });

  it('on a full disk the checkpoint before the newest makes room for the next', async function () {
    const disk = diskFor(this, 512);
    const dir = path.join(disk.root, 'run');
    const lines: string[] = [];
    const save = (step: number) => saveCheckpoint(dir, stateOf(step, 100), { log: (line) => void lines.push(line) });
    await save(1);
    await save(2);
    disk.fill(8192);
    await save(3);
    assert.deepEqual(await stepsIn(dir), [2, 3]);
    assert.match(lines.join('\n'), /No room for the checkpoint of step 3.*those before the newest \(step 2\) make way/);
  });

  it('but not if the newest is damaged: the sound one before it stays', async function () {
    const disk = diskFor(this, 512);
    const dir = path.join(disk.root, 'run');
    await saveCheckpoint(dir, stateOf(1, 100));
    const newest = await saveCheckpoint(dir, stateOf(2, 100));
    await change(newest, (bytes) => bytes.fill(1, 5000, 5001));
    disk.fill(8192);
    await assert.rejects(saveCheckpoint(dir, stateOf(3, 100)), CheckpointProblem);
    assert.deepEqual(await stepsIn(dir), [1, 2]);
    assert.equal((await loadCheckpoint(dir, () => {}))!.progress.step, 1);
  });

  it('a disk without room for one checkpoint is refused before the first step', async function () {
    const disk = diskFor(this, 256);
    disk.fill(0);
    let steps = 0;
    const run = trained({ steps: 8, dir: disk.root, onProgress: () => void steps++ });
    await assert.rejects(run, /A checkpoint could not be written.*the disk is full.*begins anew/);
    assert.equal(steps, 0);
  });

  it('a read-only folder is refused before the first step; a finished run there is read all the same', async function () {
    const disk = diskFor(this, 256);
    const dir = path.join(disk.root, 'run');
    const whole = await trained({ steps: 4, dir });
    disk.setReadOnly(true);
    assert.equal((await trained({ steps: 4, dir })).hash, whole.hash);
    let steps = 0;
    const run = trained({ steps: 4, dir: path.join(disk.root, 'other'), onProgress: () => void steps++ });
    await assert.rejects(run, (error: unknown) => {
      assert.ok(error instanceof CheckpointProblem);
      assert.equal(error.code, 'EROFS');
      assert.match(error.message, /disk-\w+\/other: it is read-only for this user\. Change its permissions/);
      return true;
    });
    assert.equal(steps, 0);
  });

  it('a folder that becomes read-only during the run stops it at the next checkpoint, with the step that is kept', async function () {
    const disk = diskFor(this, 256);
    const dir = path.join(disk.root, 'run');
    const run = trained({ steps: 8, dir, onProgress: ({ done }) => done === 3 && disk.setReadOnly(true) });
    await assert.rejects(run, /checkpoint of step 4.*read-only.*newest checkpoint is of step 2/);
    disk.setReadOnly(false);
    assert.equal((await trained({ steps: 8, dir })).resumedFrom, 2);
  });

  it('a limit on the size of files is told, and no half of a file stays', async function () {
    this.timeout(120_000);
    const dir = path.join(root, 'limit');
    const whole = await trained({ steps: 11, checkpointEvery: 4 });
    const limited = promisify(execFile)('bash', [
      '-c',
      'ulimit -f 1; exec "$@"',
      'bash',
      process.execPath,
      script,
      dir,
      '-1',
    ]);
    await assert.rejects(limited, ({ stderr }: { stderr: string }) => {
      assert.match(stderr, /could not be written into .*files as large are not allowed there/);
      return true;
    });
    assert.deepEqual(await checkpointsIn(dir), []);
    assert.equal((await trained({ steps: 11, checkpointEvery: 4, dir })).hash, whole.hash);
  });

  it('a file in the place of the folder is told', async () => {
    const dir = path.join(root, 'file');
    await writeFile(dir, 'not a folder');
    const problem = /A checkpoint could not be written into .*: a file stands in its place\. Move it away/;
    await assert.rejects(trained({ steps: 4, dir }), problem);
    await assert.rejects(trained({ steps: 4, dir: path.join(dir, 'below') }), problem);
  });

  const damages: Readonly<Record<string, (bytes: Buffer) => Uint8Array>> = {
    'cut off': (bytes) => bytes.subarray(0, bytes.length >> 1),
    empty: () => Buffer.alloc(0),
    'with one bit flipped': (bytes) => {
      bytes[bytes.length - 5]! ^= 4;
      return bytes;
    },
    'with a header that claims the whole of memory': (bytes) => {
      bytes.fill(255, 0, 7);
      return bytes;
    },
    'longer than it was': (bytes) => Buffer.concat([bytes, Buffer.alloc(512)]),
  };
  for (const [name, damage] of Object.entries(damages)) {
    it(`the newest checkpoint ${name}: it says so, goes on from the one before, and ends at the same bytes`, async () => {
      const dir = path.join(root, `damage ${name}`);
      const whole = await trained({ steps: 8 });
      await assert.rejects(trained({ steps: 8, dir, ...stopping(4) }), /stopped/);
      const [, newest] = await checkpointsIn(dir);
      await change(path.join(dir, newest!), damage);
      const again = await trained({ steps: 8, dir });
      assert.equal(again.resumedFrom, 2);
      assert.match(again.log, /The checkpoint of step 4 is damaged.*trying the one before.*step-000000004/);
      assert.equal(again.hash, whole.hash);
      assert.deepEqual(again.history, whole.history);
      assert.deepEqual(await stepsIn(dir), [6, 8]);
      assert.equal((await checkpointsIn(dir)).length, 2, 'the damaged one is left');
    });
  }

  it('all checkpoints damaged: it says so, begins anew, and new checkpoints are not pushed out by damaged ones of later steps', async () => {
    const dir = path.join(root, 'all damaged');
    const whole = await trained({ steps: 20, dir, checkpointEvery: 10 });
    for (const name of await checkpointsIn(dir)) await change(path.join(dir, name), damages['empty']!);
    const stopped = stopping(4);
    await assert.rejects(trained({ steps: 20, dir, ...stopped }), /stopped/);
    assert.deepEqual(await stepsIn(dir), [2, 4]);
    assert.deepEqual(
      (await checkpointsIn(dir)).filter((name) => name.endsWith('.damaged')).map((name) => Number(name.slice(5, 14))),
      [10, 20],
      'damaged files stay until the run has passed them',
    );
    const again = await trained({ steps: 20, dir });
    assert.equal(again.resumedFrom, 4);
    assert.equal(again.hash, whole.hash);
    assert.deepEqual(await stepsIn(dir), [18, 20]);
    assert.equal((await checkpointsIn(dir)).length, 2);
  });

  it('says that it begins anew when the only checkpoint is damaged', async () => {
    const dir = path.join(root, 'only');
    await saveCheckpoint(dir, stateOf(3, 1));
    const [only] = await checkpointsIn(dir);
    await change(path.join(dir, only!), damages['cut off']!);
    const lines: string[] = [];
    assert.equal(await loadCheckpoint(dir, (line) => void lines.push(line)), undefined);
    assert.match(
      lines.join('\n'),
      /step 3 is damaged.*there is none before it[^]*The only checkpoint in .* begins anew, from step 0/,
    );
  });

  it('a checkpoint of another version is refused, with what can be done', async () => {
    const dir = path.join(root, 'version');
    await mkdir(dir);
    const bytes = Buffer.concat(encodeSafetensors(new Map(), { format: '0', progress: '{}' }));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeFile(path.join(dir, `step-000000007.${sha256}.safetensors`), bytes);
    await assert.rejects(trained({ steps: 8, dir }), (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(
        error.message,
        /Expected a checkpoint of format 1, got format 0 .*another version.*begin anew.*step 7/,
      );
      return true;
    });
    assert.equal((await checkpointsIn(dir)).length, 1, 'it is still there');
  });

  it('names every setting that differs, however deep, and leaves the checkpoint as it is', async () => {
    const dir = path.join(root, 'config');
    const whole = await trained({ steps: 4, dir, config: { own: { margin: 0.5, negatives: 4 } } });
    const other = trained({ steps: 6, dir, config: { own: { margin: 1, negatives: 4, queue: 8 } } });
    await assert.rejects(other, (error: unknown) => {
      assert.ok(error instanceof UsageError);
      const lines = error.message.split('\n');
      assert.deepEqual(lines.slice(1, -1), [
        '  own.margin: it has 0.5, this run has 1',
        '  own.queue: it has nothing, this run has 8',
        '  steps: it has 4, this run has 6',
      ]);
      assert.match(lines.at(-1)!, /old values to go on from it, or with another folder to begin anew/);
      return true;
    });
    const again = await trained({ steps: 4, dir, config: { own: { margin: 0.5, negatives: 4 } } });
    assert.deepEqual([again.resumedFrom, again.hash], [4, whole.hash]);
  });

  it('keeps as many checkpoints as it is asked for', async () => {
    for (const [keepLast, kept] of [
      [1, [8]],
      [3, [4, 6, 8]],
      [9, [2, 4, 6, 8]],
    ] as const) {
      const dir = path.join(root, `last ${keepLast}`);
      await trained({ steps: 8, dir, keepLast });
      assert.deepEqual(await stepsIn(dir), kept);
    }
    await assert.rejects(
      trained({ steps: 8, keepLast: 0 }),
      /Expected `keepLast` to be a whole number above 0, got `0`/,
    );
  });
});

/** Options that stop a run after a step, with a checkpoint. */
const stopping = (step: number): Pick<TrainOptions<number>, 'signal' | 'onProgress'> => {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done === step) controller.abort(new Error('stopped'));
    },
  };
};
