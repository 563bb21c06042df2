import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeWorker } from '../../src/pipeline/worker-pool.js';
import { tinyDisk } from '../training/tiny-disk.js';
import { changeLedger } from './fixtures/change-ledger.js';
import { clockAt } from './fixtures/other-clock.js';
import { ToyRun } from './fixtures/toy-run.js';

describe('A run', () => {
  const made: ToyRun[] = [];
  const make = (texts?: Record<string, string>): ToyRun => {
    const toy = new ToyRun(texts);
    made.push(toy);
    return toy;
  };
  let digest: string;
  before(async () => {
    const toy = make();
    assert.equal((await toy.run()).code, 0);
    digest = await toy.digest();
  });
  after(() => made.forEach((toy) => toy.remove()));

  it('stops on SIGTERM as on Ctrl-C, with the exit code that schedulers expect, and goes on to the same digest', async () => {
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

  it('stops when the terminal it was started in is closed; one that shields its jobs from the signal lets it go on to the end', async function () {
    if (!existsSync('/usr/bin/script')) return this.skip();
    for (const [shell, code, log] of [
      // As shells do by themselves when they lose their terminal: the signal goes on to their jobs.
      [`trap 'kill -HUP $job' HUP; "$@" & job=$!; wait $job; wait $job`, '129', /interrupted\n$/],
      [`trap '' HUP; "$@"`, '0', /report: done\n$/],
    ] as const) {
      const toy = make();
      const hold = path.join(toy.root, 'hold');
      const script = path.join(toy.root, 'shell.sh');
      writeFileSync(hold, '');
      writeFileSync(script, `${shell}\necho $? > '${toy.root}/code'\n`);
      // `script` makes a terminal, which goes when it is killed.
      const line = `
        export TOY_HOLD='${hold}'
        setsid script -qec "$(printf '%q ' bash '${script}' "$@")" /dev/null < /dev/null > /dev/null 2>&1 &
        until grep -qs holding '${toy.work}/run.log'; do sleep 0.1; done
        kill -KILL $!; sleep 0.3; rm '${hold}'; until test -s '${toy.root}/code'; do sleep 0.1; done; cat '${toy.root}/code'`;
      const end = await toy.shell(line);
      assert.equal(end.out.trim(), code, end.err);
      assert.match(readFileSync(path.join(toy.work, 'run.log'), 'utf8'), log);
      assert.equal((await toy.run()).code, 0);
      assert.equal(await toy.digest(), digest);
    }
  });

  it('needs no input, no output, and no room for what it prints', async () => {
    for (const line of ['exec "$@" <&- >&- 2>&-', 'exec "$@" > /dev/full 2> /dev/full']) {
      const toy = make();
      assert.equal((await toy.shell(line)).code, 0, line);
      assert.equal(await toy.digest(), digest);
    }
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

  it('on a full disk says so, whatever the write that finds no room, and goes on to the same digest once there is some', async function () {
    const disk = tinyDisk(2000);
    if (!disk) return this.skip();
    try {
      for (const free of [20_000, 130_000, 190_000, 240_000]) {
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

  it('may stand behind a link, and two that start at once are one and a refusal', async () => {
    const toy = make();
    const link = path.join(toy.root, 'link');
    symlinkSync(toy.work, link);
    const there: ToyRun = Object.assign(make(), { work: link });
    const missing = await there.run();
    assert.equal(missing.code, 2, missing.err);
    assert.match(missing.err, /Expected --work to be a folder, got .*link, which is a link that leads nowhere/);
    execFileSync('mkdir', [toy.work]);
    const ends = await Promise.all([there.run(), toy.run(), toy.run()]);
    assert.equal(ends.filter(({ code }) => code === 0).length, 1, JSON.stringify(ends));
    for (const { err } of ends.filter(({ code }) => code !== 0))
      assert.match(err, /Another run \(process \d+\) is at work/);
    assert.equal(await toy.digest(), digest);
  });

  it('of another machine holds the folder until somebody says that it is over', async () => {
    const toy = make();
    assert.equal((await toy.run()).code, 0);
    changeLedger(toy.work, [`INSERT INTO lock VALUES (1, 4711, '1', 'elsewhere', '[]')`]);
    const held = await toy.run();
    assert.equal(held.code, 1);
    assert.match(held.err, /A run on elsewhere \(process 4711\) holds this folder/);
    const unlock = /`npm run pipeline (status -- .*--unlock)`/.exec(held.err);
    assert.ok(unlock, held.err);
    await toy.status('--unlock');
    assert.equal((await toy.run()).code, 0);
    assert.equal(await toy.digest(), digest);
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
});
