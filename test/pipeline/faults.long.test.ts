import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tinyDisk } from '../training/tiny-disk.js';
import { changeLedger } from './fixtures/change-ledger.js';
import { keepToys } from './fixtures/keep-toys.js';
import { isGone, ToyRun, type ToyEnd } from './fixtures/toy-run.js';

describe('A run, whatever happens around it,', () => {
  const keep = keepToys();
  const make = (texts?: Record<string, string>): ToyRun => keep(new ToyRun(texts));
  let digest: string;
  before(async () => {
    const toy = make();
    assert.equal((await toy.run()).code, 0);
    digest = await toy.digest();
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

  /** The same command after a fault, undisturbed: everything is there, and the digest as it would have been. */
  const goesOn = async (toy: ToyRun, what: string): Promise<void> => {
    const end = await toy.run();
    assert.equal(end.code, 0, `${what}: ${end.err}`);
    assert.equal(await toy.digest(), digest, what);
    assert.equal((await toy.folder('verify', '--check')).code, 0, what);
    assert.deepEqual(toy.leftovers(), [], what);
  };

  it('says that the disk is full at whatever write it happens, its own output among them, and goes on', async function () {
    const disk = tinyDisk(2000);
    if (!disk) return this.skip();
    const ends: string[] = [];
    try {
      for (let free = 0; ends.at(-1) !== '0'; free += 8192) {
        const toy: ToyRun = Object.assign(make(), { work: path.join(disk.root, String(free)) });
        disk.fill(free);
        // Every other time what it prints goes to that disk too.
        const end = free % 16384 === 0 ? await toy.run() : await toy.shell(`exec "$@" > ${disk.root}/printed`);
        if (end.code !== 0)
          assert.match(end.err, /The disk that holds .* is full\. Nothing that was finished is lost/, `${free}`);
        assert.ok(end.code === 0 || end.code === 1, `${free}: ${end.code}`);
        ends.push(String(end.code));
        disk.clear();
        await goesOn(toy, `${free} bytes free`);
        for (const left of [toy.work, `${disk.root}/printed`]) rmSync(left, { recursive: true, force: true });
      }
    } finally {
      disk.remove();
    }
    console.log(`      ${ends.length} amounts of free space`);
    assert.ok(ends.length > 20);
  });

  it('says that files may not grow, or that no process starts, and goes on once they may', async function () {
    const tried: string[] = [];
    const limit = async (line: string, expected: RegExp, user?: number): Promise<ToyEnd> => {
      const toy = make();
      if (user !== undefined) execFileSync('chown', ['-R', `${user}`, toy.root]);
      const end = await toy.shell(`${line}; exec "$@"`, user);
      if (end.code === 1) assert.match(end.err, expected, line);
      tried.push(`${line}: ${end.signal ?? end.code}`);
      await goesOn(toy, line);
      return end;
    };
    for (const blocks of [1, 4, 16, 40, 100]) {
      const end = await limit(
        `ulimit -f ${blocks}`,
        /limit on the size of files, `ulimit -f`|raise the limit \(`ulimit -f`\)/,
      );
      assert.equal(end.code, 1);
    }
    if (process.getuid?.() === 0 && existsSync('/usr/bin/setpriv') && /video-ssl-tests/.test(tmpdir())) {
      chmodSync(tmpdir(), 0o755);
      // With fewer, Node itself aborts before it runs anything.
      for (const processes of [13, 14, 24])
        await limit(
          `ulimit -u ${processes}`,
          /starts no further process or thread\. .*`ulimit -u`|want of memory or threads/,
          65534,
        );
    }
    // With less, Node itself ends: what was finished is kept.
    for (const line of ['ulimit -v 900000', 'ulimit -n 40', 'export NODE_OPTIONS=--max-old-space-size=6'])
      await limit(line, /./);
    console.log(`      ${tried.join('; ')}`);
  });

  it('goes on after SIGSTOP and SIGCONT as if nothing had been, and from where it was after SIGQUIT', async () => {
    const toy = make();
    const hold = path.join(toy.root, 'hold');
    writeFileSync(hold, '');
    const run = toy.start([], { TOY_HOLD: hold });
    await run.printed(/holding/);
    run.child.kill('SIGSTOP');
    rmSync(hold);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const beside = await toy.run();
    assert.equal(beside.code, 1);
    assert.match(beside.err, /Another run \(process \d+\) is at work/);
    run.child.kill('SIGCONT');
    assert.equal((await run.done).code, 0);
    assert.equal(await toy.digest(), digest);

    const quitting = make();
    const long = quitting.start(['--set', 'train.stepMs=400']);
    const pid = Number((await long.printed(/pid (\d+)/))[1]);
    long.child.kill('SIGQUIT');
    assert.equal((await long.done).signal, 'SIGQUIT');
    assert.ok(await isGone(pid, 5000));
    await goesOn(quitting, 'SIGQUIT');
  });

  it('says that a ledger cannot be locked which another program keeps locked, and goes on when it is let go', async () => {
    const toy = make();
    assert.equal((await toy.run(['--until', 'measure'])).code, 0);
    const script = `
      const Database = (await import('libsql')).default;
      const database = new Database(process.argv[1]);
      database.exec('BEGIN IMMEDIATE');
      console.log('locked');
      setInterval(() => database.inTransaction, 1000);`;
    const holder = spawn(
      process.execPath,
      ['--input-type=module', '-e', script, '--', path.join(toy.work, 'ledger.sqlite')],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      await new Promise((resolve) => holder.stdout.once('data', resolve));
      const end = await toy.run();
      assert.equal(end.code, 1);
      assert.match(end.err, /The ledger of .* cannot be locked \(SQLITE_BUSY\): another program keeps it open/);
    } finally {
      holder.kill('SIGKILL');
    }
    await goesOn(toy, 'locked');
  });
});
