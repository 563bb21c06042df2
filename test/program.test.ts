import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const program = new URL('../src/program.js', import.meta.url).href;

describe('setup', () => {
  let cache: string;
  before(() => void (cache = mkdtempSync(path.join(tmpdir(), 'video-ssl-ordered-'))));
  after(() => rmSync(cache, { recursive: true, force: true }));

  it('fails where native TensorFlow was ordered and is not to be had, and only says so where it was not', () => {
    // One process for all, since most of the time goes into loading the program.
    const script = `
      const { runProgram } = await import(process.argv[1]);
      const codes = [];
      for (const [required, ...argv] of JSON.parse(process.argv[2])) {
        process.env['VIDEO_SSL_REQUIRE_NATIVE'] = required;
        codes.push(await runProgram(['setup', ...argv]));
      }
      console.log(JSON.stringify(codes));`;
    const setUps = [['', '--device', 'cpu'], ['', '--device', 'gpu'], ['1'], ['']];
    const args = ['--input-type=module', '-e', script, program, JSON.stringify(setUps)];
    const env = { ...process.env, PYTHON: '/nowhere/python', VIDEO_SSL_CACHE: cache };
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
    assert.deepEqual(JSON.parse(stdout.trim().split('\n').at(-1)!), [1, 1, 1, 0]);
    const line = /^native TensorFlow is not to be had: No Python was found .*$/gm;
    assert.equal(stderr.match(line)?.length, 3);
    assert.equal(stdout.match(line)?.length, 1);
    assert.equal(stdout.match(/^ffmpeg \S+ \(\w+\)$/gm)?.length, 4, 'ffmpeg is brought all the same');
  });
});
