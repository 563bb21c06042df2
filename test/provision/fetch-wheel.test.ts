import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../src/provision/cache.js';
import { requireDisk } from '../../src/provision/disk.js';
import { fetchWheel, findWheel, memberPattern, type WheelRequest } from '../../src/provision/fetch-wheel.js';
import { explainPip, pipEnvironment } from '../../src/provision/pip-download.js';
import { findPython } from '../../src/provision/python.js';
import { hashFile } from '../../src/provision/ready-folder.js';
import type { SetupProblem } from '../../src/provision/setup-problem.js';

const NAME = 'video_ssl_sample-1.0-py3-none-manylinux_2_28_x86_64.whl';

/** A wheel with three members, written by Python as pip wants it. */
const MAKE = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    for name, text in [('sample/bin/tool-1', 'a tool'), ('sample/include/a/b.h', 'header'), ('sample/big', 'not wanted'),
        ('video_ssl_sample-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: video-ssl-sample\\nVersion: 1.0\\n'),
        ('video_ssl_sample-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: py3-none-manylinux_2_28_x86_64\\n'),
        ('video_ssl_sample-1.0.dist-info/RECORD', '')]:
        wheel.writestr(name, text)
`;

describe('fetchWheel', () => {
  let root: string;
  let request: WheelRequest;
  const environment = { ...process.env };

  before(async function () {
    const python = await findPython().catch(() => undefined);
    // Without pip there is nothing to test here; what happens then is tested in the runtime.
    if (python === undefined) return this.skip();
    root = await mkdtemp(path.join(tmpdir(), 'video-ssl-wheel-'));
    await mkdir(path.join(root, 'links'));
    const wheel = path.join(root, 'links', NAME);
    await promisify(execFile)(python.command, ['-c', MAKE, wheel]);
    Object.assign(process.env, { PIP_NO_INDEX: '1', PIP_FIND_LINKS: path.join(root, 'links') });
    request = {
      package: 'video-ssl-sample',
      version: '1.0',
      sha256: await hashFile(wheel),
      platform: 'manylinux_2_28_x86_64',
      bytes: (await stat(wheel)).size,
      unpackedBytes: 100,
      members: ['sample/bin/tool-*', 'sample/include/'],
      executable: ['sample/bin/*'],
      cache: path.join(root, 'cache'),
      log: () => {},
    };
  });
  after(async () => {
    process.env = environment;
    if (root) await rm(root, { recursive: true, force: true });
  });

  it('unpacks the wanted members once, tools executable, and says the need of disk first', async () => {
    const lines: string[] = [];
    assert.equal(await findWheel(request), undefined);
    const { folder, files } = await fetchWheel({ ...request, log: (line) => lines.push(line) });
    assert.deepEqual([...files].sort(), ['sample/bin/tool-1', 'sample/include/a/b.h']);
    assert.equal(await readFile(path.join(folder, 'sample/bin/tool-1'), 'utf8'), 'a tool');
    assert.equal((await stat(path.join(folder, 'sample/bin/tool-1'))).mode & 0o111, 0o111);
    assert.match(lines[0]!, /^fetching video-ssl-sample 1.0: .* to download, 1 kB kept in /);
    const again: string[] = [];
    assert.deepEqual(await fetchWheel({ ...request, log: (line) => again.push(line) }), { folder, files });
    assert.deepEqual(again, []);
    assert.deepEqual((await findWheel(request))?.folder, folder);
  });

  it('refuses a wheel with another hash than the pinned one', async () => {
    const other = { ...request, sha256: '0'.repeat(64) };
    await assert.rejects(fetchWheel(other), /served another file for video-ssl-sample 1.0 than the one pinned/);
    assert.equal(await findWheel(other), undefined);
  });

  it('fails on a member that the wheel does not have, instead of leaving it out', async () => {
    await assert.rejects(
      fetchWheel({ ...request, members: ['sample/bin/', 'sample/nothing'] }),
      /no member matches .*nothing/,
    );
  });

  it('names the disk that is too small before it downloads', async () => {
    await assert.rejects(
      fetchWheel({ ...request, members: ['sample/big'], unpackedBytes: 1e18 }),
      /needs 1000000000\.0 GB of free disk/,
    );
    await assert.rejects(requireDisk(path.join(root, 'not', 'there', 'yet'), 1e18, 'this'), /free disk under .*yet/);
  });
});

describe('pipEnvironment', () => {
  it('keeps how pip reaches its index, and what it does not know, but no option that is meant for installing', () => {
    const env = pipEnvironment(
      {
        ...{
          PIP_INDEX_URL: 'i',
          PIP_PROXY: 'p',
          PIP_CONFIG_FILE: 'c',
          PIP_NO_INDEX: '1',
          HTTPS_PROXY: 'h',
          HOME: '/h',
        },
        ...{ PIP_TARGET: 't', PIP_USER: '1', PIP_REQUIRE_VIRTUALENV: '1', PIP_CONSTRAINT: 'x', PIP_NO_BINARY: ':all:' },
      },
      '/scratch',
    );
    const kept = { PIP_INDEX_URL: 'i', PIP_PROXY: 'p', PIP_CONFIG_FILE: 'c', PIP_NO_INDEX: '1', HTTPS_PROXY: 'h' };
    const own = { PIP_REQUIRE_VIRTUALENV: '0', TMPDIR: '/scratch', RUSTUP_HOME: '/scratch' };
    assert.deepEqual(env, { ...kept, HOME: '/h', ...own });
  });
});

describe('set-up messages', () => {
  const pin = { package: 'p', version: '1', sha256: '', platform: 'manylinux_2_28_x86_64', bytes: 1 };

  it('tell a missing network from a missing wheel, though pip ends both alike', () => {
    const end = 'ERROR: No matching distribution found for p==1';
    assert.match(
      explainPip(pin, `Failed to establish a new connection: [Errno -3]\n${end}`).message,
      /could not reach/,
    );
    assert.match(explainPip(pin, end).message, /has no wheel of p 1 for manylinux/);
    assert.match(explainPip(pin, 'OSError: [Errno 28] No space left on device').message, /disk became full/);
    assert.match(
      explainPip(pin, 'x\nsomething else').explain('npm run setup'),
      /something else To mend it: .*, then npm run setup$/,
    );
  });

  it('say whether Python or only its pip is missing', async () => {
    await assert.rejects(
      findPython({ PYTHON: '/nowhere/python' }),
      /No Python was found \(looked for \/nowhere\/python\)/,
    );
    await assert.rejects(findPython({ PATH: '/nowhere' }), { remedy: 'apt-get install python3 python3-pip' });
  });

  it('mend a PYTHON that leads nowhere by taking it back, not by installing what is there', async () => {
    const remedy = 'unset PYTHON, or have it name a Python 3 with pip';
    await assert.rejects(findPython({ PYTHON: '/nowhere/python' }), { remedy });
    // An interpreter that runs, and has no pip.
    const folder = await mkdtemp(path.join(tmpdir(), 'python-bare-'));
    const bare = path.join(folder, 'python');
    await writeFile(bare, '#!/bin/sh\ncase "$*" in *platform*) echo 3.12.1;; *) exit 1;; esac\n', { mode: 0o755 });
    await assert.rejects(findPython({ PYTHON: bare }), { remedy });
    await rm(folder, { recursive: true });
  });

  it('pass over a Python 2 and over a pip that fetches for its own Python alone, and say so', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'python-2-'));
    const stub = async (name: string, version: string, pip = '20.3.4'): Promise<void> => {
      const says = `case "$*" in *platform*) echo ${version};; *) echo "pip ${pip} from /x";; esac`;
      await writeFile(path.join(folder, name), `#!/bin/sh\n${says}\n`, { mode: 0o755 });
    };
    await stub('python3', '2.7.18');
    await assert.rejects(
      findPython({ PATH: folder }),
      /No Python 3 was found \(looked for python3, python; python3 is Python 2\.7\.18\)/,
    );
    await stub('python', '3.6.15', '18.1');
    await assert.rejects(findPython({ PATH: folder }), (error: SetupProblem) => {
      assert.match(error.message, /^python \(3\.6\.15\) has pip 18\.1, which fetches no libraries/);
      assert.equal(error.remedy, 'python -m pip install --upgrade pip');
      return true;
    });
    await stub('python', '3.6.15');
    assert.deepEqual(await findPython({ PATH: folder }), { command: 'python', python: '3.6.15', pip: '20.3.4' });
    await rm(folder, { recursive: true });
  });
});

describe('cacheFolder', () => {
  it('follows VIDEO_SSL_CACHE, then an absolute XDG_CACHE_HOME, then the home folder', () => {
    assert.equal(cacheFolder({ VIDEO_SSL_CACHE: '/a', XDG_CACHE_HOME: '/b' }), '/a');
    assert.equal(cacheFolder({ XDG_CACHE_HOME: '/b' }), '/b/video-ssl');
    assert.equal(cacheFolder({ HOME: '/h' }), '/h/.cache/video-ssl');
    assert.match(cacheFolder({ XDG_CACHE_HOME: 'relative' }), /\.cache\/video-ssl$/);
  });
});

describe('memberPattern', () => {
  it('reads folders, stars and dots literally', () => {
    const pattern = new RegExp(memberPattern(['a/b.so', 'c/', 'd/x-*']));
    for (const name of ['a/b.so', 'c/d/e.h', 'd/x-1']) assert.ok(pattern.test(name), name);
    for (const name of ['a/bxso', 'a/b.so.2', 'xc/d', 'd/x-1/y']) assert.ok(!pattern.test(name), name);
  });
});
