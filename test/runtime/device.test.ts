import assert from 'node:assert/strict';
import { UsageError } from '../../src/pipeline/usage-error.js';
import { chooseBuild, setTensorflowEnvironment } from '../../src/runtime/device.js';
import type { TensorflowBuild } from '../../src/runtime/libtensorflow.js';
import type { NvidiaState } from '../../src/runtime/nvidia.js';
import { describeRuntime } from '../../src/runtime/open.js';
import { ensureForDevice, requireProcessor, type NativeSetup } from '../../src/runtime/setup.js';

const ready: NvidiaState = { state: 'ready', driver: '550.54.15', gpus: ['NVIDIA H100'] };
const absent: NvidiaState = { state: 'absent', reason: 'no NVIDIA driver was found' };
const unusable: NvidiaState = { state: 'unusable', reason: 'the driver is too old', remedy: 'a newer one' };

describe('chooseBuild', () => {
  it('takes the CUDA build for a GPU, and the CPU’s where it is asked for or nothing else can be had', () => {
    assert.deepEqual(chooseBuild('auto', ready), { build: 'cuda' });
    assert.deepEqual(chooseBuild('gpu', ready), { build: 'cuda' });
    for (const nvidia of [ready, absent, unusable]) assert.deepEqual(chooseBuild('cpu', nvidia), { build: 'cpu' });
    assert.deepEqual(chooseBuild('auto', absent), { build: 'cpu' });
  });

  it('says why auto passes over a GPU that is there, and refuses gpu where there is none, with the reason', () => {
    assert.deepEqual(chooseBuild('auto', unusable), {
      build: 'cpu',
      noGpuBecause: 'the driver is too old. To mend it: a newer one',
    });
    assert.throws(
      () => chooseBuild('gpu', absent),
      (error: unknown) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, /Expected `device` to be one that this machine has, got `gpu`: no NVIDIA driver/);
        return true;
      },
    );
    assert.throws(() => chooseBuild('gpu', unusable), /too old\. To mend it: a newer one/);
  });
});

describe('ensureForDevice', () => {
  const asked: TensorflowBuild[] = [];
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const has =
    (...builds: TensorflowBuild[]) =>
    (build: TensorflowBuild): Promise<NativeSetup> => {
      asked.push(build);
      const native = { kind: 'native', addon: `/${build}`, version: '2', build } as const;
      return Promise.resolve(builds.includes(build) ? native : { kind: 'fallback', reason: `no ${build} build` });
    };
  beforeEach(() => {
    asked.length = 0;
    lines.length = 0;
  });

  it('sets up the one build that the device leads to', async () => {
    await ensureForDevice('auto', log, { nvidia: ready, ensure: has('cpu', 'cuda') });
    await ensureForDevice('auto', log, { nvidia: absent, ensure: has('cpu', 'cuda') });
    await ensureForDevice('cpu', log, { nvidia: ready, ensure: has('cpu', 'cuda') });
    await ensureForDevice('gpu', log, { nvidia: ready, ensure: has('cpu', 'cuda') });
    assert.deepEqual(asked, ['cuda', 'cpu', 'cpu', 'cuda']);
    assert.deepEqual(lines, []);
  });

  it('has auto go on with the CPU’s where the CUDA build cannot be set up, and says so', async () => {
    const native = await ensureForDevice('auto', log, { nvidia: ready, ensure: has('cpu') });
    assert.deepEqual(native, {
      kind: 'native',
      addon: '/cpu',
      version: '2',
      build: 'cpu',
      noGpuBecause: 'no cuda build',
    });
    assert.match(lines.join('\n'), /CUDA build of TensorFlow is not to be had: no cuda build/);
    const told = describeRuntime({
      backend: 'tensorflow',
      device: 'cpu',
      version: '2',
      threads: 2,
      noGpuBecause: 'no cuda build',
    });
    assert.deepEqual(told, ['runtime: TensorFlow 2 on the CPU, 2 threads', '  not on the GPU, because: no cuda build']);
  });

  it('has gpu go on with nothing else', async () => {
    const native = await ensureForDevice('gpu', log, { nvidia: ready, ensure: has('cpu') });
    assert.deepEqual(native, { kind: 'fallback', reason: 'no cuda build' });
    assert.deepEqual(asked, ['cuda']);
    await assert.rejects(ensureForDevice('gpu', log, { nvidia: absent, ensure: has('cpu', 'cuda') }), UsageError);
    assert.deepEqual(asked, ['cuda'], 'refused before anything is fetched');
  });
});

describe('requireProcessor', () => {
  it('takes AVX and the GNU C library from 2.27 on, by number, and what the system does not tell for granted', () => {
    assert.equal(requireProcessor({ instructionSets: ['avx'], glibc: '2.27' }), '2.27');
    assert.equal(requireProcessor({ instructionSets: undefined, glibc: '2.100' }), '2.100');
  });

  it('says what lacks on Alpine, on an old system and on an old processor, and where to go', () => {
    assert.throws(() => requireProcessor({ instructionSets: ['avx'], glibc: undefined }), {
      name: 'SetupProblem',
      message: 'TensorFlow needs the GNU C library 2.27 or newer; this system has another C library.',
      remedy: 'run on a newer, glibc-based system (Debian, Ubuntu, Fedora; not Alpine)',
    });
    assert.throws(() => requireProcessor({ instructionSets: ['avx'], glibc: '2.9' }), /this system has 2\.9\.$/);
    assert.throws(() => requireProcessor({ instructionSets: [], glibc: '2.36' }), /no AVX/);
  });
});

describe('setTensorflowEnvironment', () => {
  it('asks for growing memory and equal bytes on a GPU only, and leaves what is set', () => {
    const cpu: NodeJS.ProcessEnv = {};
    setTensorflowEnvironment('cpu', 3, cpu);
    assert.deepEqual(
      [cpu['TF_NUM_INTRAOP_THREADS'], cpu['OMP_NUM_THREADS'], cpu['TF_NUM_INTEROP_THREADS']],
      ['3', '3', '1'],
    );
    assert.equal(cpu['TF_DETERMINISTIC_OPS'], undefined);
    const gpu: NodeJS.ProcessEnv = { TF_DETERMINISTIC_OPS: '0' };
    setTensorflowEnvironment('cuda', 3, gpu);
    assert.equal(gpu['TF_FORCE_GPU_ALLOW_GROWTH'], 'true');
    assert.equal(gpu['TF_DETERMINISTIC_OPS'], '0');
  });
});
