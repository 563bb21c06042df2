import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readNvidia } from '../../src/runtime/nvidia.js';

const VERSION =
  'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version: 12';
const OPEN = 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  575.57.08  Release Build  (a@b)\n';

describe('readNvidia', () => {
  let root: string;
  beforeEach(async () => void (root = await mkdtemp(path.join(tmpdir(), 'video-ssl-nvidia-'))));
  afterEach(() => rm(root, { recursive: true, force: true }));

  const put = async (name: string, text = ''): Promise<void> => {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  };
  const putLibraries = async (folder: string): Promise<void> => {
    await put(`${folder}/libcuda.so.1`);
    await put(`${folder}/libnvidia-ml.so.1`);
  };

  it('finds nothing on a machine without a driver', async () => {
    const found = await readNvidia(root, {});
    assert.equal(found.state, 'absent');
  });

  it('reads the driver’s version, of both kinds of kernel module, and the names of the GPUs', async () => {
    await put('proc/driver/nvidia/version', VERSION);
    await put('proc/driver/nvidia/gpus/0000:02:00.0/information', 'Model: \t\t NVIDIA H100\nIRQ: 1\n');
    await put('proc/driver/nvidia/gpus/0000:01:00.0/information', 'Model: \t\t NVIDIA L4\n');
    await putLibraries('usr/lib/x86_64-linux-gnu');
    assert.deepEqual(await readNvidia(root, {}), {
      state: 'ready',
      driver: '550.54.15',
      gpus: ['NVIDIA L4', 'NVIDIA H100'],
    });
    await put('proc/driver/nvidia/version', OPEN);
    const found = await readNvidia(root, {});
    assert.equal(found.state === 'ready' && found.driver, '575.57.08');
  });

  it('finds the driver’s libraries in the loader’s cache, in LD_LIBRARY_PATH and where Windows shows them', async () => {
    await put('etc/ld.so.cache', 'glibc-ld.so.cache1.1\0libcuda.so.1\0/x/libcuda.so.1\0libnvidia-ml.so.1\0');
    assert.equal((await readNvidia(root, {})).state, 'ready');
    await put('etc/ld.so.cache', '');
    assert.equal((await readNvidia(root, {})).state, 'absent');
    await putLibraries('given');
    assert.equal((await readNvidia(root, { LD_LIBRARY_PATH: `/nowhere:${root}/given` })).state, 'ready');
    await putLibraries('usr/lib/wsl/lib');
    assert.deepEqual(await readNvidia(root, {}), { state: 'ready', driver: undefined, gpus: [] });
  });

  it('names what stands in the way of a driver that is there: a library, its age, hidden GPUs', async () => {
    const reason = async (env: NodeJS.ProcessEnv = {}): Promise<string> => {
      const found = await readNvidia(root, env);
      return found.state === 'unusable' ? `${found.reason} | ${found.remedy}` : found.state;
    };
    await put('proc/driver/nvidia/version', VERSION);
    assert.match(
      await reason(),
      /550\.54\.15 is there, but not its libcuda\.so\.1 and libnvidia-ml\.so\.1 \| .*--gpus all/,
    );
    await put('usr/lib64/libcuda.so.1');
    assert.match(await reason(), /but not its libnvidia-ml\.so\.1 \|/);
    await putLibraries('usr/lib64');
    assert.equal(await reason(), 'ready');
    for (const hidden of ['', '-1', ' '])
      assert.match(await reason({ CUDA_VISIBLE_DEVICES: hidden }), /CUDA_VISIBLE_DEVICES=".*" hides every GPU/);
    for (const shown of ['0', '1,0', 'GPU-8932f937', 'MIG-1'])
      assert.equal(await reason({ CUDA_VISIBLE_DEVICES: shown }), 'ready');
    await put('proc/driver/nvidia/version', VERSION.replace('550.54.15', '470.82.01'));
    assert.match(await reason(), /is 470\.82\.01, and CUDA 12 needs 525\.60\.13 or newer/);
  });
});
