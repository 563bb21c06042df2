import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isGone, ToyRun } from './fixtures/toy-run.js';

describe('Workers', () => {
  const toys: ToyRun[] = [];
  const make = (texts?: Record<string, string>): ToyRun => {
    const toy = new ToyRun(texts);
    toys.push(toy);
    return toy;
  };
  after(() => toys.forEach((toy) => toy.remove()));

  it('record a failure, a rejection and a dead thread, and go on with the others', async () => {
    const toy = make({ a: 'text a', bad: 'fail', gone: 'exit', odd: 'not a number', empty: '' });
    const end = await toy.run(['--until', 'measure']);
    assert.equal(end.code, 0, end.err);
    assert.match(end.out, /measure: done \(1 done, 1 rejected, 3 failed\)/);
    const status = (await toy.status()).out;
    assert.match(status, /1 rejected: empty/);
    assert.match(status, /1 rejected: empty\n {4}empty\n/);
    assert.match(status, /1 failed: cannot read bad\n {4}bad\n/);
    assert.match(status, /1 failed: The worker thread ended with exit code 3/);
    assert.match(status, /1 failed: Expected `data\.bytes` to be a value that survives JSON, got `NaN`/);
  });

  it('leave failed and rejected items be, until told to try them again', async () => {
    const toy = make({ a: 'text a', bad: 'fail', empty: '' });
    const total = (): number => [...toy.executions().values()].reduce((sum, count) => sum + count, 0);
    await toy.run(['--until', 'measure']);
    await toy.run(['--until', 'measure']);
    assert.equal(total(), 3);
    assert.match((await toy.run(['--plan', '--retry', 'failed'])).out, /measure +resume 2\/3 +1 item to try again/);
    await toy.run(['--until', 'measure', '--retry', 'failed']);
    assert.equal(total(), 4);
    await toy.run(['--until', 'measure', '--retry', 'rejected', '--retry', 'failed']);
    assert.equal(total(), 6);
  });

  it('are handed only those inputs that the work is said to read', async () => {
    const toy = make();
    const end = await toy.run(['--seeds', '1'], { TOY_READS: 'nothing' });
    assert.equal(end.code, 1);
    assert.match(end.err, /Expected `measure` to be among the inputs that the work reads \(none\)/);
    assert.equal((await toy.run(['--seeds', '1'])).code, 0);
  });

  it('stop the run on a full disk without blaming the item', async () => {
    const toy = make({ a: 'full' });
    const end = await toy.run();
    assert.equal(end.code, 1);
    assert.match(end.err, /is full\. Nothing that was finished is lost: make room, and run the same command again/);
    assert.match((await toy.status()).out, /measure: failed, 1 open/);
  });

  for (const [how, message] of [
    ['abort', /was ended by SIGABRT\. The native library gave up/],
    ['SIGILL', /was ended by SIGILL\. The native library uses instructions that this processor lacks/],
    ['SIGKILL', /was ended by SIGKILL\. The system most likely ended it for want of memory/],
    ['exit', /ended with exit code 7/],
  ] as const) {
    it(`survive a child process that ends by ${how}, and try its item again on the next run`, async () => {
      const toy = make();
      const crash = path.join(toy.root, 'crash');
      writeFileSync(crash, how);
      const end = await toy.run(['--seeds', '1'], { TOY_CRASH: crash });
      assert.equal(end.code, 1);
      assert.match(end.err, message);
      assert.match(end.err, /train stopped at seed 1: .*\nWhat was finished is kept: the same command goes on/s);
      rmSync(crash);
      assert.equal((await toy.run(['--seeds', '1'], { TOY_CRASH: crash })).code, 0);
    });
  }

  it('checkpoint on Ctrl-C, print the command that goes on, and go on from the checkpoint', async () => {
    const toy = make();
    const args = ['--seeds', '1', '--set', 'train.steps=15', '--set', 'train.stepMs=40'];
    const run = toy.start(args);
    const pid = Number((await run.printed(/pid (\d+)/))[1]);
    run.child.kill('SIGINT');
    const end = await run.done;
    assert.equal(end.code, 130);
    assert.ok(
      end.err.includes(`npm run pipeline toy -- --texts ${toy.texts}`) && end.err.includes('train.steps=15'),
      end.err,
    );
    assert.ok(await isGone(pid, 1000));
    assert.match((await toy.status()).out, /^toy: interrupted[^]*train: interrupted, 1 open/);
    assert.match((await toy.status('--digest')).err, /is not finished \(interrupted\)/);
    assert.equal((await toy.run(args)).code, 0);
    const undisturbed = make();
    await undisturbed.run(args);
    assert.equal(await toy.digest(), await undisturbed.digest());
  });

  it('are ended at once by a second Ctrl-C', async () => {
    const toy = make({ a: 'wait deaf' });
    const run = toy.start();
    await run.printed(/waiting/);
    run.child.kill('SIGINT');
    await run.printed(/again to end at once/);
    const begun = performance.now();
    run.child.kill('SIGINT');
    assert.equal((await run.done).code, 130);
    assert.ok(performance.now() - begun < 5000);
  });

  it('do not outlive a coordinator that is killed, even when blocked inside a step', async () => {
    const toy = make();
    const crash = path.join(toy.root, 'crash');
    writeFileSync(crash, 'spin');
    const run = toy.start(['--seeds', '1'], { TOY_CRASH: crash });
    const pid = Number((await run.printed(/pid (\d+)/))[1]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    run.child.kill('SIGKILL');
    await run.done;
    assert.ok(await isGone(pid, 5000));
  });

  it('are kept out of a folder that another run holds, and let in when that one is dead', async () => {
    const toy = make({ a: 'wait' });
    const first = toy.start();
    await first.printed(/waiting/);
    const second = await toy.run();
    assert.equal(second.code, 1);
    assert.match((await toy.status()).out, /^toy: running, /);
    assert.ok(second.err.includes(`Another run (process ${first.child.pid}) is at work in this folder`), second.err);
    first.child.kill('SIGKILL');
    await first.done;
    const status = (await toy.status()).out;
    assert.match(status, /^toy: interrupted \(its process is gone\)[^]*measure: interrupted, 1 open/);
    assert.ok(
      status.endsWith(
        `To go on:\n  npm run pipeline toy -- --texts ${toy.texts} --work ${toy.work} --jobs 2 --seeds 2\n`,
      ),
    );
    writeFileSync(path.join(toy.texts, 'a'), 'text a');
    assert.equal((await toy.run()).code, 0);
  });
});
