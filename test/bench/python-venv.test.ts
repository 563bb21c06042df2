import assert from 'node:assert/strict';
import { chmod, mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pythonVenv, type VenvStep } from '../../bench/python-venv.js';

/** Stands for `python3`, and puts itself into the environment that it is asked for; writes down what pip is told. */
const fakePython = `#!/bin/sh
if [ "$2" = venv ]; then
  mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && : > "$3/bin/pip" && echo "venv $(basename "$3")" >> "$CALLS"
else
  shift 4 && echo "pip $*" >> "$CALLS"
  case "$*" in *$BROKEN*) exit 1;; esac
fi
`;

describe('virtual environments of Python', () => {
  const outer = { ...process.env };
  const { log } = console;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'python-venv-'));
    await mkdir(path.join(folder, 'bin'));
    await writeFile(path.join(folder, 'bin', 'python3'), fakePython);
    await chmod(path.join(folder, 'bin', 'python3'), 0o755);
    Object.assign(process.env, {
      VIDEO_SSL_CACHE: path.join(folder, 'cache'),
      PATH: `${path.join(folder, 'bin')}:${outer['PATH']}`,
      CALLS: path.join(folder, 'calls'),
      BROKEN: 'nothing',
    });
    console.log = () => {};
  });
  afterEach(async () => {
    console.log = log;
    for (const name of ['VIDEO_SSL_CACHE', 'PATH', 'CALLS', 'BROKEN']) {
      if (outer[name] === undefined) delete process.env[name];
      else process.env[name] = outer[name];
    }
    await rm(folder, { recursive: true });
  });
  const calls = async (): Promise<string[]> => (await readFile(path.join(folder, 'calls'), 'utf8')).trim().split('\n');

  const base: VenvStep = { installs: [['numpy']] };
  const more: VenvStep = {
    installs: [
      ['scipy', 'pillow'],
      ['--no-deps', 'solo'],
    ],
    marker: 'ready-more',
  };

  it('are made once, each step once, also where a later one is asked for by somebody else', async () => {
    const python = path.join(folder, 'cache', 'bench-fake', 'bin', 'python');
    assert.equal(await pythonVenv('bench-fake', base), python);
    assert.equal(await pythonVenv('bench-fake', base, more), python);
    await pythonVenv('bench-fake', base, more);
    await pythonVenv('bench-fake', base);
    assert.deepEqual(await calls(), ['venv bench-fake', 'pip numpy', 'pip scipy pillow', 'pip --no-deps solo']);
  });

  it('are kept apart by name', async () => {
    await pythonVenv('bench-one', base);
    await pythonVenv('bench-two', base);
    assert.deepEqual(await calls(), ['venv bench-one', 'pip numpy', 'venv bench-two', 'pip numpy']);
  });

  it('whose installation failed are gone on with the next time, from the step that failed', async () => {
    process.env['BROKEN'] = 'solo';
    await assert.rejects(pythonVenv('bench-fake', base, more), /solo/);
    process.env['BROKEN'] = 'nothing';
    await pythonVenv('bench-fake', base, more);
    assert.deepEqual((await calls()).slice(-2), ['pip scipy pillow', 'pip --no-deps solo']);
    assert.equal((await calls()).filter((call) => call === 'pip numpy').length, 1);
  });
});
