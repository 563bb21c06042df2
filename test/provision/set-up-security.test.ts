import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { WheelRequest } from '../../src/provision/fetch-wheel.js';
import { findPython } from '../../src/provision/python.js';
import { hashFile } from '../../src/provision/ready-folder.js';

const run = promisify(execFile);
const fetchModule = JSON.stringify(new URL('../../src/provision/fetch-wheel.js', import.meta.url).href);

/** A wheel with a library, a program and what tries to get out of its folder: names that climb, an absolute one, a link. */
const MAKE = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    for name, text in [('sample/library.so', 'a library, of some length'), ('sample/../../climbed', 'out'), ('/sample-absolute', 'out'),
        ('sample-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: sample\\nVersion: 1.0\\n'),
        ('sample-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: py3-none-any\\n'),
        ('sample-1.0.dist-info/RECORD', '')]:
        wheel.writestr(name, text)
    link = zipfile.ZipInfo('sample/link')
    link.create_system, link.external_attr = 3, 0o120777 << 16
    wheel.writestr(link, '/etc/passwd')
`;

/** Every file below a folder with its size and hash, and every other thing with its kind. */
const listing = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const lines = entries.map(async (entry) => {
    const at = path.join(entry.parentPath, entry.name);
    const content = entry.isFile()
      ? createHash('sha256')
          .update(await readFile(at))
          .digest('hex')
      : 'no file';
    return `${path.relative(folder, at)} ${content}`;
  });
  return (await Promise.all(lines)).sort();
};

describe('set-up, towards strangers', () => {
  let root: string;
  let python: string;
  let request: Omit<WheelRequest, 'log'>;
  const at = (name: string): string => path.join(root, name);
  const outside = ['home', 'tmp', 'here', 'index'];

  before(async function () {
    const found = await findPython().catch(() => undefined);
    if (found === undefined) return this.skip();
    python = found.command;
  });
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'video-ssl-security-'));
    for (const name of outside) await mkdir(at(name));
    const wheel = at('index/sample-1.0-py3-none-any.whl');
    await run(python, ['-c', MAKE, wheel]);
    request = {
      ...{ package: 'sample', version: '1.0', platform: 'any', unpackedBytes: 100, cache: at('cache') },
      members: ['sample/'],
      sha256: await hashFile(wheel),
      bytes: (await stat(wheel)).size,
    };
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  /** Fetches in a process of its own, whose home, temporary and current folder are watched; what it printed, or its error. */
  const fetch = async (changes: Partial<WheelRequest> = {}): Promise<string> => {
    const code = `
      const { fetchWheel } = await import(${fetchModule});
      const log = () => {};
      try {
        const { files } = await fetchWheel({ ...${JSON.stringify({ ...request, ...changes })}, log });
        console.log(files.sort().join(' '));
      } catch (error) {
        console.log('refused: ' + error.message);
      }`;
    const env = { ...process.env, HOME: at('home'), TMPDIR: at('tmp'), PIP_NO_INDEX: '1', PIP_FIND_LINKS: at('index') };
    const args = ['--input-type=module', '-e', code];
    return (await run(process.execPath, args, { env, cwd: at('here') })).stdout.trim();
  };
  const listings = (): Promise<string[][]> => Promise.all(outside.map((name) => listing(at(name))));

  it('refuses a wheel of which one byte is another, and keeps nothing of it', async () => {
    const wheel = at('index/sample-1.0-py3-none-any.whl');
    const bytes = await readFile(wheel);
    const place = bytes.indexOf('a library, of some length');
    bytes[place] = bytes[place]! ^ 1;
    await writeFile(wheel, bytes);
    assert.match(
      await fetch(),
      /^refused: The package index served another file for sample 1\.0 than the one pinned here/,
    );
    assert.deepEqual(await listing(at('cache/wheels')), []);
  });

  it('writes nothing anywhere but into its cache, done or refused, and leaves no temporary file there', async () => {
    const before = await listings();
    assert.match(await fetch(), /^sample\/climbed sample\/library\.so sample\/link$/);
    assert.match(await fetch({ sha256: '0'.repeat(64) }), /^refused: /);
    assert.match(await fetch({ members: ['nothing/'] }), /^refused: /);
    assert.deepEqual(await listings(), before);
    assert.deepEqual((await readdir(root)).sort(), ['cache', ...outside].sort());
    assert.deepEqual((await readdir(at('cache/wheels'))).length, 1);
  });

  it('unpacks no member to outside its folder, and makes no link that a wheel asks for', async () => {
    await fetch({ members: ['sample/', '/sample-absolute'] });
    const [name] = await readdir(at('cache/wheels'));
    const entries = await readdir(at(`cache/wheels/${name}`), { recursive: true, withFileTypes: true });
    for (const entry of entries) assert.ok(!entry.isSymbolicLink(), entry.name);
    assert.deepEqual((await readdir(at('cache'))).sort(), ['wheels']);
    await assert.rejects(stat('/sample-absolute'), { code: 'ENOENT' });
    await assert.rejects(stat(at('climbed')), { code: 'ENOENT' });
    await assert.rejects(stat(at('cache/climbed')), { code: 'ENOENT' });
  });

  it('has the packages of the project run no script of their own as they are installed', async () => {
    const settings = await readFile(new URL('../../../../.npmrc', import.meta.url), 'utf8').catch(() => undefined);
    const above = settings ?? (await readFile(new URL('../../../.npmrc', import.meta.url), 'utf8'));
    assert.match(above, /^ignore-scripts=true$/m);
  });
});
