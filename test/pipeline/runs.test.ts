import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { shellWord } from '../../src/pipeline/invocation.js';
import { Ledger } from '../../src/pipeline/ledger/ledger.js';
import { startToy, ToyRun } from './fixtures/toy-run.js';

describe('A run', () => {
  let toy: ToyRun;
  beforeEach(() => {
    toy = new ToyRun();
  });
  afterEach(() => toy.remove());

  it('works on a new item alone, and makes again only what follows from it', async () => {
    assert.equal((await toy.run()).code, 0);
    const before = toy.executions();
    assert.equal((await toy.run()).code, 0);
    assert.deepEqual(toy.executions(), before);
    writeFileSync(path.join(toy.texts, 'c'), 'text c');
    const plan = (await toy.run(['--plan'])).out;
    assert.match(plan, /measure +resume 3\/4 +1 new item\n/);
    assert.match(plan, /train +run +input measure changes; its items are known once measure is done/);
    assert.equal((await toy.run()).code, 0);
    const after = toy.executions();
    const fresh = [...after.keys()].filter((line) => !before.has(line));
    assert.equal(fresh.filter((line) => line.startsWith('measure')).length, 1);
    assert.equal(fresh.filter((line) => line.startsWith('train')).length, 2);
    for (const line of before.keys()) assert.equal(after.get(line), before.get(line));
  });

  it('goes back to what it had once the list is as it was, without running anything', async () => {
    await toy.run();
    const digest = await toy.digest();
    writeFileSync(path.join(toy.texts, 'c'), 'text c');
    await toy.run();
    assert.notEqual(await toy.digest(), digest);
    rmSync(path.join(toy.texts, 'c'));
    const before = toy.executions();
    assert.match((await toy.run(['--plan'])).out, /measure +reuse +3 items\ntrain +reuse +2 items\nreport +reuse/);
    await toy.run();
    assert.equal(await toy.digest(), digest);
    assert.deepEqual(toy.executions(), before);
  });

  it('plans with the reason, and writes nothing', async () => {
    assert.match((await toy.run(['--plan'])).out, /measure +run +never ran here/);
    assert.equal(existsSync(toy.work), false);
    await toy.run();
    const digest = await toy.digest();
    assert.match(
      (await toy.run(['--plan', '--set', 'measure.scale=0.7'])).out,
      /measure +run +measure\.scale 1 -> 0\.7\n/,
    );
    assert.match(
      (await toy.run(['--plan', '--set', 'train.steps=4'])).out,
      /measure +reuse .*\ntrain +run +train\.steps 3 -> 4\n/,
    );
    assert.match((await toy.run(['--plan', '--until', 'measure'])).out, /train +left out +after --until measure/);
    assert.equal(await toy.digest(), digest);
  });

  it('may be moved, its texts too', async () => {
    await toy.run();
    const before = toy.executions();
    const digest = await toy.digest();
    const [work, texts] = [`${toy.work}-moved`, `${toy.texts}-moved`];
    renameSync(toy.work, work);
    cpSync(toy.texts, texts, { recursive: true });
    const end = await startToy(['toy', '--texts', texts, '--work', work, '--seeds', '2'], { TOY_LOG: toy.log }).done;
    assert.equal(end.code, 0, end.err);
    assert.deepEqual(toy.executions(), before);
    assert.equal((await startToy(['status', '--work', work, '--digest'], {}).done).out.trim(), digest);
  });

  it('does not trust what has no row, and makes again what lost its files', async () => {
    await toy.run();
    const digest = await toy.digest();
    const measure = path.join(toy.work, 'measure');
    const prefix = readdirSync(measure).find((name) => /^[0-9a-f]{2}$/.test(name))!;
    const key = readdirSync(path.join(measure, prefix))[0]!;
    const stray = path.join(measure, prefix, 'f'.repeat(64));
    renameSync(path.join(measure, prefix, key), stray);
    assert.match(
      (await toy.run(['--plan'])).out,
      /measure +resume 2\/3 +the files of 1 finished item are missing or changed/,
    );
    assert.equal((await toy.run()).code, 0);
    assert.equal(existsSync(stray), false);
    assert.equal(await toy.digest(), digest);
    assert.equal([...toy.executions().values()].filter((count) => count === 2).length, 1);
  });

  it('says that items whose ledger was taken away are not trusted', async () => {
    await toy.run();
    const digest = await toy.digest();
    for (const end of ['', '-wal', '-shm']) rmSync(path.join(toy.work, `ledger.sqlite${end}`), { force: true });
    const again = await toy.run();
    assert.ok(
      again.out.includes(`no ledger in ${toy.work}: 4 item folders without a row are not trusted and are removed`),
      again.out,
    );
    assert.equal(await toy.digest(), digest);
  });

  it('keeps no checkpoint of an item that is no longer listed once its stage is done', async () => {
    const run = toy.start(['--seeds', '1', '--set', 'train.steps=100', '--set', 'train.stepMs=40']);
    await run.printed(/pid (\d+)/);
    const scratch = path.join(toy.work, 'train', '.scratch');
    const written = (): boolean => readdirSync(scratch).some((key) => readdirSync(path.join(scratch, key)).length > 0);
    while (!written()) await new Promise((resolve) => setTimeout(resolve, 10));
    run.child.kill('SIGINT');
    assert.equal((await run.done).code, 130);
    assert.ok(written());
    assert.equal((await toy.run(['--seeds', '1'])).code, 0);
    assert.deepEqual(toy.leftovers(), []);
  });

  it('goes on when nobody reads what it prints', async () => {
    const run = toy.start();
    await run.printed(/runtime: none/);
    run.child.stdout.destroy();
    run.child.stderr.destroy();
    assert.equal((await run.done).code, 0);
    assert.match(readFileSync(path.join(toy.work, 'run.log'), 'utf8'), /report: done\n$/);
  });

  it('shows control characters of a name written out, on the terminal and in its log', async () => {
    writeFileSync(path.join(toy.texts, 'x\n\x1b[31my'), 'fail');
    const end = await toy.run();
    assert.equal(end.code, 0, end.err);
    const shown = 'measure x\\n\\x1b[31my failed: cannot read x\\n\\x1b[31my\n';
    const log = readFileSync(path.join(toy.work, 'run.log'), 'utf8');
    for (const text of [end.out, log]) assert.ok(text.includes(shown) && !text.includes('\x1b'), text);
    const status = (await toy.status()).out;
    assert.ok(status.includes('    x\\n\\x1b[31my\n') && !status.includes('\x1b'), status);
    const ledger = Ledger.open(toy.work);
    assert.equal(ledger.rows(`SELECT label FROM items WHERE status = 'failed'`)[0]!['label'], 'x\n\x1b[31my');
    ledger.close();
  });

  it('refuses a folder without a name, or one that the system does not make', async () => {
    const nameless = await toy.run(['--work', '']);
    assert.equal(nameless.code, 2);
    assert.match(nameless.err, /--work: expected the name of a folder, got ""/);
    if (process.platform !== 'linux') return;
    const nowhere = await toy.run(['--work', '/proc/x/y']);
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.err, /Expected --work to be a folder, got \/proc\/x\/y, where the system makes no folders/);
  });

  it('that fails says why in its log too', async () => {
    writeFileSync(path.join(toy.texts, 'a'), 'full');
    assert.equal((await toy.run()).code, 1);
    assert.match(
      readFileSync(path.join(toy.work, 'run.log'), 'utf8'),
      /the run ended with an error: The disk .* is full/,
    );
  });

  it('finds a changed byte with --verify', async () => {
    await toy.run();
    const digest = await toy.digest();
    const ledger = Ledger.open(toy.work);
    const file = String(ledger.rows(`SELECT path FROM artefacts WHERE name = 'weights.json' LIMIT 1`)[0]!['path']);
    ledger.close();
    const weights = path.join(toy.work, file);
    const good = readFileSync(weights, 'utf8');
    writeFileSync(weights, good.replace(/\d"?}/, 'x}'));
    await toy.run();
    assert.notEqual(readFileSync(weights, 'utf8'), good);
    await toy.run(['--verify']);
    assert.equal(readFileSync(weights, 'utf8'), good);
    assert.equal(await toy.digest(), digest);
  });

  it('puts the last stage under plain names, for people', async () => {
    const { out } = await toy.run();
    const page = path.join(toy.work, 'report', 'index.html');
    // What is to be opened, and nothing of what lies beside it.
    assert.equal(path.resolve(out.trimEnd().split('\n').at(-1)!), page);
    assert.doesNotMatch(out, /when\.txt/);
    assert.match(readFileSync(page, 'utf8'), /^toy\nmeasure [0-9a-f]{64}\n/);
    await toy.run(['--set', 'report.title=other']);
    assert.match(readFileSync(page, 'utf8'), /^other\n/);
  });

  it('is refused as soon as a stage sees that a later one will not take what it made, and so is its plan', async () => {
    const end = await toy.run(['--set', 'train.steps=301']);
    assert.equal(end.code, 2);
    assert.match(end.err, /Expected `train\.steps` to be at most 100 a text, got `301`/);
    assert.match(end.out, /^measure: done/m);
    assert.match((await toy.run(['--set', 'train.steps=301', '--plan'])).err, /at most 100 a text/);
    // What comes after --until is not asked.
    assert.equal((await toy.run(['--set', 'train.steps=301', '--until', 'measure'])).code, 0);
    assert.equal((await toy.run(['--set', 'train.steps=300', '--plan'])).code, 0);
  });

  it('stopped half-way, is told elsewhere with the folder that its command starts from', async () => {
    assert.equal((await toy.run(['--until', 'measure'])).code, 0);
    const said = (await toy.shell(`cd / && "\${@:1:2}" status --work ${shellWord(toy.work)}`)).out;
    assert.ok(said.includes(`\n  cd ${shellWord(process.cwd())} && `), said);
    assert.ok(!(await toy.status()).out.includes('cd '));
  });

  it('takes the stages before --from as they are, or refuses', async () => {
    const early = await toy.run(['--from', 'train']);
    assert.equal(early.code, 1);
    assert.match(early.err, /Expected measure to be finished before --from train, but 3 of its items are not/);
    assert.equal((await toy.run(['--until', 'measure'])).code, 0);
    assert.equal((await toy.run(['--from', 'train'])).code, 0);
    const unknown = await toy.run(['--from', 'trian']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /--from: unknown stage `trian`: did you mean `train`\?/);
  });

  it('names the nearest pipeline for a mistyped one, whatever options stand beside it', async () => {
    for (const options of [[], ['--until', 'measure']]) {
      const end = await startToy(['tyo', ...options], {}).done;
      assert.equal(end.code, 2);
      assert.match(end.err, /unknown pipeline or command `tyo`: did you mean `toy`\?/);
    }
  });

  it('refuses a torn ledger and a ledger of another version, and says what to do', async () => {
    await toy.run(['--until', 'measure']);
    const file = path.join(toy.work, 'ledger.sqlite');
    const ledger = Ledger.open(toy.work);
    ledger.execute('PRAGMA user_version = 9');
    ledger.close();
    const newer = await toy.run();
    assert.equal(newer.code, 1);
    assert.match(
      newer.err,
      /Expected the ledger of .* to have version 3 or less, got 9: it was written by a newer version/,
    );
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 100);
    writeFileSync(file, bytes);
    const torn = await toy.run();
    assert.equal(torn.code, 1);
    assert.match(torn.err, /The ledger of .* is damaged .* verify .*saves what can be read of it/);
  });

  it('refuses a folder that it cannot write', async function () {
    if (process.getuid?.() === 0) return this.skip();
    chmodSync(toy.root, 0o555);
    const end = await toy.run();
    chmodSync(toy.root, 0o755);
    assert.equal(end.code, 1);
    assert.match(end.err, /read-only for this user\. Give another folder with --work DIR/);
  });
});
