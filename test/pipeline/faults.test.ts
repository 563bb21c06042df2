import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { explainSurroundings } from '../../src/pipeline/run-errors.js';
import { makeWorker } from '../../src/pipeline/workers/worker-pool.js';
import { tinyDisk } from '../training/tiny-disk.js';
import { clockAt } from './fixtures/other-clock.js';
import { keepToys } from './fixtures/keep-toys.js';
import { ToyRun } from './fixtures/toy-run.js';

describe('A run', () => {
  const keep = keepToys();
  const make = (texts?: Record<string, string>): ToyRun => keep(new ToyRun(texts));
  let digest: string;
  before(async () => {
    const toy = make();
    assert.equal((await toy.run()).code, 0);
    digest = await toy.digest();
  });

  it('stops on SIGTERM as on Ctrl-C, with the exit code that schedulers expect, and says how to go on', async () => {
    const toy = make();
    const args = ['--set', 'train.steps=20', '--set', 'train.stepMs=30'];
    const run = toy.start(args);
    await run.printed(/pid (\d+)/);
    run.child.kill('SIGTERM');
    const end = await run.done;
    assert.equal(end.code, 143, end.out + end.err);
    assert.match(end.err, /^Interrupted\. To go on:\n {2}npm run pipeline toy -- /);
    assert.match((await toy.status()).out, /^toy: interrupted/);
  });

  it('that has no terminal outlives the session it was started in: SIGHUP alone does not stop it', async () => {
    const toy = make({ a: 'text a', b: 'text b', empty: '' });
    const hold = path.join(toy.root, 'hold');
    writeFileSync(hold, '');
    const run = toy.start([], { TOY_HOLD: hold });
    await run.printed(/holding/);
    run.child.kill('SIGHUP');
    await run.printed(/SIGHUP, to a run without a terminal: going on \(SIGTERM stops it\)/);
    rmSync(hold);
    assert.equal((await run.done).code, 0);
    assert.equal(await toy.digest(), digest);
  });

  it('takes no verdict from a file that changed or vanished while it was read, and tries again once it is back', async () => {
    const toy = make({ a: 'text a', b: 'text b', empty: '' });
    const hold = path.join(toy.root, 'hold');
    writeFileSync(hold, '');
    const run = toy.start(['--jobs', '3'], { TOY_HOLD: hold });
    await run.printed(/a: holding[^]*b: holding|b: holding[^]*a: holding/);
    const [a, b] = ['a', 'b'].map((name) => path.join(toy.texts, name)) as [string, string];
    writeFileSync(a, 'changed');
    renameSync(b, `${toy.root}/b`);
    rmSync(hold);
    assert.equal((await run.done).code, 0);
    const status = (await toy.status()).out;
    assert.match(status, /1 failed: it changed while the run was at work\n {4}a\n/);
    assert.match(status, /1 failed: it vanished, or could no longer be read, while the run was at work\n {4}b\n/);
    renameSync(`${toy.root}/b`, b);
    writeFileSync(a, 'text a');
    assert.equal((await toy.run()).code, 0);
    assert.equal(await toy.digest(), digest);
  });

  it('on a full disk says so, and goes on to the same digest once there is some', async function () {
    const disk = tinyDisk(2000);
    if (!disk) return this.skip();
    try {
      for (const free of [130_000, 240_000]) {
        const toy: ToyRun = Object.assign(make(), { work: path.join(disk.root, String(free)) });
        disk.fill(free);
        const end = await toy.run();
        assert.equal(end.code, 1, `${free}: ${end.out}${end.err}`);
        assert.match(end.err, /^The disk that holds .* is full\. Nothing that was finished is lost: make room/);
        disk.clear();
        assert.equal((await toy.run()).code, 0);
        assert.equal(await toy.digest(), digest);
      }
    } finally {
      disk.remove();
    }
  });

  it('counts on no clock: it may jump by years between two runs, and within one', async () => {
    const toy = make();
    assert.equal((await toy.run(['--until', 'measure'], clockAt(-20))).code, 0);
    const before = toy.executions();
    assert.equal((await toy.run(['--until', 'train'], clockAt(+50))).code, 0);
    for (const [line, count] of before) assert.equal(toy.executions().get(line), count);
    assert.equal((await toy.run([], clockAt(-1, 'jumping'))).code, 0);
    assert.equal(await toy.digest(), digest);
    assert.match((await toy.run(['--plan'])).out, /measure +reuse .*\ntrain +reuse .*\nreport +reuse/);
  });

  it('is not kept waiting by a process that does not come to life', async () => {
    const setup = {
      ...{ module: new URL('./fixtures/train.work.js', import.meta.url).href, params: {}, inputs: [] },
      settings: { device: 'cpu', jobs: 1, command: '' } as const,
    };
    const worker = makeWorker('tensors', setup, { environment: {}, startWithinMs: 1 });
    const task = { item: { label: 'a', content: '', payload: {} }, outputs: '.', scratch: '.' };
    const verdict = await worker.run(task, { progress: () => undefined, log: () => undefined });
    assert.deepEqual(verdict, {
      status: 'failed',
      reason: 'The process that does the work did not come to life.',
      code: 'EAGAIN',
    });
  });

  it('explains what the system refuses, and blames no item for it', () => {
    for (const [code, expected] of [
      ['ENOSPC', /is full\..*make room/],
      ['EDQUOT', /This user's share of the disk that holds runs\/a is used up/],
      ['EFBIG', /`ulimit -f`/],
      ['EMFILE', /`ulimit -n`/],
      ['EAGAIN', /`ulimit -u`/],
      ['ENOMEM', /`ulimit -v`/],
      ['EROFS', /read-only/],
      ['EIO', /reports an error/],
      ['ESTALE', /reports an error/],
      ['SQLITE_FULL', /is full/],
      ['SQLITE_READONLY_DBMOVED', /was moved or removed/],
      ['SQLITE_IOERR_SHMMAP', /cannot be locked .*network drives/],
      ['SQLITE_IOERR_WRITE', /reports an error .*`ulimit -f`/],
    ] as const)
      assert.match(explainSurroundings({ code, message: 'm' }, 'runs/a')!, expected, code);
    for (const error of [
      new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance'),
      new RangeError('WebAssembly.Memory(): could not allocate memory'),
      { reason: 'Array buffer allocation failed' },
      { reason: 'The worker thread ran out of memory.', code: 'ERR_WORKER_OUT_OF_MEMORY' },
    ])
      assert.match(explainSurroundings(error, 'runs/a')!, /no memory left.*`ulimit -v`/);
    const gone = { code: 'ENOENT', message: "ENOENT: no such file, open 'runs/a/mine/00/x'" };
    assert.match(explainSurroundings(gone, 'runs/a')!, /vanished while a run was at work .*made again/);
    for (const error of [{ code: 'ENOENT', message: 'open /elsewhere' }, { code: 'EACCES' }, new Error('m'), undefined])
      assert.equal(explainSurroundings(error, 'runs/a'), undefined);
  });
});
