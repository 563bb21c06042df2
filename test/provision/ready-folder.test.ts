import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../src/provision/lock.js';
import { ensureReadyFolder, inspectReadyFolder } from '../../src/provision/ready-folder.js';
import { SetupProblem } from '../../src/provision/setup-problem.js';

describe('ensureReadyFolder', () => {
  let root: string;
  let built: number;
  const quiet = { log: () => {} };
  const build = async (temporary: string): Promise<void> => {
    built++;
    await mkdir(path.join(temporary, 'sub'));
    await writeFile(path.join(temporary, 'sub', 'library'), 'content');
  };
  const library = (): string => path.join(root, 'ready', 'sub', 'library');

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'video-ssl-ready-'));
    built = 0;
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('builds once, and trusts the whole folder afterwards', async () => {
    const folder = path.join(root, 'ready');
    const first = await ensureReadyFolder(folder, build, quiet);
    const second = await ensureReadyFolder(folder, build, { ...quiet, scrutiny: 'hashes' });
    assert.deepEqual(first, second);
    assert.equal(first.files['sub/library']!.bytes, 7);
    assert.equal(built, 1);
  });

  it('builds anew when a file has another size, is missing, or (looked at by hash) another content', async () => {
    const folder = path.join(root, 'ready');
    const damages: [string, () => Promise<void>, 'sizes' | 'hashes'][] = [
      ['size', () => appendFile(library(), '!'), 'sizes'],
      ['missing', () => rm(library()), 'sizes'],
      ['content', () => writeFile(library(), 'c0ntent'), 'hashes'],
      ['manifest', () => writeFile(path.join(folder, 'manifest.json'), '{"files":'), 'sizes'],
    ];
    await ensureReadyFolder(folder, build, quiet);
    for (const [name, damage, scrutiny] of damages) {
      await damage();
      const lines: string[] = [];
      await ensureReadyFolder(folder, build, { log: (line) => lines.push(line), scrutiny });
      assert.match(lines.join('\n'), /is damaged/, name);
      assert.equal(await readFile(library(), 'utf8'), 'content', name);
    }
    assert.equal(built, 1 + damages.length);
  });

  it('leaves nothing behind when the build fails, and clears what a killed one left', async () => {
    const folder = path.join(root, 'ready');
    await assert.rejects(
      ensureReadyFolder(folder, () => Promise.reject(new Error('no network')), quiet),
      /no network/,
    );
    assert.deepEqual(await readdir(root), []);
    await mkdir(`${folder}.part-killed`);
    await ensureReadyFolder(folder, build, quiet);
    assert.deepEqual(await readdir(root), ['ready']);
  });

  it('says with what mends it where the folder cannot be made, and that it is absent where nobody may look', async () => {
    const file = path.join(root, 'file');
    await writeFile(file, '');
    await assert.rejects(ensureReadyFolder(path.join(file, 'cache', 'ready'), build, quiet), (error: SetupProblem) => {
      assert.ok(error instanceof SetupProblem);
      assert.match(error.message, /^The cache cannot be written to: .*file\/cache \(ENOTDIR\)\.$/);
      assert.match(error.remedy, /^set VIDEO_SSL_CACHE to a folder/);
      return true;
    });
    assert.deepEqual(await inspectReadyFolder(path.join(file, 'ready'), 'sizes'), { state: 'absent' });
  });

  it('lets one of two set-ups at once build, and the other wait for it', async () => {
    const folder = path.join(root, 'ready');
    const slow = async (temporary: string): Promise<void> => {
      await sleep(300);
      await build(temporary);
    };
    const lines: string[] = [];
    const both = [1, 2].map(() => ensureReadyFolder(folder, slow, { log: (line) => lines.push(line) }));
    const [one, other] = await Promise.all(both);
    assert.deepEqual(one, other);
    assert.equal(built, 1);
    assert.equal(lines.filter((line) => /another set-up .* waiting/.test(line)).length, 1);
  });
});

describe('withLock', () => {
  let file: string;
  beforeEach(async () => {
    file = path.join(await mkdtemp(path.join(tmpdir(), 'video-ssl-lock-')), 'it.lock');
  });
  afterEach(() => rm(path.dirname(file), { recursive: true, force: true }));

  it('takes over the lock of a dead process, and one that is no lock at all', async () => {
    // The largest process number that Linux can give is below 2^22.
    for (const left of [JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), token: 'x' }), 'half a lo']) {
      await writeFile(file, left);
      assert.equal(
        await withLock(
          file,
          () => {},
          () => Promise.resolve('done'),
        ),
        'done',
      );
      assert.deepEqual(await readdir(path.dirname(file)), []);
    }
  });

  it('takes over a lock that nobody has touched for long, though a process of that number lives, and clears drafts', async () => {
    await writeFile(file, JSON.stringify({ pid: process.pid, host: hostname(), token: 'x' }));
    await utimes(file, new Date(), new Date(Date.now() - 3_600_000));
    await writeFile(`${file}.draft`, 'of one that died');
    assert.equal(
      await withLock(
        file,
        () => {},
        () => Promise.resolve('done'),
      ),
      'done',
    );
    assert.deepEqual(await readdir(path.dirname(file)), []);
  });

  it('never runs two at once, and gives the lock back after an error', async () => {
    let inside = 0;
    const work = async (fail: boolean): Promise<void> => {
      assert.equal(++inside, 1);
      await sleep(20);
      inside--;
      if (fail) throw new Error('on purpose');
    };
    const results = await Promise.allSettled(
      [false, true, false].map((fail) =>
        withLock(
          file,
          () => {},
          () => work(fail),
        ),
      ),
    );
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(await readdir(path.dirname(file)), []);
  });
});
