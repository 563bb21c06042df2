import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { ledgerRows } from '../pipelines/fixtures/ledger-rows.js';
import { bytesOf, dirtyFolder, isClean } from './fixtures/dirty-folder.js';
import { keepToys } from './fixtures/keep-toys.js';
import { ToyRun } from './fixtures/toy-run.js';

describe('gc', () => {
  let dirty: ToyRun;
  const keep = keepToys();
  const copy = (): ToyRun => keep(ToyRun.copyOf(dirty));
  before(async () => (dirty = keep(await dirtyFolder())));

  it('says with --plan what would go; then removes that, and nothing that the latest run refers to', async () => {
    const toy = copy();
    const before = bytesOf(toy.work);
    const plan = await toy.folder('gc', '--plan');
    assert.equal(plan.code, 0, plan.err);
    assert.match(plan.out, /^keeps toy, done, started .*train\.steps=5$/m);
    assert.match(plan.out, /^train: checkpoints 1 \(\d+ B\), items 4 \(\d+ B\), results 2 \(/m);
    assert.match(plan.out, /would go\n$/);
    assert.equal(bytesOf(toy.work), before);
    const end = await toy.folder('gc');
    assert.equal(end.code, 0, end.err);
    assert.deepEqual(end.out.split('\n').slice(0, -2), plan.out.split('\n').slice(0, -2));
    await isClean(toy);
    // What a kept run refers to, it refers to alone: one run is left, with what it listed.
    assert.deepEqual(ledgerRows(toy.work, 'SELECT count(*) AS n FROM runs'), [{ n: 1 }]);
    const items = ledgerRows<{ n: number }>(toy.work, 'SELECT count(*) AS n FROM items')[0]!.n;
    assert.equal(items, 5);
    assert.match(readFileSync(path.join(toy.work, 'report', 'index.html'), 'utf8'), /^toy\n/);
    assert.match((await toy.folder('gc')).out, /nothing that no run needs\n$/);
    // Parameters of old are computed again.
    const older = await toy.run(['--plan']);
    assert.match(older.out, /measure +reuse .*\ntrain +run +train\.steps 5 -> 3/);
  });

  it('keeps for a run that did not finish what it would find: results of the stages after it, and its checkpoints', async () => {
    const toy = copy();
    const run = toy.start(['--set', 'train.steps=50', '--set', 'train.stepMs=40']);
    await run.printed(/pid/);
    const scratch = path.join(toy.work, 'train', '.scratch');
    const checkpoints = (): string[] =>
      existsSync(scratch)
        ? readdirSync(scratch, { recursive: true })
            .map(String)
            .filter((name) => name.endsWith('.json'))
        : [];
    const stale = checkpoints();
    while (checkpoints().length <= stale.length) await new Promise((resolve) => setTimeout(resolve, 10));
    run.child.kill('SIGINT');
    assert.equal((await run.done).code, 130);
    const kept = checkpoints().filter((name) => !stale.includes(name));
    assert.equal((await toy.folder('gc')).code, 0);
    assert.deepEqual(checkpoints(), kept);
    // The newest whole run stays beside the newest: it is what a report was last written of.
    assert.match((await toy.run(['--set', 'train.steps=5', '--plan'])).out, /train +reuse .*\nreport +reuse/);
  });

  it('removes nothing behind a link that stands in the place of a folder, nor does verify, and both name it', async () => {
    const toy = copy();
    const stage = path.join(toy.work, 'train');
    const prefix = readdirSync(stage).find((name) => name.length === 2)!;
    const outside = path.join(toy.work, '..', 'elsewhere');
    const key = readdirSync(path.join(stage, prefix))[0]!;
    renameSync(path.join(stage, prefix), outside);
    symlinkSync(outside, path.join(stage, prefix));
    const before = bytesOf(outside);
    for (const command of [['gc'], ['gc', '--plan'], ['verify']]) {
      const end = await toy.folder(command[0]!, ...command.slice(1));
      assert.equal(end.code, 1, end.out);
      assert.match(end.err, /Expected .*\/train\/.. to be a folder, got a link/);
    }
    assert.ok(existsSync(path.join(outside, key)));
    assert.equal(bytesOf(outside), before);
    assert.equal((await toy.folder('verify', '--check')).code, 1);
  });
});
