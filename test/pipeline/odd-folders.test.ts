import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { printResult } from '../../src/pipeline/closed-output.js';
import { FileHashes } from '../../src/pipeline/file-hashes.js';
import { ledgerRows } from '../pipelines/fixtures/ledger-rows.js';
import { changeLedger } from './fixtures/change-ledger.js';
import { ToyRun } from './fixtures/toy-run.js';
import { ToySession, type SessionEnd } from './fixtures/toy-session.js';
import { fileOf, WholeRun } from './fixtures/whole-run.js';

const isPosix = process.platform !== 'win32';

/** What somebody, or another program, put into a run folder in the place of what a run leaves there. */
describe('A run folder', () => {
  let whole: WholeRun;
  let session: ToySession;
  const copy = (): ToyRun => whole.copy();
  const manifestOf = (toy: ToyRun, stage: string): string => {
    const key = readdirSync(path.join(toy.work, stage)).find((name) => name.length === 64)!;
    return path.join(toy.work, stage, key, 'manifest.json');
  };
  const expectCode = (end: SessionEnd, code: number): SessionEnd => {
    assert.equal(end.code, code, end.out + end.err);
    assert.doesNotMatch(end.err, /^ +at /m);
    return end;
  };
  before(async () => {
    whole = await WholeRun.make();
    session = new ToySession();
  });
  after(() => {
    session.end();
    whole.remove();
  });

  const replaceBy = (file: string, make: (place: string) => void): void => {
    rmSync(file, { force: true });
    make(file);
  };
  const pipe = (place: string): void => void execFileSync('mkfifo', [place]);

  for (const [what, make] of [
    ['a pipe', pipe],
    ['a folder', (place: string) => mkdirSync(path.join(place, 'inner'), { recursive: true })],
  ] as const) {
    it(`with ${what} in the place of a manifest is not waited for: its stage is folded again, and verify repairs it`, async function () {
      if (!isPosix) return this.skip();
      const toy = copy();
      replaceBy(manifestOf(toy, 'measure'), make);
      expectCode(await session.folder(toy, 'status'), 0);
      const told = expectCode(await session.folder(toy, 'verify', '--check'), 1).out;
      assert.match(
        told,
        /^measure: measure\/.*manifest\.json cannot be read \(Expected .* to be a file, got a (pipe|folder)/m,
      );
      const repaired = expectCode(await session.folder(toy, 'verify'), 0).out;
      assert.ok(repaired.includes(`repaired: digest ${whole.digest}, as before`), repaired);

      replaceBy(manifestOf(toy, 'measure'), make);
      make(`${manifestOf(toy, 'measure')}.tmp`);
      expectCode(await session.run(toy), 0);
      assert.equal(await session.digest(toy), whole.digest);
      assert.ok(lstatSync(manifestOf(toy, 'measure')).isFile());
    });
  }

  it('whose log is a link, or a pipe, is refused by runs and verify, and nothing is written there', async function () {
    if (!isPosix) return this.skip();
    const toy = copy();
    const [log, outside] = [path.join(toy.work, 'run.log'), path.join(toy.root, 'letter.txt')];
    writeFileSync(outside, 'mine');
    replaceBy(log, (place) => symlinkSync(outside, place));
    for (const end of [await session.run(toy), await session.folder(toy, 'verify')])
      assert.match(expectCode(end, 1).err, /^Expected .*run\.log to be a file of its own, got a link: /);
    expectCode(await session.folder(toy, 'verify', '--check'), 0);
    assert.equal(readFileSync(outside, 'utf8'), 'mine');
    replaceBy(log, pipe);
    for (const end of [await session.run(toy), await session.folder(toy, 'verify')])
      assert.match(expectCode(end, 1).err, /run\.log to be a file of its own, got a pipe or device: /);
    rmSync(log);
    expectCode(await session.run(toy), 0);
    assert.ok(existsSync(log));
  });

  it('is as it was where the system gave no memory: no item is blamed, and the same command goes on', async () => {
    const toy = whole.keep(new ToyRun());
    const starve = path.join(toy.root, 'starve');
    writeFileSync(starve, '');
    const end = expectCode(await session.run(toy), 1);
    assert.match(
      end.err,
      /^The system has no memory left\. .*same command again\. \(measure, .*Cannot allocate Wasm memory/,
    );
    assert.doesNotMatch((await session.folder(toy, 'status')).out, /failed: /);
    rmSync(starve);
    expectCode(await session.run(toy), 0);
    assert.equal(await session.digest(toy), whole.digest);
  });

  it('whose items failed says how these are tried again, where a later stage finds too little', async () => {
    const toy = whole.keep(new ToyRun({ a: 'text a', b: 'fail' }));
    const end = expectCode(await session.run(toy, '--set', 'report.title=lacking'), 1);
    assert.equal(
      end.err,
      'too little was measured\nItems failed (1 of measure): `--retry failed` works on them again.\n',
    );
  });

  it('whose ledger holds texts without end is shown with these cut', async () => {
    const toy = copy();
    const long = `printf('%.*c', 3000000, 'x')`;
    changeLedger(toy.work, [
      `UPDATE runs SET command = ${long}, directory = '/', outcome = 'failed'`,
      `UPDATE items SET status = 'failed', reason = ${long}, label = ${long} WHERE label = 'a'`,
    ]);
    const { out } = expectCode(await session.folder(toy, 'status'), 0);
    assert.ok(out.length < 30_000, String(out.length));
    assert.match(out, /1 failed: x+ … \(2998000 more characters\)/);
    const { err } = expectCode(await session.folder(toy, 'status', '--digest'), 1);
    assert.ok(err.length < 10_000, String(err.length));
    const cleared = expectCode(await session.folder(toy, 'gc', '--plan'), 0).out;
    assert.ok(cleared.length < 10_000, String(cleared.length));
  });

  it('with a file in the place of an item has it told, and made again', async () => {
    const toy = copy();
    const item = path.dirname(path.dirname(fileOf(toy, 'inner/length.txt', 'a')));
    rmSync(item, { recursive: true });
    writeFileSync(item, '');
    const told = expectCode(await session.folder(toy, 'verify', '--check'), 1).out;
    assert.match(told, /^measure a: .* (is missing|cannot be read)/m);
    expectCode(await session.folder(toy, 'verify'), 0);
    assert.equal(await session.digest(toy), whole.digest);
  });

  it('with a file or pipe where a run keeps folders is refused with its name, before anything is taken back', async function () {
    if (!isPosix) return this.skip();
    const toy = copy();
    rmSync(fileOf(toy, 'inner/length.txt', 'a'));
    const train = path.join(toy.work, 'train');
    const prefix = readdirSync(train).find((name) => name.length === 2)!;
    for (const [place, make, what] of [
      [path.join(train, '.scratch'), pipe, 'a pipe or device'],
      [path.join(train, prefix), (file: string) => writeFileSync(file, ''), 'a file'],
      [path.join(toy.work, 'report'), (file: string) => writeFileSync(file, ''), 'a file'],
    ] as const) {
      rmSync(place, { recursive: true, force: true });
      make(place);
      for (const end of [await session.folder(toy, 'verify'), await session.run(toy)])
        assert.ok(expectCode(end, 1).err.startsWith(`Expected ${place} to be a folder, got ${what}: `), end.err);
      rmSync(place);
    }
    expectCode(await session.folder(toy, 'verify'), 0);
    assert.equal(await session.digest(toy), whole.digest);
  });

  it('with a link in any stage loses nothing to verify; and without its verdicts it has no digest', async function () {
    if (!isPosix) return this.skip();
    const toy = copy();
    rmSync(fileOf(toy, 'inner/length.txt', 'a'));
    symlinkSync(toy.root, path.join(toy.work, 'report', '.tmp'));
    const before = ledgerRows(toy.work, 'SELECT key FROM items');
    assert.match(
      expectCode(await session.folder(toy, 'verify'), 1).err,
      /^Expected .*\.tmp to be a folder, got a link/,
    );
    assert.deepEqual(ledgerRows(toy.work, 'SELECT key FROM items'), before);
    rmSync(path.join(toy.work, 'report', '.tmp'));
    changeLedger(toy.work, [`DELETE FROM artefacts`, `DELETE FROM items WHERE label = 'a'`]);
    const { out, err } = expectCode(await session.folder(toy, 'status', '--digest'), 1);
    assert.equal(out, '');
    assert.match(err, /lacks some of what it had: there is no digest of it\. To go on:\n/);
  });

  it('where a file of the user stands in the place of a link for people has the real place of its result printed', async () => {
    const toy = copy();
    const page = path.join(toy.work, 'report', 'index.html');
    replaceBy(page, (place) => writeFileSync(place, 'mine'));
    const { out } = expectCode(await session.run(toy), 0);
    const printed = path.resolve(out.trimEnd().split('\n').at(-1)!);
    assert.match(readFileSync(printed, 'utf8'), /^toy\nmeasure /);
    assert.equal(readFileSync(page, 'utf8'), 'mine');
  });

  it('with names that are no UTF-8 goes on, and leaves them alone', async function () {
    if (process.platform !== 'linux') return this.skip();
    const toy = copy();
    const odd = (...parts: string[]): Buffer =>
      Buffer.concat([Buffer.from(`${path.join(toy.work, ...parts)}/`), Buffer.from([0xff])]);
    writeFileSync(odd('measure'), '');
    mkdirSync(odd('train'));
    symlinkSync('nowhere', odd('report'));
    writeFileSync(odd(), '');
    const told = expectCode(await session.folder(toy, 'verify', '--check'), 0).out;
    assert.match(told, /^belongs to no run, and is left alone: measure\/\ufffd$/m);
    expectCode(await session.run(toy), 0);
    expectCode(await session.run(toy, '--set', 'report.title=other'), 0);
    expectCode(await session.folder(toy, 'gc'), 0);
    expectCode(await session.folder(toy, 'verify'), 0);
    for (const place of [odd('measure'), odd('train'), odd('report'), odd()]) assert.ok(lstatSync(place));
  });
});

describe('A file that takes long to hash', () => {
  it('is named, and the wish to stop is heard while it is read', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hash-'));
    const file = path.join(folder, 'long.mp4');
    writeFileSync(file, '');
    truncateSync(file, 2 ** 40);
    const stop = new AbortController();
    const told = await new Promise<string>((resolve, reject) => {
      const hashes = new FileHashes(undefined, 'read', { signal: stop.signal, log: resolve, slowMs: 1 });
      hashes.hash(file).catch(reject);
      stop.signal.addEventListener('abort', () => reject(new Error('not told')));
    });
    assert.match(told, /^reading .*long\.mp4 \(.*B\) for its hash$/);
    const wish = new Error('stop');
    const hashes = new FileHashes(undefined, 'read', { signal: stop.signal });
    setTimeout(() => stop.abort(wish), 10);
    await assert.rejects(hashes.hash(file), wish);
    rmSync(folder, { recursive: true });
  });
});

describe('What a command is there to say', () => {
  const failing = (code: string): Writable =>
    new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(`${code}: write`), { code })) }).on(
      'error',
      () => undefined,
    );

  it('is an error where it finds no room, and none where its reader has gone', async () => {
    await assert.rejects(
      printResult(['digest'], failing('ENOSPC')),
      /^RunError: The result could not be written \(ENOSPC/,
    );
    await printResult(['digest'], failing('EPIPE'));
  });
});
