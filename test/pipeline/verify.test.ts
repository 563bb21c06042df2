import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ledgerRows } from '../pipelines/fixtures/ledger-rows.js';
import { tinyDisk } from '../training/tiny-disk.js';
import { changeLedger } from './fixtures/change-ledger.js';
import { ToyRun } from './fixtures/toy-run.js';

/** Files of the run folder with their content's first line, to see that nothing was touched. */
const filesOf = (toy: ToyRun): string[] =>
  (readdirSync(toy.work, { recursive: true }) as string[]).filter((name) => !/ledger\.sqlite/.test(name)).sort();

describe('verify', () => {
  let whole: ToyRun;
  let digest: string;
  const made: ToyRun[] = [];
  const copy = (): ToyRun => {
    const toy = ToyRun.copyOf(whole);
    made.push(toy);
    return toy;
  };
  const fileOf = (toy: ToyRun, name: string, label: string): string => {
    const sql = `SELECT path FROM artefacts JOIN items ON key = item WHERE name = '${name}' AND label = '${label}'`;
    return path.join(toy.work, ledgerRows<{ path: string }>(toy.work, sql)[0]!.path);
  };
  const manifestOf = (toy: ToyRun, stage: string): string => {
    const key = readdirSync(path.join(toy.work, stage)).find((name) => name.length === 64)!;
    return path.join(toy.work, stage, key, 'manifest.json');
  };
  before(async () => {
    whole = new ToyRun();
    made.push(whole);
    assert.equal((await whole.run()).code, 0);
    digest = await whole.digest();
  });
  after(() => made.forEach((toy) => toy.remove()));

  it('finds every kind of damage with --check and changes nothing; without it runs what is missing, and no more, to the same digest', async () => {
    const toy = copy();
    const weights = fileOf(toy, 'weights.json', 'seed 2');
    const good = readFileSync(weights, 'utf8');
    // One bit: the size stays, and a plain run does not notice.
    writeFileSync(weights, good.replace('3', '2'));
    rmSync(fileOf(toy, 'inner/length.txt', 'b'));
    const manifest = manifestOf(toy, 'measure');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').slice(0, 100));
    rmSync(path.join(toy.work, 'report', 'index.html'));
    writeFileSync(path.join(toy.work, 'notes.txt'), 'mine');
    const before = [filesOf(toy), toy.executions()];

    const looked = await toy.folder('verify', '--check');
    assert.equal(looked.code, 1, looked.err);
    for (const line of [
      /^train seed 2: train\/.*weights\.json holds other bytes than were written$/m,
      /^measure b: measure\/.*inner\/length\.txt is missing$/m,
      /^measure: measure\/.*manifest\.json cannot be read/m,
      /^report\/index\.html \(a link for people\) is missing$/m,
      /^belongs to no run, and is left alone: notes\.txt$/m,
      /: 4 not as they were$/m,
    ])
      assert.match(looked.out, line);
    assert.deepEqual([filesOf(toy), toy.executions()], before);

    const repaired = await toy.folder('verify');
    assert.equal(repaired.code, 0, repaired.out + repaired.err);
    assert.ok(repaired.out.includes(`repaired: digest ${digest}, as before`), repaired.out);
    assert.equal(readFileSync(weights, 'utf8'), good);
    const again = [...toy.executions()].filter(
      ([line, count]) => count > (before[1] as Map<string, number>).get(line)!,
    );
    assert.deepEqual(again.map(([line]) => line.split(' ')[0]).sort(), ['measure', 'train']);
    assert.equal(readFileSync(path.join(toy.work, 'notes.txt'), 'utf8'), 'mine');
    const sound = await toy.folder('verify', '--check');
    assert.equal(sound.code, 0, sound.out);
    assert.match(sound.out, /: all sound$/m);
    assert.equal(await toy.digest(), digest);
  });

  it('takes back what only an earlier run claims, and names the command that makes it again', async () => {
    const toy = copy();
    assert.equal((await toy.run(['--set', 'train.steps=4'])).code, 0);
    rmSync(fileOf(toy, 'weights.json', 'seed 1'));
    const repaired = await toy.folder('verify');
    assert.equal(repaired.code, 0, repaired.out);
    assert.match(repaired.out, /What an earlier run lacks now is computed again by its own command:\n.*--seeds 2\n/);
    assert.match(repaired.out, /repaired: the latest run lacks nothing/);
    const sound = await toy.folder('verify', '--check');
    assert.match(sound.out, /: all sound$/m);
    // The latest run stands; of the earlier one the other seed does.
    const plan = (await toy.run(['--plan'])).out;
    assert.match(plan, /train +resume 1\/2/);
  });

  it('saves what can be read of a ledger with a zeroed page, and computes the rest again to the same digest', async () => {
    const toy = copy();
    const file = path.join(toy.work, 'ledger.sqlite');
    const pages = ledgerRows<{ rootpage: number }>(
      toy.work,
      `SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'items'`,
    );
    const bytes = readFileSync(file);
    bytes.fill(0, (pages[0]!.rootpage - 1) * 4096, pages[0]!.rootpage * 4096);
    writeFileSync(file, bytes);
    const plain = await toy.run();
    assert.equal(plain.code, 1);
    assert.match(plain.err, /is damaged .*`npm run pipeline verify -- --work .*` saves what can be read of it/);
    assert.equal((await toy.folder('verify', '--check')).code, 1);
    const repaired = await toy.folder('verify');
    assert.equal(repaired.code, 0, repaired.out + repaired.err);
    assert.match(repaired.out, /saved 1 runs, 3 stage runs, 0 items, .* is kept as ledger\.sqlite\.damaged-1/);
    assert.ok(repaired.out.includes(`repaired: digest ${digest}, as before`), repaired.out);
    assert.equal(statSync(`${file}.damaged-1`).size, bytes.length);
  });

  it('repairs a folder of the version before, whose words it takes from the command; looking at it leaves it as it is', async () => {
    const toy = copy();
    changeLedger(toy.work, [
      'ALTER TABLE runs DROP COLUMN argv',
      'ALTER TABLE runs DROP COLUMN directory',
      'PRAGMA user_version = 1',
    ]);
    assert.equal(await toy.digest(), digest);
    assert.deepEqual(ledgerRows(toy.work, 'PRAGMA user_version'), [{ user_version: 1 }]);
    rmSync(fileOf(toy, 'weights.json', 'seed 1'));
    const repaired = await toy.folder('verify');
    assert.equal(repaired.code, 0, repaired.out + repaired.err);
    assert.ok(repaired.out.includes(`repaired: digest ${digest}, as before`), repaired.out);
    assert.deepEqual(ledgerRows(toy.work, 'PRAGMA user_version'), [{ user_version: 2 }]);
  });

  it('refuses to compute with another version of a stage what the run had', async () => {
    const toy = copy();
    rmSync(fileOf(toy, 'weights.json', 'seed 1'));
    changeLedger(toy.work, [`UPDATE stage_runs SET recipe = 'another' WHERE stage = 'train'`]);
    const before = toy.executions();
    const end = await toy.folder('verify');
    assert.equal(end.code, 1);
    assert.match(end.err, /but train would be computed anew: .* has changed since/);
    assert.deepEqual(toy.executions(), before);
  });

  it('believes no row that leads out of the folder, nor a name that is no stage', async () => {
    const toy = copy();
    const secret = path.join(toy.root, 'secret');
    writeFileSync(secret, 'secret');
    changeLedger(toy.work, [
      `UPDATE artefacts SET path = '../secret' WHERE name = 'weights.json'`,
      `UPDATE items SET stage = '../texts' WHERE label = 'a'`,
    ]);
    const looked = await toy.folder('verify', '--check');
    assert.match(looked.out, /train seed 1: names a file that is not in its place \(\.\.\/secret\)/);
    assert.match(looked.out, /\.\.\/texts a: names no stage/);
    const repaired = await toy.folder('verify');
    assert.equal(repaired.code, 0, repaired.out + repaired.err);
    assert.equal(readFileSync(secret, 'utf8'), 'secret');
    assert.ok(existsSync(path.join(toy.texts, 'a')));
    assert.equal(await toy.digest(), digest);
  });

  it('looks at a folder on a read-only disk, and says there why it cannot repair', async function () {
    const disk = tinyDisk(2000);
    if (!disk) return this.skip();
    const toy = copy();
    try {
      execFileSync('cp', ['-a', toy.work, disk.root]);
      disk.setReadOnly(true);
      const onDisk = Object.assign(copy(), { work: path.join(disk.root, 'work') });
      const looked = await onDisk.folder('verify', '--check');
      assert.equal(looked.code, 0, looked.out + looked.err);
      assert.equal(await onDisk.digest(), digest);
      for (const end of [await onDisk.folder('verify'), await onDisk.folder('gc')]) {
        assert.equal(end.code, 1);
        assert.match(end.err, /Expected to be able to write in .*: it is read-only/);
      }
      disk.setReadOnly(false);
    } finally {
      disk.remove();
    }
  });

  it('wants a folder with a run in it, and no run at work there', async () => {
    const toy = copy();
    const nowhere = await toy.folder('verify', '--work', path.join(toy.root, 'texts'));
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.err, /Expected a run in .*texts, got no ledger\.sqlite there/);
    const hold = path.join(toy.root, 'hold');
    appendFileSync(hold, '');
    writeFileSync(path.join(toy.texts, 'c'), 'text c');
    const run = toy.start([], { TOY_HOLD: hold });
    await run.printed(/holding/);
    const beside = await Promise.all([toy.folder('verify', '--check'), toy.folder('gc')]);
    for (const end of beside) {
      assert.equal(end.code, 1);
      assert.ok(end.err.includes(`Another run (process ${run.child.pid}) is at work in this folder`), end.err);
    }
    assert.match((await toy.status()).out, /^toy: running/);
    rmSync(hold);
    assert.equal((await run.done).code, 0);
  });
});
