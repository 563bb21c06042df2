import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ledgerRows } from '../pipelines/fixtures/ledger-rows.js';
import { changeLedger } from './fixtures/change-ledger.js';
import type { ToyRun } from './fixtures/toy-run.js';
import { damagePage, fileOf, WholeRun } from './fixtures/whole-run.js';

/** Files of the run folder with their content's first line, to see that nothing was touched. */
const filesOf = (toy: ToyRun): string[] =>
  (readdirSync(toy.work, { recursive: true }) as string[]).filter((name) => !/ledger\.sqlite/.test(name)).sort();

describe('verify', () => {
  let whole: WholeRun;
  let digest: string;
  const copy = (): ToyRun => whole.copy();
  const manifestOf = (toy: ToyRun, stage: string): string => {
    const key = readdirSync(path.join(toy.work, stage)).find((name) => name.length === 64)!;
    return path.join(toy.work, stage, key, 'manifest.json');
  };
  before(async () => {
    whole = await WholeRun.make();
    digest = whole.digest;
  });
  after(() => whole.remove());

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

  it('saves what can be read of a ledger with a zeroed page, and computes the rest again to the same digest', async () => {
    const toy = copy();
    const pages = ledgerRows<{ rootpage: number }>(
      toy.work,
      `SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'items'`,
    );
    damagePage(toy, pages[0]!.rootpage, (page) => page.fill(0));
    const plain = await toy.run();
    assert.equal(plain.code, 1);
    assert.match(plain.err, /is damaged .*`npm run pipeline verify -- --work .*` saves what can be read of it/);
    assert.equal((await toy.folder('verify', '--check')).code, 1);
    const repaired = await toy.folder('verify');
    assert.equal(repaired.code, 0, repaired.out + repaired.err);
    assert.match(repaired.out, /saved 1 runs, 3 stage runs, 0 items, .* is kept as ledger\.sqlite\.damaged-1/);
    assert.ok(repaired.out.includes(`repaired: digest ${digest}\n`), repaired.out);
    assert.ok(existsSync(path.join(toy.work, 'ledger.sqlite.damaged-1')));
  });

  it('tells a verdict that was changed in the ledger, which SQLite takes as it is; so does a plain run, to the same digest', async () => {
    const changes = [
      `UPDATE items SET data = replace(data, '6', '7') WHERE stage = 'measure' AND label = 'a'`,
      `UPDATE items SET status = 'rejected', reason = 'x' WHERE stage = 'measure' AND label = 'a'`,
      `UPDATE artefacts SET volatile = 1 - volatile WHERE item = (SELECT key FROM items WHERE stage = 'measure' AND label = 'a')`,
    ];
    for (const [at, change] of changes.entries()) {
      const toy = copy();
      changeLedger(toy.work, [change]);
      const looked = await toy.folder('verify', '--check');
      assert.equal(looked.code, 1, change);
      assert.match(looked.out, /^measure a: is not as it was recorded$/m);
      assert.match(looked.out, /: 1 not as they were$/m);
      // By turns: the repair, and the command that ran before.
      if (at % 2 === 0) {
        const repaired = await toy.folder('verify');
        assert.ok(repaired.out.includes(`repaired: digest ${digest}, as before`), repaired.out);
      } else assert.match((await toy.run()).out, /measure: .*1 finished items/);
      assert.equal(await toy.digest(), digest);
    }
  });

  it('saves all of a ledger that does not say its version any more', async () => {
    const toy = copy();
    changeLedger(toy.work, ['PRAGMA user_version = 0']);
    assert.match((await toy.run()).err, /The ledger of .* is damaged \(it does not say its version\)/);
    const repaired = await toy.folder('verify');
    assert.ok(repaired.out.includes(`repaired: digest ${digest}\n`), repaired.out + repaired.err);
    assert.match(repaired.out, /saved 1 runs, 3 stage runs, 5 items, /);
  });

  it('saves all rows but those whose text is no text any more', async () => {
    const toy = copy();
    changeLedger(toy.work, [`UPDATE items SET notes = CAST(x'7bff7d' AS TEXT) WHERE label = 'seed 1'`]);
    const repaired = await toy.folder('verify');
    assert.equal(repaired.code, 0, repaired.out + repaired.err);
    assert.match(repaired.out, /saved 1 runs, 3 stage runs, 4 items, /);
    assert.ok(repaired.out.includes(`repaired: digest ${digest}\n`), repaired.out);
  });

  it('repairs a folder of the version before, whose words it takes from the command; looking at it leaves it as it is', async () => {
    const toy = copy();
    changeLedger(toy.work, [
      'ALTER TABLE runs DROP COLUMN argv',
      'ALTER TABLE runs DROP COLUMN directory',
      'ALTER TABLE items DROP COLUMN seal',
      'ALTER TABLE file_hashes DROP COLUMN seal',
      'PRAGMA user_version = 1',
    ]);
    assert.equal(await toy.digest(), digest);
    assert.deepEqual(ledgerRows(toy.work, 'PRAGMA user_version'), [{ user_version: 1 }]);
    rmSync(fileOf(toy, 'weights.json', 'seed 1'));
    const repaired = await toy.folder('verify');
    assert.equal(repaired.code, 0, repaired.out + repaired.err);
    assert.ok(repaired.out.includes(`repaired: digest ${digest}, as before`), repaired.out);
    assert.deepEqual(ledgerRows(toy.work, 'PRAGMA user_version'), [{ user_version: 3 }]);
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
});
