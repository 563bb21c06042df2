import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hashForeignFile, readForeignFile, stayInside } from '../../src/pipeline/foreign-file.js';
import { maxJsonDepth, parseForeignJson } from '../../src/pipeline/parse-json.js';
import { isAlive } from '../../src/pipeline/process-identity.js';
import { UsageError } from '../../src/pipeline/usage-error.js';

describe('What came from outside', () => {
  let folder: string;
  const at = (name: string): string => path.join(folder, name);
  before(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'foreign-')));
    for (const name of ['data/sub', 'other']) mkdirSync(at(name), { recursive: true });
    writeFileSync(at('data/sub/a.txt'), 'abc');
    writeFileSync(at('other/b.txt'), 'b');
    symlinkSync('sub/a.txt', at('data/inside'));
    symlinkSync(at('other/b.txt'), at('data/outside'));
    symlinkSync('outside', at('data/twice'));
    symlinkSync(at('data'), at('named'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('is followed within its folder, which may itself be a link, and into folders that the user allows', () => {
    for (const root of [at('data'), at('named')]) {
      const inside = stayInside(root, {});
      assert.equal(inside(path.join(root, 'inside')), at('data/sub/a.txt'));
      for (const name of ['outside', 'twice'])
        assert.throws(() => inside(path.join(root, name)), {
          name: 'UsageError',
          message: /VIDEO_SSL_LINKS_INTO=.*other$/,
        });
    }
    const allowed = stayInside(at('data'), { VIDEO_SSL_LINKS_INTO: `/gone${path.delimiter}${at('other')}` });
    assert.equal(allowed(at('data/twice')), at('other/b.txt'));
    assert.throws(() => stayInside(at('data'), { VIDEO_SSL_LINKS_INTO: at('oth') })(at('data/outside')), UsageError);
  });

  it('is read and hashed only where it is a regular file of a size that is taken', function () {
    if (process.platform === 'win32') this.skip();
    execFileSync('mkfifo', [at('pipe')]);
    writeFileSync(at('hole'), '');
    truncateSync(at('hole'), 3e9);
    const hash = (file: string): string => hashForeignFile(file, createHash('sha256')).digest('hex');
    assert.equal(readForeignFile(at('data/inside')).toString(), 'abc');
    assert.equal(hash(at('data/inside')), createHash('sha256').update('abc').digest('hex'));
    for (const read of [readForeignFile, hash]) {
      assert.throws(() => read(at('pipe')), { name: 'UsageError', message: /got a pipe or device/ });
      assert.throws(() => read('/dev/zero'), { name: 'UsageError', message: /got a pipe or device/ });
      assert.throws(() => read(at('data')), { name: 'UsageError', message: /got a folder/ });
      assert.throws(() => read(at('gone')), { name: 'UsageError', message: /Could not read/ });
    }
    assert.throws(() => readForeignFile(at('hole')), {
      name: 'UsageError',
      message: /at most 524288000 bytes, got 3000000000/,
    });
    assert.throws(() => readForeignFile(at('data/inside'), 2), {
      name: 'UsageError',
      message: /at most 2 bytes, got 3/,
    });
  });

  it('is JSON of some levels, brackets in strings not counted', () => {
    assert.deepEqual(parseForeignJson('{"a":["[[[{","\\"]"]}', 'x'), { a: ['[[[{', '"]'] });
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    parseForeignJson(nested(maxJsonDepth), 'x');
    parseForeignJson(`[${Array<string>(500).fill('[]').join(',')}]`, 'x');
    assert.throws(() => parseForeignJson(nested(maxJsonDepth + 1), 'x'), {
      name: 'UsageError',
      message: /^x: .*256 levels/,
    });
    assert.throws(() => parseForeignJson('{', 'x'), { name: 'UsageError', message: /^x: expected JSON/ });
  });

  it('cuts messages that quote too much of it', () => {
    const { message } = new UsageError(`Expected a number, got ${'9'.repeat(1e6)}`);
    assert.match(message, /^Expected a number.* … \(992023 more characters\)$/);
  });

  it('names no process that would stand for all of them', () => {
    for (const pid of [-1, 0, 0.5, NaN, '2' as unknown as number])
      assert.equal(isAlive({ pid, started: undefined as unknown as string }), false);
  });
});
