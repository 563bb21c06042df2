import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureAddon, findCompiler } from '../../src/runtime/addon.js';

describe('findCompiler', () => {
  let folder: string;
  let stub: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'video-ssl-cxx-'));
    stub = path.join(folder, 'g++');
    // Compiles nothing, and tells what it was asked.
    const script = `#!/bin/sh\ncase "$*" in *--version*) exit 0;; esac\necho "$*" > ${folder}/asked\necho "x.cc: error: no" >&2\nexit 1\n`;
    await writeFile(stub, script, { mode: 0o755 });
    await writeFile(path.join(folder, 'g++ of mine'), script, { mode: 0o755 });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('takes the words of CXX apart, but for a file of that whole name', async () => {
    assert.deepEqual(await findCompiler({ PATH: folder }), ['g++']);
    assert.deepEqual(await findCompiler({ PATH: folder, CXX: ' ' }), ['g++']);
    assert.deepEqual(await findCompiler({ PATH: folder, CXX: 'g++  -O2 -g' }), ['g++', '-O2', '-g']);
    assert.deepEqual(await findCompiler({ CXX: path.join(folder, 'g++ of mine') }), [path.join(folder, 'g++ of mine')]);
  });

  it('mends a CXX that leads nowhere by taking it back, and the want of any compiler by installing one', async () => {
    await assert.rejects(findCompiler({ PATH: folder, CXX: 'clang++ -O2' }), {
      message: 'No C++ compiler was found (looked for clang++ -O2).',
      remedy: 'unset CXX, or have it name a C++17 compiler',
    });
    await assert.rejects(findCompiler({ PATH: '/nowhere' }), { remedy: 'apt-get install g++' });
  });

  it('has its words before all others where the addon is compiled', async () => {
    const before = process.env['CXX'];
    process.env['CXX'] = `${stub} -O1`;
    const lines: string[] = [];
    try {
      const compiled = ensureAddon(path.join(folder, 'library'), '2.36', {
        log: (line) => void lines.push(line),
        cache: path.join(folder, 'cache'),
      });
      await assert.rejects(compiled, {
        message: 'The TensorFlow addon did not compile: x.cc: error: no',
        remedy: 'unset CXX, or have it name a C++17 compiler',
      });
    } finally {
      if (before === undefined) delete process.env['CXX'];
      else process.env['CXX'] = before;
    }
    assert.match(await readFile(path.join(folder, 'asked'), 'utf8'), /^-O1 -std=c\+\+17 /);
    assert.match(lines.join('\n'), /with \S+\/g\+\+ -O1 \(/);
  });
});
