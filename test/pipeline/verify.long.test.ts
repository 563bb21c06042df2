import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../../src/numeric/random.js';
import { tinyDisk } from '../training/tiny-disk.js';
import { changeLedger } from './fixtures/change-ledger.js';
import type { ToyRun } from './fixtures/toy-run.js';
import { damagePage, fileOf, pageBytes, WholeRun } from './fixtures/whole-run.js';

describe('verify', () => {
  let whole: WholeRun;
  let digest: string;
  const copy = (): ToyRun => whole.copy();
  const ledgerOf = (toy: ToyRun): string => path.join(toy.work, 'ledger.sqlite');
  before(async () => {
    whole = await WholeRun.make();
    digest = whole.digest;
  });
  after(() => whole.remove());

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

  it('refuses to compute with another version of a stage what the run had, and leaves everything as it is', async () => {
    const toy = copy();
    rmSync(fileOf(toy, 'weights.json', 'seed 1'));
    changeLedger(toy.work, [`UPDATE stage_runs SET recipe = 'another' WHERE stage = 'train'`]);
    const before = toy.executions();
    for (const _ of [1, 2]) {
      const end = await toy.folder('verify');
      assert.equal(end.code, 1);
      assert.match(end.out, /^train seed 1: .*weights\.json is missing$/m);
      assert.match(end.err, /but train would be computed anew: .* has changed since\. Nothing was changed\./);
    }
    assert.deepEqual(toy.executions(), before);
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

  /** After damage to the ledger: the digest as it was, by `verify`; where no run can be read any more, by the same command. */
  const comesBack = async (toy: ToyRun, what: string): Promise<'sound' | 'repaired' | 'run again'> => {
    const end = await toy.folder('verify');
    // A repair that was killed while it ran what was missing left an unfinished run, which is no damage: its command goes on.
    const unfinished = /^the latest run is not finished/m.test(end.out);
    if (end.code !== 0 || unfinished) {
      if (!unfinished) assert.match(end.err, /No run can be read of the ledger/, `${what}: ${end.out}${end.err}`);
      const again = await toy.run();
      assert.equal(again.code, 0, `${what}: ${again.err}`);
    }
    assert.equal(await toy.digest(), digest, what);
    assert.equal((await toy.folder('verify', '--check')).code, 0, what);
    return end.code !== 0 || unfinished ? 'run again' : /^repaired: /m.test(end.out) ? 'repaired' : 'sound';
  };

  it('comes to the same digest from a ledger of which any page is zeroed, torn in half, or filled with noise', async () => {
    const pages = statSync(ledgerOf(whole.toy)).size / pageBytes;
    const random = RandomStream.of(3, 'torn pages');
    const tally: Record<string, number> = {};
    for (let page = 1; page <= pages; page += 1) {
      for (const [name, damage] of [
        ['zeroed', (bytes: Uint8Array) => bytes.fill(0)],
        ['torn', (bytes: Uint8Array) => bytes.fill(0, pageBytes / 2)],
        ['noise', (bytes: Uint8Array) => bytes.forEach((_, at) => (bytes[at] = random.integer(256)))],
      ] as const) {
        const toy = copy();
        damagePage(toy, page, damage);
        const how = await comesBack(toy, `page ${page} ${name}`);
        tally[how] = (tally[how] ?? 0) + 1;
      }
    }
    console.log(`      ${pages} pages: ${JSON.stringify(tally)}`);
    assert.ok(tally['repaired']! > 0, JSON.stringify(tally));
  });

  it('comes to the same digest from a ledger that is cut short', async () => {
    const size = statSync(ledgerOf(whole.toy)).size;
    for (const share of [0.9, 0.5, 0.1]) {
      const toy = copy();
      truncateSync(ledgerOf(toy), Math.floor(size * share));
      await comesBack(toy, `cut to ${share}`);
    }
  });

  it('loses nothing but rows by a write-ahead log that is gone, cut or garbled after a kill, nor by a lost or torn index of it', async () => {
    const cut = (file: string): void => truncateSync(file, Math.floor(statSync(file).size / 2));
    const garble = (file: string): void => {
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.fill(0x5a, bytes.length / 2));
    };
    for (const end of ['-wal', '-shm'])
      for (const damage of [rmSync, cut, garble]) {
        const toy = copy();
        rmSync(toy.work, { recursive: true });
        const killed = await toy.run([], { VIDEO_SSL_KILL_AT: 'after row#4' });
        assert.equal(killed.signal, 'SIGKILL');
        damage(ledgerOf(toy) + end);
        const again = await toy.run();
        if (again.code !== 0) {
          assert.match(again.err, /is damaged/);
          await comesBack(toy, `${end} ${damage.name}`);
        }
        assert.equal(await toy.digest(), digest, `${end} ${damage.name}`);
      }
  });

  it('goes on with its repair wherever it is killed', async () => {
    const strike = (): ToyRun => {
      const toy = copy();
      rmSync(fileOf(toy, 'weights.json', 'seed 1'));
      rmSync(fileOf(toy, 'when.txt', 'a'));
      for (const name of ['index.html', 'when.txt']) rmSync(path.join(toy.work, 'report', name));
      damagePage(toy, 2, (bytes) => bytes.fill(0));
      return toy;
    };
    const counted = strike();
    const count = path.join(counted.root, 'count');
    const end = await counted.startFolder('verify', [], { VIDEO_SSL_COUNT_KILL_POINTS: count }).done;
    assert.equal(end.code, 0, end.out + end.err);
    const points = Number(readFileSync(count, 'utf8'));
    for (let at = 1; at <= points; at += Math.ceil(points / 24)) {
      const toy = strike();
      const killed = await toy.startFolder('verify', [], { VIDEO_SSL_KILL_AT: String(at) }).done;
      assert.equal(killed.signal, 'SIGKILL', `${at}: ${killed.out}${killed.err}`);
      await comesBack(toy, `killed at ${at}`);
    }
  });
});
