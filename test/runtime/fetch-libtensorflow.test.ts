import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rename, rm, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findPython } from '../../src/provision/python.js';
import { hashFile } from '../../src/provision/ready-folder.js';
import { fetchLibtensorflow, isLibtensorflowFetched } from '../../src/runtime/fetch-libtensorflow.js';
import { libtensorflowFor, sizeOf, type Libtensorflow, type LibraryWheel } from '../../src/runtime/libtensorflow.js';

describe('libtensorflowFor', () => {
  const cpu = libtensorflowFor('linux', 'x64')!;
  const cuda = libtensorflowFor('linux', 'x64', 'cuda')!;

  it('pins one version of TensorFlow for both builds, and nothing for other machines', () => {
    assert.equal(cuda.version, cpu.version);
    assert.deepEqual(cuda.tensorflow.members, cpu.tensorflow.members);
    assert.equal(libtensorflowFor('darwin', 'arm64'), undefined);
    assert.equal(libtensorflowFor('linux', 'arm64', 'cuda'), undefined);
  });

  it('pins every wheel by a hash of its own, and counts the bytes of all', () => {
    const wheels = [cpu.tensorflow, cuda.tensorflow, ...cuda.companions];
    for (const { package: name, sha256, bytes, unpackedBytes } of wheels) {
      assert.match(sha256, /^[0-9a-f]{64}$/, name);
      assert.ok(bytes > 1e6 && unpackedBytes > 1e5, name);
    }
    assert.equal(new Set(wheels.map(({ sha256 }) => sha256)).size, wheels.length);
    assert.deepEqual(cpu.companions, []);
    assert.equal(
      sizeOf(cuda).download,
      wheels.slice(1).reduce((sum, { bytes }) => sum + bytes, 0),
    );
  });

  it('brings all that TensorFlow opens before it takes a GPU', () => {
    const members = cuda.companions.flatMap(({ members }) => members).join('\n');
    for (const name of ['cudart', 'cublas', 'cublasLt', 'cufft', 'cusolver', 'cusparse', 'cudnn', 'nvJitLink', 'nvrtc'])
      assert.match(members, new RegExp(`/lib${name}\\.so\\.\\*$`, 'm'));
  });
});

const MAKE = `
import sys, zipfile
target, name, files = sys.argv[1], sys.argv[2], sys.argv[3:]
with zipfile.ZipFile(target, 'w') as wheel:
    for file in files + [name + '-1.0.dist-info/RECORD']:
        wheel.writestr(file, 'content of ' + file)
    wheel.writestr(name + '-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: ' + name + '\\nVersion: 1.0\\n')
    wheel.writestr(name + '-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: py3-none-any\\n')
`;

describe('fetchLibtensorflow', function () {
  // pip takes seconds a wheel, and longer on a busy machine.
  this.timeout(180_000);
  let root: string;
  let library: Libtensorflow;
  const environment = { ...process.env };
  const lines: string[] = [];
  const options = () => ({ log: (line: string): void => void lines.push(line), cache: path.join(root, 'cache') });

  before(async function () {
    const python = await findPython().catch(() => undefined);
    if (python === undefined) return this.skip();
    root = await mkdtemp(path.join(tmpdir(), 'video-ssl-libtensorflow-'));
    const links = path.join(root, 'links');
    await mkdir(links);
    Object.assign(process.env, { PIP_NO_INDEX: '1', PIP_FIND_LINKS: links });
    const wheel = async (name: string, members: readonly string[]): Promise<LibraryWheel> => {
      const file = path.join(links, `${name}-1.0-py3-none-any.whl`);
      await promisify(execFile)(python.command, ['-c', MAKE, file, name, ...members]);
      const bytes = (await stat(file)).size;
      const sha256 = await hashFile(file);
      return { package: name, version: '1.0', sha256, platform: 'any', bytes, unpackedBytes: 100, members };
    };
    const own = [
      'tensorflow/libtensorflow_cc.so.2',
      'tensorflow/libtensorflow_framework.so.2',
      'tensorflow/include/c.h',
    ];
    library = {
      build: 'cuda',
      version: '1.0',
      tensorflow: await wheel('sample_tensorflow', own),
      companions: [
        await wheel('sample_companions', [
          'nvidia/cusolver/lib/libcusolver.so.11',
          'nvidia/cudnn/lib/libcudnn.so.9',
          'nvidia/cudnn/lib/libcudnn_ops.so.9',
        ]),
      ],
    };
  });
  after(async () => {
    process.env = environment;
    if (root) await rm(root, { recursive: true, force: true });
  });

  it('lays the libraries out where TensorFlow looks, all companions in one folder, and says what comes', async () => {
    assert.equal(await isLibtensorflowFetched(library, options().cache), false);
    const folder = await fetchLibtensorflow(library, options());
    assert.match(lines[0]!, /^TensorFlow 1\.0 for CUDA: 2 wheels, .* to download, .* kept$/);
    assert.equal(await isLibtensorflowFetched(library, options().cache), true);
    for (const name of ['libcusolver.so.11', 'libcudnn.so.9', 'libcudnn_ops.so.9'])
      assert.match(
        await readFile(path.join(folder, 'nvidia/cublas/lib', name), 'utf8'),
        new RegExp(`content of .*/${name}`),
      );
    assert.match(await readFile(path.join(folder, 'tensorflow/include/c.h'), 'utf8'), /content/);
    lines.length = 0;
    assert.equal(await fetchLibtensorflow(library, options()), folder);
    assert.deepEqual(lines, []);
  });

  it('survives a move of the whole cache, and mends a link that is gone', async () => {
    const folder = await fetchLibtensorflow(library, options());
    const solver = path.join(folder, 'nvidia/cublas/lib/libcusolver.so.11');
    await unlink(solver);
    lines.length = 0;
    await fetchLibtensorflow(library, options());
    assert.match(lines.join('\n'), /is damaged \(nvidia\/cublas\/lib\/libcusolver\.so\.11 is no link/);
    const moved = path.join(root, 'moved');
    await rename(options().cache, moved);
    lines.length = 0;
    const there = await fetchLibtensorflow(library, { ...options(), cache: moved });
    assert.deepEqual(lines, []);
    assert.ok(
      (await realpath(path.join(there, 'nvidia/cublas/lib/libcusolver.so.11'))).startsWith(await realpath(moved)),
    );
    await rename(moved, options().cache);
  });

  it('keeps the wheels that had come when one cannot be had', async () => {
    const broken = { ...library, companions: [{ ...library.companions[0]!, package: 'sample_absent' }] };
    const cache = path.join(root, 'other');
    await assert.rejects(fetchLibtensorflow(broken, { ...options(), cache }), /no wheel of sample_absent 1\.0/);
    lines.length = 0;
    await fetchLibtensorflow(library, { ...options(), cache });
    assert.match(lines[0]!, /^TensorFlow 1\.0 for CUDA: 1 wheels/);
  });
});
